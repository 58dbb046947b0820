/** What went wrong, in the few words a transport understands. rpc/error-kinds.ts maps each kind exactly once. */
export type ErrorKind = 'invalid' | 'unauthenticated' | 'forbidden' | 'not_found' | 'conflict' | 'rate_limited' | 'unavailable'

/** Which field of the input is to blame, and why. */
export interface Issue {
  path: string
  message: string
}

export interface ErrorDetails {
  issues?: Issue[] | undefined
  /** What a client may show of it, by name. */
  details?: Record<string, string | null> | undefined
  /** When trying again makes sense; sent as `Retry-After`. */
  retryAfterMs?: number | undefined
  /** For the log. It never reaches a client. */
  cause?: unknown
}

/** A failure the caller can act on. Anything else that is thrown is a bug or an outage, and answers 500. */
export class DomainError extends Error {
  override name = 'DomainError'
  readonly kind: ErrorKind
  /** Stable, dotted, documented: `users.not_found`. Clients switch on this, never on the message. */
  readonly code: string
  readonly issues: Issue[] | undefined
  readonly details: Record<string, string | null> | undefined
  readonly retryAfterMs: number | undefined

  constructor(kind: ErrorKind, code: string, message: string, { issues, details, retryAfterMs, cause }: ErrorDetails = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.kind = kind
    this.code = code
    this.issues = issues
    this.details = details
    this.retryAfterMs = retryAfterMs
  }
}

export interface DeclaredError {
  kind: ErrorKind
  code: string
  message: string
}

type ErrorTable<Name extends string> = Record<Name, (details?: ErrorDetails) => DomainError> & { readonly declared: DeclaredError[] }

/** Declares a feature's errors as one table. `declared` lists them, so that docs/errors.md can be held equal to the code. */
export function defineErrors<Name extends string>(feature: string, table: Record<Name, [ErrorKind, string]>): ErrorTable<Name> {
  const declared = Object.entries<[ErrorKind, string]>(table).map(([name, [kind, message]]) => ({
    kind,
    code: `${feature}.${name}`,
    message,
  }))
  const makers = Object.fromEntries(
    declared.map(({ kind, code, message }) => [
      code.slice(feature.length + 1),
      (details?: ErrorDetails) => new DomainError(kind, code, message, details),
    ]),
  )
  return Object.assign(makers as Record<Name, (details?: ErrorDetails) => DomainError>, { declared })
}
