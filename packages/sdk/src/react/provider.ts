import { QueryClient, QueryClientContext, QueryClientProvider } from '@tanstack/react-query'
import { createElement, useContext, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Pinstack } from '../client.ts'
import { PinstackContext } from './context.ts'
import { pinstackKeys } from './keys.ts'
import { createLiveHub } from './live-hub.ts'
import { createSessionState } from './session-state.ts'
import { createStatusLoader } from './status-loader.ts'

export interface PinstackProviderProps {
  /** Made once, outside of any component. On a server, one a request. */
  client: Pinstack
  /** Where answers are kept: that of the `QueryClientProvider` around this one, or else one of its own. */
  queryClient?: QueryClient
  /**
   * Who is signed in, where the server that renders knows it from a cookie: a page's first markup is then theirs. Give the same on
   * the page. Without it the first markup is that of somebody who is not signed in.
   */
  initialUserId?: number | null
  children?: ReactNode
}

/**
 * Gives the hooks below it a client, and a cache.
 *
 * @example
 * ```tsx
 * const pinstack = createPinstack({ url: 'https://api.example.com', store: webStore(localStorage) })
 *
 * createRoot(document.getElementById('root')!).render(
 *   <PinstackProvider client={pinstack}>
 *     <App />
 *   </PinstackProvider>,
 * )
 * ```
 */
export function PinstackProvider({ client, queryClient, initialUserId, children }: PinstackProviderProps): ReactNode {
  const around = useContext(QueryClientContext)
  const [own] = useState(() => queryClient ?? around ?? new QueryClient())
  const cache = queryClient ?? around ?? own
  const shared = useMemo(
    () => ({
      pinstack: client,
      session: createSessionState(client, initialUserId),
      live: createLiveHub(client, cache),
      statusOf: createStatusLoader(client),
    }),
    [client, cache], // @NOTE not `initialUserId`: it is of the first moment only
  )
  useEffect(() => {
    let { userId } = shared.session.current()
    return shared.session.subscribe(() => {
      const next = shared.session.current().userId
      if (next === userId) return
      cache.removeQueries({ queryKey: pinstackKeys(userId).all }) // nothing of an account outlives its session
      userId = next
    })
  }, [shared, cache])
  return createElement(QueryClientProvider, { client: cache }, createElement(PinstackContext.Provider, { value: shared }, children))
}
