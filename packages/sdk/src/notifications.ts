import type { Call } from './call.ts'
import { pagesOf, type PageOptions, type Pages } from './pages.ts'
import type { NewNotification, Notification, NotificationPage } from './procedures.ts'
import type { CallOptions } from './transport.ts'

/** One's own feed, and what is put into those of others. */
export interface Notifications {
  /**
   * Sends a notification of any type to any user, and returns its id.
   *
   * @throws `users.not_found`, `notifications.sending_disabled`, `limit.exceeded`
   */
  send(notification: NewNotification, options?: CallOptions): Promise<number>
  /**
   * One's own, the newest first.
   *
   * @example
   * ```ts
   * for await (const { type, readAt } of pinstack.notifications.feed()) console.log(readAt ? ' ' : '*', type)
   * ```
   */
  feed(options?: PageOptions): Pages<NotificationPage>
  /** How many are unread now. `live.unreadCount` goes on telling. */
  unreadCount(options?: CallOptions): Promise<number>
  /** One of one's own. @throws `notifications.not_found`, `notifications.access_denied` */
  get(id: number, options?: CallOptions): Promise<Notification>
  /** False when it was read already. @throws `notifications.not_found`, `notifications.access_denied` */
  read(id: number, options?: CallOptions): Promise<boolean>
  /** Reads all that are unread, and says how many they were. */
  readAll(options?: CallOptions): Promise<number>
  /** False when it was gone already. @throws `notifications.access_denied` */
  remove(id: number, options?: CallOptions): Promise<boolean>
}

export function createNotifications(call: Call): Notifications {
  return {
    send: async (notification, options) => (await call('notifications.send', notification, options)).id,
    feed: ({ limit, ...options } = {}) => pagesOf((cursor?: number) => call('notifications.feed', { limit, cursor }, options)),
    unreadCount: async (options) => (await call('notifications.unreadCount', undefined, options)).count,
    get: (id, options) => call('notifications.byId', { id }, options),
    read: async (id, options) => (await call('notifications.read', { id }, options)).changed,
    readAll: async (options) => (await call('notifications.readAll', undefined, options)).changed,
    remove: async (id, options) => (await call('notifications.remove', { id }, options)).removed,
  }
}
