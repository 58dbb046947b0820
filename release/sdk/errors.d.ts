export interface Issue {
    path: string;
    message: string;
}
export type ClientErrorCode = 'network' | 'timeout' | 'aborted' | 'bad_response';
export declare const serverErrorCodes: readonly ["input.unreadable", "input.invalid", "auth.unauthenticated", "auth.invalid_token", "auth.token_expired", "auth.forbidden", "auth.suspended", "auth.invalid_credentials", "auth.invalid_refresh_token", "auth.session_not_found", "auth.invalid_setup_token", "auth.setup_done", "auth.busy", "limit.exceeded", "users.not_found", "users.username_taken", "users.email_taken", "users.invalid_email", "users.invalid_search", "users.creation_disabled", "posts.not_found", "posts.invalid_id", "relations.self_follow", "relations.self_unfollow", "relations.already_following", "relations.not_following", "notifications.not_found", "notifications.access_denied", "notifications.sending_disabled", "live.too_many_streams", "live.full", "live.closing", "admin.own_account", "admin.session_not_found", "admin.letter_not_found", "http.not_found", "http.method_not_allowed", "http.request_too_slow", "http.body_too_large", "http.headers_too_large", "http.timeout", "http.overloaded", "unavailable", "internal", "rpc.bad_request", "rpc.unknown_procedure", "rpc.method_not_supported", "rpc.unsupported_media_type"];
export type ServerErrorCode = (typeof serverErrorCodes)[number];
export type ErrorCode = ClientErrorCode | ServerErrorCode;
export declare class PinstackError<Code extends string = string> extends Error {
    readonly name = "PinstackError";
    readonly code: Code;
    readonly status: number;
    readonly issues: readonly Issue[];
    readonly details: Readonly<Record<string, string | null>>;
    readonly requestId: string | null;
    readonly retryAfterMs: number | null;
    constructor(code: Code, message: string, details?: ErrorDetails);
    get fieldErrors(): FieldErrors;
}
export interface FieldErrors {
    readonly [field: string]: string | undefined;
}
export interface ErrorDetails {
    status?: number;
    issues?: readonly Issue[];
    details?: Readonly<Record<string, string | null>> | undefined;
    requestId?: string | null;
    retryAfterMs?: number | null;
    cause?: unknown;
}
export declare function isPinstackError(error: unknown): error is PinstackError;
export declare function isPinstackError<Code extends ErrorCode>(error: unknown, ...codes: [Code, ...Code[]]): error is PinstackError<Code>;
