import { isPinstackError } from './errors.ts'
import type { Tokens } from './procedures.ts'
import { sessionOf, type Announcement, type AuthChange, type Session, type SessionStore, type SignedOutReason } from './session.ts'
import type { Send } from './transport.ts'

/**
 * A renewal whose answer is lost is tried once more: the server repeats its answer for 10 s, and treats the old token as
 * stolen afterwards. Both tries have to fit into that time.
 */
const renewTimeoutMs = 4_000
const renewTriesMax = 2

export interface Keeper {
  /** The session is renewed and ended by someone else. */
  readonly readOnly: boolean
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
  const from = `${nowMs()}-${Math.random()}`
  /** Which session the listeners believe in: null for none, undefined before anyone has looked. */
  let known: string | null | undefined
  let unsubscribe: (() => void) | undefined
  let last: Promise<unknown> = Promise.resolve()
  let renewal: { of: string; result: Promise<Session | null> } | undefined

  function exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = last.then(() => (store.exclusive ? store.exclusive(work) : work()))
    last = result.catch(() => undefined)
    return result
  }

  async function load(): Promise<Session | null> {
    const session = await store.load()
    if (known === undefined) known = session?.sessionId ?? null
    return session
  }

  function tell(state: AuthChange): void {
    known = state.state === 'signed_in' ? state.sessionId : null
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

  /** What another tab did is told here, unless the store says otherwise by now, or says it of a session that is not shared. */
  async function hear(announcement: Announcement): Promise<void> {
    if (announcement.from === from) return
    const { change } = announcement
    const session = await store.load()
    const now = session?.sessionId ?? null
    if (now === (change.state === 'signed_in' ? change.sessionId : null) && now !== known) tell(change)
  }

  function tellAll(change: AuthChange): void {
    tell(change)
    store.announce?.({ from, change })
  }

  async function keep(tokens: Tokens): Promise<Session> {
    const session = sessionOf(tokens, nowMs())
    await store.save(session)
    return session
  }

  async function signIn(tokens: Tokens): Promise<Session> {
    const session = await keep(tokens)
    tellAll({ state: 'signed_in', userId: session.userId, sessionId: session.sessionId })
    return session
  }

  async function signOut(reason: SignedOutReason): Promise<void> {
    await store.save(null)
    tellAll({ state: 'signed_out', reason })
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
    if (store.readOnly) return session?.accessToken === used.accessToken ? null : session
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
    const session = await load()
    if (!session || store.readOnly || nowMs() < session.renewAtMs) return session
    try {
      return await renew(session)
    } catch (error) {
      if (nowMs() < session.accessExpiresAtMs) return session // good for a moment yet; the next call tries again
      throw error
    }
  }

  function onChange(listener: (state: AuthChange) => void): () => void {
    listeners.add(listener)
    if (!unsubscribe && store.subscribe) {
      unsubscribe = store.subscribe((announcement) => void hear(announcement).catch(() => {})) // a store that cannot be read has nothing to tell
      void load().catch(() => {})
    }
    return () => {
      listeners.delete(listener)
      if (listeners.size > 0) return
      unsubscribe?.()
      unsubscribe = undefined
    }
  }

  return { readOnly: store.readOnly ?? false, current: load, fresh, renew, exclusive, signIn, keep, signOut, onChange }
}
