import { isoTime } from '../../core/time.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import type { NotificationOrigin } from './notifications.ts'
import { deleteNotification, insertNotification, type NewRow, type NotificationRow } from './store.ts'

export interface DeliveryDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  record?: { notification(origin: NotificationOrigin): void }
}

export type Delivery = ReturnType<typeof createDelivery>

/** Puts a notification into a feed and takes it out again: row, counters, event. The transaction holds the recipient's row. */
export function createDelivery({ database, clock, emit, record }: DeliveryDeps) {
  return {
    /** Returns the id; undefined when an unread one tells of the same source already. */
    async add(tx: Tx, row: Omit<NewRow, 'createdAt'>): Promise<number | undefined> {
      const { userId, type, origin } = row
      const id = await insertNotification(tx, { ...row, createdAt: isoTime(clock.nowMs()) })
      if (id === undefined) return
      await emit(tx, { type: 'notification_created', key: userId, payload: { notification_id: id, user_id: userId, type } })
      if (record) database.afterCommit(tx, () => record.notification(origin))
      return id
    },

    async remove(tx: Tx, row: NotificationRow): Promise<void> {
      const { id, userId, type } = row
      await deleteNotification(tx, row)
      await emit(tx, { type: 'notification_removed', key: userId, payload: { notification_id: id, user_id: userId, type } })
    },
  }
}
