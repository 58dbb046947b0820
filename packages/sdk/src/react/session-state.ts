import type { SignedOutReason } from '../session.ts'
import type { Pinstack } from '../client.ts'

/** Who is signed in, as a component sees it. */
export interface SessionView {
  /** Null while nobody is signed in, and until the store was asked. */
  userId: number | null
  /** False until the store was asked: on a server, and in the first moment of a page. */
  isReady: boolean
  /** Why nobody is signed in any more; null when nobody has been, or somebody is. */
  signedOutReason: SignedOutReason | null
}

/** What `useSyncExternalStore` wants. The store is asked when the first component listens, which no server's does. */
export interface SessionState {
  subscribe(listener: () => void): () => void
  current(): SessionView
  /** What the page was rendered with. */
  first(): SessionView
}

/** Other tabs sign in and out, too. They share the store, and these say when to look into it again. */
const signs = ['storage', 'visibilitychange']

interface Page {
  addEventListener?(type: string, listener: () => void): void
  removeEventListener?(type: string, listener: () => void): void
}

export function createSessionState(pinstack: Pinstack, initialUserId: number | null | undefined): SessionState {
  const page = globalThis as Page
  const first: SessionView = { userId: initialUserId ?? null, isReady: initialUserId !== undefined, signedOutReason: null }
  const listeners = new Set<() => void>()
  let view = first
  let changes = 0
  let stop: () => void

  function show(userId: number | null, signedOutReason: SignedOutReason | null): void {
    changes++
    if (view.isReady && view.userId === userId && view.signedOutReason === signedOutReason) return
    view = { userId, isReady: true, signedOutReason }
    for (const listener of listeners) listener()
  }

  async function look(): Promise<void> {
    const before = changes
    const session = await pinstack.session().catch(() => null) // what cannot be read signs nobody in; a call says why
    if (changes !== before) return // a change was told of meanwhile, and is newer than what was read
    const userId = session?.userId ?? null
    show(userId, userId === null ? view.signedOutReason : null)
  }

  function begin(): () => void {
    const stopListening = pinstack.onAuthChange((change) =>
      change.state === 'signed_in' ? show(change.userId, null) : show(null, change.reason),
    )
    const onSign = () => void look()
    for (const sign of signs) page.addEventListener?.(sign, onSign)
    onSign()
    return () => {
      stopListening()
      for (const sign of signs) page.removeEventListener?.(sign, onSign)
    }
  }

  return {
    subscribe(listener) {
      listeners.add(listener)
      if (listeners.size === 1) stop = begin()
      return () => {
        if (listeners.delete(listener) && listeners.size === 0) stop()
      }
    },
    current: () => view,
    first: () => first,
  }
}
