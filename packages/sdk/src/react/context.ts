import { createContext, useContext, useMemo, useSyncExternalStore, type Context } from 'react'
import type { Pinstack } from '../client.ts'
import { pinstackKeys, type PinstackKeys } from './keys.ts'
import type { LiveHub } from './live-hub.ts'
import type { SessionState, SessionView } from './session-state.ts'
import type { StatusLoader } from './status-loader.ts'

/** What the provider gives to the hooks below it. */
export interface Shared {
  pinstack: Pinstack
  session: SessionState
  live: LiveHub
  statusOf: StatusLoader
}

export const PinstackContext: Context<Shared | null> = createContext<Shared | null>(null)

export function useShared(): Shared {
  const shared = useContext(PinstackContext)
  if (!shared) throw new Error('Pinstack hooks need a <PinstackProvider client={…}> around them.')
  return shared
}

/**
 * The client itself, for what has no hook: to sign in and out, say. Components that show the session follow by themselves.
 *
 * @example
 * ```tsx
 * const pinstack = usePinstack()
 * return <button onClick={() => pinstack.logout()}>Sign out</button>
 * ```
 */
export function usePinstack(): Pinstack {
  return useShared().pinstack
}

/**
 * Who is signed in: now, and again whenever that changes, in this tab or another one that shares the store, by you or by the server.
 *
 * @example
 * ```tsx
 * const { userId, isReady, signedOutReason } = useSession()
 * if (!isReady) return <Splash />
 * if (userId === null) return <Login notice={signedOutReason === 'ended' ? 'Please sign in again.' : undefined} />
 * return <Home />
 * ```
 */
export function useSession(): SessionView {
  const { session } = useShared()
  return useSyncExternalStore(session.subscribe, session.current, session.first)
}

/** The names of what the account that is signed in has loaded. */
export function useKeys(): PinstackKeys {
  const { userId } = useSession()
  return useMemo(() => pinstackKeys(userId), [userId])
}
