import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query'
import type { PinstackError } from '../errors.ts'
import type { Notification } from '../procedures.ts'
import { useKeys, usePinstack } from './context.ts'
import { editLists, useList, useOne, type ListOptions, type ListResult, type Result } from './queries.ts'

/**
 * One's own notifications by the page, the newest first. `useLiveNotifications` keeps them up to date.
 *
 * @example
 * ```tsx
 * const { data: notifications = [], hasNextPage, fetchNextPage } = useNotifications({ limit: 20 })
 * ```
 */
export function useNotifications({ limit, enabled }: ListOptions = {}): ListResult<Notification> {
  return useList({ queryKey: useKeys().feed(limit), own: true, enabled }, (pinstack, signal) =>
    pinstack.notifications.feed({ signal, limit }),
  )
}

/** How many of one's own notifications are unread. `useLiveNotifications` keeps it up to date. */
export function useUnreadCount(): Result<number> {
  return useOne({ queryKey: useKeys().unreadCount, own: true }, (pinstack, signal) => pinstack.notifications.unreadCount({ signal }))
}

/** Marks a notification as read: at once here, and unread again should the server refuse. */
export function useReadNotification(): UseMutationResult<boolean, PinstackError, number> {
  const pinstack = usePinstack()
  return useFeedChange<boolean, number>(
    (id) => pinstack.notifications.read(id),
    (items, id) => items.map((item) => (item.id === id ? asRead(item) : item)),
  )
}

/** Marks all notifications as read. */
export function useReadAllNotifications(): UseMutationResult<number, PinstackError, void> {
  const pinstack = usePinstack()
  return useFeedChange<number, void>(
    () => pinstack.notifications.readAll(),
    (items) => items.map(asRead),
  )
}

/** Takes a notification out of the feed. */
export function useRemoveNotification(): UseMutationResult<boolean, PinstackError, number> {
  const pinstack = usePinstack()
  return useFeedChange<boolean, number>(
    (id) => pinstack.notifications.remove(id),
    (items, id) => items.filter((item) => item.id !== id),
  )
}

/** Shows a change of the feed before the server has made it, then whatever the server says, be it done or refused. */
function useFeedChange<Changed, Input>(
  send: (input: Input) => Promise<Changed>,
  edit: (items: Notification[], input: Input) => Notification[],
): UseMutationResult<Changed, PinstackError, Input> {
  const cache = useQueryClient()
  const keys = useKeys()
  return useMutation({
    mutationFn: send,
    onMutate: async (input) => {
      await cache.cancelQueries({ queryKey: keys.feeds })
      editLists<Notification>(cache, keys.feeds, (items) => edit(items, input))
    },
    onSettled: () => void cache.invalidateQueries({ queryKey: keys.notifications }),
  })
}

export function asRead(notification: Notification): Notification {
  return notification.readAt === null ? { ...notification, readAt: new Date().toISOString() } : notification
}
