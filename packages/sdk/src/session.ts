import { PinstackError } from './errors.ts'
import type { Tokens } from './procedures.ts'

/** What keeps a user signed in. Whoever holds it is that user: keep it as you would a password. */
export interface Session {
  /** What calls carry. Good for minutes. */
  accessToken: string
  /** What the next tokens are got by. Good once. */
  refreshToken: string
  /** When the access token is renewed, a little before it ends. By this machine's clock, in epoch milliseconds. */
  renewAtMs: number
  /** When the access token ends, by the same clock. */
  accessExpiresAtMs: number
  /** Who is signed in. */
  userId: number
  /** Of `sessions.list`. */
  sessionId: string
}

/**
 * Where the session is kept. Asked before each call, so that tabs or processes that share a store share the session.
 * `memoryStore`, `webStore`, `cookieStore` and `asyncStore` are stores; so is any object with `load` and `save`.
 *
 * @example
 * ```ts
 * const fileStore = (path: string): SessionStore => ({
 *   load: async () => JSON.parse(await readFile(path, 'utf8').catch(() => 'null')),
 *   save: (session) => writeFile(path, JSON.stringify(session), { mode: 0o600 }),
 * })
 * ```
 */
export interface SessionStore {
  /** Null when nobody is signed in. */
  load(): Session | null | Promise<Session | null>
  /** Null signs out. */
  save(session: Session | null): void | Promise<void>
  /**
   * The session is somebody else's to renew and to end: calls use what `load` gives, and reject with `auth.token_expired` when it is
   * over. For where a new token could not be kept: a page that is being rendered, a browser that may not have the refresh token.
   */
  readonly readOnly?: boolean
  /**
   * Runs `work` while no one else who shares the store runs theirs. A refresh token is good once, so sharers must not renew
   * at the same moment; without this the server's grace of 10 s has to do.
   */
  exclusive?<T>(work: () => Promise<T>): Promise<T>
  /** Tells the others who share the store of a sign-in or sign-out. */
  announce?(announcement: Announcement): void
  /** Calls `listener` with what is announced, its own or not. Returns what stops it. */
  subscribe?(listener: (announcement: Announcement) => void): () => void
}

/** Someone signed in, or is signed in no longer and why. */
export type AuthChange = { state: 'signed_in'; userId: number; sessionId: string } | { state: 'signed_out'; reason: SignedOutReason }

/** Why nobody is signed in any more. */
export type SignedOutReason =
  /** `logout` was called, here or in another tab. */
  | 'logout'
  /** The server ended the session: revoked elsewhere, expired, or its refresh token was used by someone else. */
  | 'ended'
  /** The account was deleted. */
  | 'deleted'
  /** In another tab, in a browser whose tabs cannot tell each other more than that. */
  | 'elsewhere'

/** What clients that share a store tell each other. */
export interface Announcement {
  /** Which client says it, so that it does not hear itself. */
  from: string
  /** What happened. */
  change: AuthChange
}

/**
 * Forgets the session with the process or page. The default.
 *
 * @example
 * ```ts
 * const pinstack = createPinstack({ url: 'https://api.example.com', store: memoryStore() })
 * ```
 */
export function memoryStore(): SessionStore {
  let session: Session | null = null
  return {
    load: () => session,
    save: (next) => {
      session = next
    },
  }
}

/** What is not a session counts as none: storage is the user's, and may hold anything. */
export function parseSession(text: string | null | undefined): Session | null {
  try {
    const session = JSON.parse(text ?? 'null') as Partial<Session> | null
    return typeof session?.accessToken === 'string' && typeof session.refreshToken === 'string' && typeof session.renewAtMs === 'number'
      ? (session as Session)
      : null
  } catch {
    return null
  }
}

/** A token this near to its end (or in the last fifth of a short life) is renewed before it is used. */
const renewBeforeMs = 30_000

/**
 * The claims say whose the tokens are and how long they last. The end is counted from now and not taken from `exp`:
 * a device whose clock is wrong would renew always or too late.
 */
export function sessionOf({ accessToken, refreshToken }: Tokens, nowMs: number): Session {
  const claims = claimsOf(accessToken)
  const lifeMs = (claims.exp - claims.iat) * 1000
  return {
    accessToken,
    refreshToken,
    userId: claims.user_id,
    sessionId: claims.sid,
    renewAtMs: nowMs + lifeMs - Math.min(renewBeforeMs, lifeMs / 5),
    accessExpiresAtMs: nowMs + lifeMs,
  }
}

interface Claims {
  user_id: number
  sid: string
  iat: number
  exp: number
}

function claimsOf(accessToken: string): Claims {
  try {
    const [, payload = ''] = accessToken.split('.')
    return JSON.parse(atob(payload.replaceAll('-', '+').replaceAll('_', '/'))) as Claims
  } catch (cause) {
    throw new PinstackError('bad_response', 'the server gave a token that cannot be read', { cause })
  }
}
