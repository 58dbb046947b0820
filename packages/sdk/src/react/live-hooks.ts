import { useEffect, useRef, useSyncExternalStore } from 'react'
import type { LiveStatus, Reset } from '../live.ts'
import type { NotificationChange, PostChange, RelationChange } from '../procedures.ts'
import type { Changes, Topic } from './live-hub.ts'
import { useSession, useShared } from './context.ts'

export interface LiveHookOptions<Change> {
  /** Hears each change after the lists have taken it in: to show a message, say. */
  onChange?: ((change: Change | Reset) => void) | undefined
  /** False keeps no stream open. */
  enabled?: boolean | undefined
}

/** While there is no stream. */
const closed: LiveStatus = { state: 'closed', error: null }

/**
 * Keeps `useNotifications` and `useUnreadCount` up to date as things happen, for as long as a component that calls it is on the page
 * and somebody is signed in. Returns how the connection is doing. However many components call it, there is one stream.
 *
 * @example
 * ```tsx
 * const { state } = useLiveNotifications({ onChange: (change) => change.type === 'created' && toast(change.notification) })
 * const { data: unread = 0 } = useUnreadCount()
 * return <Bell count={unread} dimmed={state !== 'live'} />
 * ```
 */
export function useLiveNotifications(options: LiveHookOptions<NotificationChange> = {}): LiveStatus {
  return useLive('notifications', options)
}

/** Puts new posts of those whom one follows on top of the lists of `usePosts`, as they are posted. */
export function useLivePosts(options: LiveHookOptions<PostChange> = {}): LiveStatus {
  return useLive('posts', options)
}

/** Keeps one's own followers and their count up to date, as people begin and cease to follow. */
export function useLiveRelations(options: LiveHookOptions<RelationChange> = {}): LiveStatus {
  return useLive('relations', options)
}

function useLive<One extends Topic>(topic: One, { onChange, enabled = true }: LiveHookOptions<Changes[One]>): LiveStatus {
  const { live } = useShared()
  const { userId } = useSession()
  const stream = enabled && userId !== null ? live(topic, userId) : undefined
  const latest = useRef(onChange)
  useEffect(() => {
    latest.current = onChange // without opening the stream anew for each new function
  })
  useEffect(() => stream?.listen((change) => latest.current?.(change)), [stream])
  return useSyncExternalStore(
    stream?.onStatus ?? never,
    () => stream?.status() ?? closed,
    () => closed,
  )
}

function never(): () => void {
  return () => {}
}
