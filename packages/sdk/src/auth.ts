import { isPinstackError } from './errors.ts'
import type { Tokens } from './procedures.ts'
import { sessionOf, type Session, type SessionStore } from './session.ts'
import type { Send } from './transport.ts'

/** Someone signed in, or is signed in no longer and why. */
export type AuthChange = { state: 'signed_in'; userId: number; sessionId: string } | { state: 'signed_out'; reason: SignedOutReason }

export type SignedOutReason =
  /** `logout` was called. */
  | 'logout'
  /** The server ended the session: revoked elsewhere, expired, or its refresh token was used by someone else. */
  | 'ended'
  /** The account was deleted. */
  | 'deleted'

/**
 * A renewal whose answer is lost is tried once more: the server repeats its answer for 10 s, and treats the old token as
 * stolen afterwards. Both tries have to fit into that time.
 */
const renewTimeoutMs = 4_000
const renewTriesMax = 2

export interface Keeper {
  current(): Promise<Session | null>
  /** The session with a token that is good for a while, null when nobody is signed in. */
  fresh(): Promise<Session | null>
  /** A session other than `used`, whose token the server refused. Null when there is none any more. */
  renew(used: Session): Promise<Session | null>
  /** Runs `work` while no renewal is under way, and holds up the next. */
  exclusive<T>(work: () => Promise<T>): Promise<T>
  /** Within `exclusive`. */
  signIn(tokens: Tokens): Promise<Session>
  /** Replaces the tokens of a session that goes on. Within `exclusive`. */
  keep(tokens: Tokens): Promise<Session>
  /** Within `exclusive`. */
  signOut(reason: SignedOutReason): Promise<void>
  onChange(listener: (state: AuthChange) => void): () => void
}

export function createKeeper({ store, send, nowMs }: { store: SessionStore; send: Send; nowMs(): number }): Keeper {
  const listeners = new Set<(state: AuthChange) => void>()
  let last: Promise<unknown> = Promise.resolve()
  let renewal: { of: string; result: Promise<Session | null> } | undefined

  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(() => (store.exclusive ? store.exclusive(work) : work()))
    last = result.catch(() => undefined)
    return result
  }

  function tell(state: AuthChange): void {
    for (const listener of listeners) {
      try {
        listener(state)
      } catch (error) {
        queueMicrotask(() => {
          throw error
        }) // reported where its author looks, without breaking the call that it was told of
      }
    }
  }

  async function keep(tokens: Tokens): Promise<Session> {
    const session = sessionOf(tokens, nowMs())
    await store.save(session)
    return session
  }

  async function signIn(tokens: Tokens): Promise<Session> {
    const session = await keep(tokens)
    tell({ state: 'signed_in', userId: session.userId, sessionId: session.sessionId })
    return session
  }

  async function signOut(reason: SignedOutReason): Promise<void> {
    await store.save(null)
    tell({ state: 'signed_out', reason })
  }

  /** One renewal serves all calls that wait for it, in its success as in its failure. */
  function renew(used: Session): Promise<Session | null> {
    if (renewal?.of === used.refreshToken) return renewal.result
    const result = exclusive(() => renewInTurn(used)).finally(() => {
      if (renewal?.result === result) renewal = undefined
    })
    renewal = { of: used.refreshToken, result }
    return result
  }

  /** Whoever had to wait while another tab renewed finds a new token in the store, and uses that. */
  async function renewInTurn(used: Session): Promise<Session | null> {
    const session = await store.load()
    if (session?.refreshToken !== used.refreshToken) return session // @NOTE the access tokens of one second may be the same
    try {
      return await keep(await sendRenewal(session))
    } catch (error) {
      if (!isPinstackError(error) || ![401, 404].includes(error.status)) throw error
      await signOut('ended')
      return null
    }
  }

  async function sendRenewal({ refreshToken }: Session): Promise<Tokens> {
    for (let tries = 1; ; tries++) {
      try {
        return (await send({ kind: 'mutation', path: 'auth.refresh', input: { refreshToken }, timeoutMs: renewTimeoutMs })) as Tokens
      } catch (error) {
        if (tries === renewTriesMax || !isPinstackError(error, 'network', 'timeout')) throw error
      }
    }
  }

  async function fresh(): Promise<Session | null> {
    const session = await store.load()
    if (!session || nowMs() < session.renewAtMs) return session
    try {
      return await renew(session)
    } catch (error) {
      if (nowMs() < session.accessExpiresAtMs) return session // good for a moment yet; the next call tries again
      throw error
    }
  }

  function onChange(listener: (state: AuthChange) => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
  }

  return { current: async () => store.load(), fresh, renew, exclusive, signIn, keep, signOut, onChange }
}
