/** Which field of the input is to blame, and why. */
export interface Issue {
  /** Dotted: `username`, `profile.links.0`. Empty when it is the input as a whole. */
  path: string
  /** For people. */
  message: string
}

/** Errors that arise on this side of the wire. */
export type ClientErrorCode =
  /** No answer: no connection, or it broke off. Whether the server got the request is unknown. */
  | 'network'
  /** No answer within `timeoutMs`. Whether the server got the request is unknown. */
  | 'timeout'
  /** Your `AbortSignal` fired. */
  | 'aborted'
  /** An answer that no Pinstack server gives: a proxy's page, a wrong `url`. */
  | 'bad_response'

/** Errors that the server reports; docs/errors.md describes them, and is tested against this list. */
export const serverErrorCodes = [
  'input.unreadable',
  'input.invalid',
  'auth.unauthenticated',
  'auth.invalid_token',
  'auth.token_expired',
  'auth.forbidden',
  'auth.suspended',
  'auth.invalid_credentials',
  'auth.invalid_refresh_token',
  'auth.session_not_found',
  'auth.invalid_setup_token',
  'auth.setup_done',
  'auth.busy',
  'limit.exceeded',
  'users.not_found',
  'users.username_taken',
  'users.email_taken',
  'users.invalid_email',
  'users.invalid_search',
  'users.creation_disabled',
  'posts.not_found',
  'posts.invalid_id',
  'relations.self_follow',
  'relations.self_unfollow',
  'relations.already_following',
  'relations.not_following',
  'notifications.not_found',
  'notifications.access_denied',
  'notifications.sending_disabled',
  'live.too_many_streams',
  'live.full',
  'live.closing',
  'admin.own_account',
  'admin.session_not_found',
  'http.not_found',
  'http.method_not_allowed',
  'http.request_too_slow',
  'http.body_too_large',
  'http.headers_too_large',
  'http.timeout',
  'http.overloaded',
  'unavailable',
  'internal',
  'rpc.bad_request',
  'rpc.unknown_procedure',
  'rpc.method_not_supported',
  'rpc.unsupported_media_type',
] as const

/** What the server may report: the codes of docs/errors.md. */
export type ServerErrorCode = (typeof serverErrorCodes)[number]

/** All that a {@link PinstackError} of this version may carry as its `code`. */
export type ErrorCode = ClientErrorCode | ServerErrorCode

/** Which field these are about, though the server names it by the code alone. */
const fieldOfCode: Readonly<Record<string, string>> = {
  'users.username_taken': 'username',
  'users.email_taken': 'email',
  'users.invalid_email': 'email',
} satisfies Partial<Record<ServerErrorCode, string>>

/**
 * Why a call failed. Switch on `code`: it is stable, the message is for people.
 *
 * @example
 * ```ts
 * try {
 *   await pinstack.users.get(7)
 * } catch (error) {
 *   if (isPinstackError(error, 'users.not_found')) showNobody()
 *   else throw error
 * }
 * ```
 */
export class PinstackError<Code extends string = string> extends Error {
  /** Always `PinstackError`, whichever copy of the SDK made it. */
  override readonly name = 'PinstackError'
  /** One of {@link ErrorCode}, or a code that a newer server has added. */
  readonly code: Code
  /** HTTP status; 0 when there was no answer. */
  readonly status: number
  /** Filled for `input.invalid`. */
  readonly issues: readonly Issue[]
  /** What else the server says of it: `until` and `reason` for `auth.suspended`. */
  readonly details: Readonly<Record<string, string | null>>
  /** Finds the request in the server's log; null when the server gave none. */
  readonly requestId: string | null
  /** How long to wait before the next try, where the server said so (429, 503); else null. */
  readonly retryAfterMs: number | null

  constructor(code: Code, message: string, details: ErrorDetails = {}) {
    super(message, 'cause' in details ? { cause: details.cause } : undefined)
    this.code = code
    this.status = details.status ?? 0
    this.issues = details.issues ?? []
    this.details = details.details ?? {}
    this.requestId = details.requestId ?? null
    this.retryAfterMs = details.retryAfterMs ?? null
  }

  /**
   * What is wrong with which field, for a form: the first message for each. Filled for `input.invalid`, and for a username or an
   * address that is taken or refused. What is wrong with the input as a whole is under `''`.
   *
   * @example
   * ```ts
   * const { username, email, password } = isPinstackError(error) ? error.fieldErrors : {}
   * ```
   */
  get fieldErrors(): FieldErrors {
    const field = fieldOfCode[this.code]
    const issues = field === undefined ? this.issues : [{ path: field, message: this.message }]
    return Object.fromEntries(issues.map(({ path, message }) => [path, message] as const).reverse())
  }
}

/** Messages by the dotted path of a field. */
export interface FieldErrors {
  readonly [field: string]: string | undefined
}

/** What a {@link PinstackError} is made of, beside its code and message. */
export interface ErrorDetails {
  /** HTTP status; 0 when there was no answer. */
  status?: number
  /** What is wrong with the input. */
  issues?: readonly Issue[]
  /** What else the server says of it. */
  details?: Readonly<Record<string, string | null>> | undefined
  /** Of the request, as the server's log has it. */
  requestId?: string | null
  /** What the server asked to wait. */
  retryAfterMs?: number | null
  /** What it came of. */
  cause?: unknown
}

/**
 * Whether `error` came from Pinstack, and with one of these codes where some are given.
 *
 * @example
 * ```ts
 * if (isPinstackError(error, 'users.username_taken', 'users.email_taken')) error.code // narrowed to the two
 * ```
 */
export function isPinstackError(error: unknown): error is PinstackError
export function isPinstackError<Code extends ErrorCode>(error: unknown, ...codes: [Code, ...Code[]]): error is PinstackError<Code>
export function isPinstackError(error: unknown, ...codes: string[]): boolean {
  // Not by `instanceof`: an app may have the SDK in two of its bundles.
  const { name, code } = (error ?? {}) as Partial<PinstackError>
  return name === 'PinstackError' && typeof code === 'string' && (codes.length === 0 || codes.includes(code))
}
