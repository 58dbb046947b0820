import type { Tokens } from './procedures.js';
export interface Session {
    accessToken: string;
    refreshToken: string;
    renewAtMs: number;
    accessExpiresAtMs: number;
    userId: number;
    sessionId: string;
}
export interface SessionStore {
    load(): Session | null | Promise<Session | null>;
    save(session: Session | null): void | Promise<void>;
    readonly readOnly?: boolean;
    exclusive?<T>(work: () => Promise<T>): Promise<T>;
    announce?(announcement: Announcement): void;
    subscribe?(listener: (announcement: Announcement) => void): () => void;
}
export type AuthChange = {
    state: 'signed_in';
    userId: number;
    sessionId: string;
} | {
    state: 'signed_out';
    reason: SignedOutReason;
};
export type SignedOutReason = 'logout' | 'ended' | 'deleted' | 'elsewhere';
export interface Announcement {
    from: string;
    change: AuthChange;
}
export declare function memoryStore(): SessionStore;
export declare function parseSession(text: string | null | undefined): Session | null;
export declare function sessionOf({ accessToken, refreshToken }: Tokens, nowMs: number): Session;
