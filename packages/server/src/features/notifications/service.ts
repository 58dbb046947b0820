import { setImmediate as othersTurn } from 'node:timers/promises'
import { accountErrors } from '../../core/account.ts'
import { inputErrors } from '../../core/input.ts'
import { toPage, type Page } from '../../core/page.ts'
import { isoTime } from '../../core/time.ts'
import type { Viewer } from '../../core/viewer.ts'
import type { RateLimit, RateLimiter } from '../../ports/rate-limiter.ts'
import type { Db, Tx } from '../../schema.ts'
import type { PurgeStep } from '../users/purge.ts'
import { followNotifications } from './consumer.ts'
import { createDelivery, type DeliveryDeps } from './delivery.ts'
import { isNotificationType, notificationErrors, typeLimits, type NewNotification, type Notification } from './notifications.ts'
import { canonicalJson, payloadBytesMax, readCanonicalJson } from './payload.ts'
import {
  deleteRemains,
  markRead,
  selectBySource,
  selectCounts,
  selectFeed,
  selectNewestUnread,
  selectNotification,
  selectNotifications,
  selectUnread,
  type NotificationRow,
} from './store.ts'

/** Clients send to whom they like (REST-V1 0.7): two a second is a lively chat, and no flood. */
const sendLimit: RateLimit = { name: 'send_notification', max: 120, windowMs: 60_000 }
/** Notifications that one transaction of `readAll` changes: a few milliseconds. */
const readBatchMax = 100

export interface NotificationsDeps extends DeliveryDeps {
  limiter: RateLimiter
  settings: { sendByUsers: boolean }
}

export type Notifications = ReturnType<typeof createNotifications>
/** Where a page begins: after so many notifications, or after the one with this id. */
export type FeedStart = { offset: number } | { cursor: number | undefined }

/** What users are told, each by a feed of their own. Rejects with `notifications.*`, `users.not_found`, `input.invalid`, `limit.exceeded`. */
export function createNotifications(deps: NotificationsDeps) {
  const { database, clock, emit, limiter, settings } = deps
  const { db, dialect } = database
  const delivery = createDelivery(deps)

  /** Undefined when there is none; rejects when it is somebody else's. */
  async function find(from: Db, viewer: Viewer, id: number): Promise<NotificationRow | undefined> {
    const row = await selectNotification.first(from, { id })
    if (row && row.userId !== viewer.id) throw notificationErrors.access_denied()
    return row
  }

  async function countsOf(viewer: Viewer): Promise<{ total: number; unread: number }> {
    return (await selectCounts.first(db, { userId: viewer.id })) ?? { total: 0, unread: 0 } // deleted since the token was looked at
  }

  /** Reads up to `readBatchMax` of those that came before `upTo`, and returns how many. */
  function readSome(userId: number, upTo: number): Promise<number> {
    return database.transaction(async (tx) => {
      await dialect.lockRows(tx, 'user', [userId])
      const unread = await selectUnread.all(tx, { userId, upTo, limit: readBatchMax })
      await markRead(tx, userId, { ids: unread.map(({ id }) => id), readAt: isoTime(clock.nowMs()) })
      for (const { id, type } of unread) {
        await emit(tx, { type: 'notification_read', key: userId, payload: { notification_id: id, user_id: userId, type } })
      }
      return unread.length
    })
  }

  /** @NOTE no events: nobody is left to hear of them. */
  const purgeOf: PurgeStep = (tx, userId, rowsMax) => deleteRemains.run(tx, { userId, limit: rowsMax })

  return {
    /** `notifications.sending_disabled` where the configuration says so, but for admins. */
    async send(viewer: Viewer, { userId, type, payload }: NewNotification): Promise<{ id: number }> {
      const text = payload === undefined ? null : canonicalJson(payload)
      if (!isNotificationType(type)) throw refused('type', `${typeLimits.min} to ${typeLimits.max} characters`)
      if (text === undefined) throw refused('payload', `JSON of up to ${payloadBytesMax} bytes, without a NUL and not too deep`)
      if (!settings.sendByUsers && viewer.role !== 'admin') throw notificationErrors.sending_disabled()
      await limiter.consume(sendLimit, `user ${viewer.id}`)
      const id = await database.transaction(async (tx) => {
        await dialect.lockRows(tx, 'user', [userId])
        if (!(await selectCounts.first(tx, { userId }))) throw accountErrors.not_found()
        return delivery.add(tx, { userId, type, origin: 'user', senderId: viewer.id, payload: text, sourceKey: null })
      })
      return { id: id! } // only a source can be taken
    },

    /** The viewer's, newest first, with the exact total. A page past the end is empty. */
    async feed(viewer: Viewer, { start, limit }: { start: FeedStart; limit: number }): Promise<Page<Notification> & { total: number }> {
      const { total } = await countsOf(viewer)
      const [offset, before] = 'offset' in start ? [start.offset, undefined] : [0, start.cursor]
      if (offset >= total) return { items: [], total, nextCursor: null }
      const range = { userId: viewer.id, offset, before: before ?? Number.MAX_SAFE_INTEGER, limit: limit + 1 } // one more proves that a next page exists
      const rows = await selectFeed.all(db, range)
      const { items, nextCursor } = toPage(rows, limit)
      return { items: items.map(toNotification), total, nextCursor }
    },

    async unreadCount(viewer: Viewer): Promise<{ count: number }> {
      return { count: (await countsOf(viewer)).unread }
    },

    async byId(viewer: Viewer, id: number): Promise<Notification> {
      const row = await find(db, viewer, id)
      if (!row) throw notificationErrors.not_found()
      return toNotification(row)
    },

    /** Those that are there, in no order, whosever they are: for whoever has heard of them by their ids, and knows whom he tells. */
    async byIds(ids: readonly number[]): Promise<Notification[]> {
      return (await selectNotifications.all(db, ids, {})).map(toNotification)
    },

    /** Idempotent: reading it again changes nothing. */
    async read(viewer: Viewer, id: number): Promise<{ changed: boolean }> {
      return database.transaction(async (tx) => {
        await dialect.lockRows(tx, 'user', [viewer.id])
        const row = await find(tx, viewer, id)
        if (!row) throw notificationErrors.not_found()
        if (row.readAt !== null) return { changed: false }
        await markRead(tx, viewer.id, { ids: [id], readAt: isoTime(clock.nowMs()) })
        const payload = { notification_id: id, user_id: viewer.id, type: row.type }
        await emit(tx, { type: 'notification_read', key: viewer.id, payload })
        return { changed: true }
      })
    },

    /** All that were there when it was called. In batches: others have their turn in between. */
    async readAll(viewer: Viewer): Promise<{ changed: number }> {
      const newest = await selectNewestUnread.first(db, { userId: viewer.id })
      let changed = 0
      if (!newest) return { changed }
      for (;;) {
        const batch = await readSome(viewer.id, newest.id)
        changed += batch
        if (batch < readBatchMax) return { changed }
        await othersTurn()
      }
    },

    /** Idempotent: what is not there is removed. */
    async remove(viewer: Viewer, id: number): Promise<{ removed: boolean }> {
      return database.transaction(async (tx) => {
        await dialect.lockRows(tx, 'user', [viewer.id])
        const row = await find(tx, viewer, id)
        if (row) await delivery.remove(tx, row)
        return { removed: row !== undefined }
      })
    },

    /**
     * For the server's own features: tells a user of something in the transaction that made it so. Undefined when an unread one tells
     * of `sourceKey` already, and for an account that is gone.
     */
    async report(
      tx: Tx,
      { userId, type, payload, sourceKey }: NewNotification & { sourceKey: string | null },
    ): Promise<number | undefined> {
      const text = payload === undefined ? null : canonicalJson(payload)
      if (!isNotificationType(type)) throw refused('type', `${typeLimits.min} to ${typeLimits.max} characters`)
      if (text === undefined) throw refused('payload', `JSON of up to ${payloadBytesMax} bytes, without a NUL and not too deep`)
      await dialect.lockRows(tx, 'user', [userId])
      if (!(await selectCounts.first(tx, { userId }))) return undefined
      return delivery.add(tx, { userId, type, origin: 'system', senderId: null, payload: text, sourceKey })
    },

    /** Takes away the unread one that tells of `sourceKey`. */
    async withdraw(tx: Tx, sourceKey: string): Promise<boolean> {
      const told = await selectBySource.first(tx, { sourceKey })
      if (!told) return false
      await dialect.lockRows(tx, 'user', [told.userId])
      const unread = await selectBySource.first(tx, { sourceKey }) // somebody may have read or removed it before the lock
      if (unread) await delivery.remove(tx, unread)
      return unread !== undefined
    },

    purgeOf,
    consumers: [followNotifications({ dialect, delivery })],
  }
}

function toNotification({ payload, ...row }: NotificationRow): Notification {
  return payload === null ? row : { ...row, payload: readCanonicalJson(payload) }
}

function refused(path: string, expected: string) {
  return inputErrors.invalid({ issues: [{ path, message: `Expected ${expected}` }] })
}
