import type { Generated } from 'kysely'
import type { NotificationOrigin } from './notifications.ts'

export interface NotificationTables {
  notification: {
    /** Counts up, so it is also the order of the feed and the page cursor. */
    id: Generated<number>
    /** Who gets it. */
    userId: number
    type: string
    origin: NotificationOrigin
    /** Who sent it, also when the account is gone. Null when the system did. */
    senderId: number | null
    /** Canonical JSON, see payload.ts. Null when there is none, which is not the same as the text `null`. */
    payload: string | null
    /** What it tells of, while it is unread: at most one such notification exists. Of what users send it is null. */
    sourceKey: string | null
    createdAt: string
    readAt: string | null
  }
  /** This feature's columns of the user row. */
  user: { notificationCount: Generated<number>; unreadCount: Generated<number> }
}
