import { PinstackError } from './errors.ts'
import type { Tokens } from './procedures.ts'

/** What keeps a user signed in. Whoever holds it is that user: keep it as you would a password. */
export interface Session {
  accessToken: string
  refreshToken: string
  /** When the access token is renewed, a little before it ends; both by this machine's clock, in epoch milliseconds. */
  renewAtMs: number
  accessExpiresAtMs: number
  userId: number
  /** Of `sessions.list`. */
  sessionId: string
}

/**
 * Where the session is kept. Asked before each call, so that tabs or processes that share a store share the session.
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
   * Runs `work` while no one else who shares the store runs theirs. A refresh token is good once, so sharers must not renew
   * at the same moment; without this the server's grace of 10 s has to do.
   */
  exclusive?<T>(work: () => Promise<T>): Promise<T>
}

/** Forgets the session with the process or page. The default. */
export function memoryStore(): SessionStore {
  let session: Session | null = null
  return {
    load: () => session,
    save: (next) => {
      session = next
    },
  }
}

/** The part of `localStorage` and `sessionStorage` that is used. */
export interface WebStorage {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/**
 * Keeps the session in a browser's storage: it outlives the page, and all tabs of the origin share it.
 *
 * @NOTE any script on the page can read it. Serve no scripts that you do not trust.
 *
 * @example
 * ```ts
 * const pinstack = createPinstack({ url: 'https://api.example.com', store: webStore(localStorage) })
 * ```
 */
export function webStore(storage: WebStorage, key = 'pinstack.session'): SessionStore {
  const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {}
  return {
    load: () => readSession(storage.getItem(key)),
    save: (session) => (session ? storage.setItem(key, JSON.stringify(session)) : storage.removeItem(key)),
    exclusive: (work) => (locks ? locks.request(key, work) : work()),
  }
}

/** Web Locks, where the browser has them. */
interface Locks {
  request<T>(name: string, work: () => Promise<T>): Promise<T>
}

/** What is not a session counts as none: storage is the user's, and may hold anything. */
function readSession(text: string | null): Session | null {
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
