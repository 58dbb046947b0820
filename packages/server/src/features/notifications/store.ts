import { batchQuery } from '../../batch-query.ts'
import { query } from '../../query.ts'
import type { Db, Tx } from '../../schema.ts'
import type { NotificationOrigin } from './notifications.ts'

export interface NotificationRow {
  id: number
  userId: number
  type: string
  origin: NotificationOrigin
  senderId: number | null
  payload: string | null
  createdAt: string
  readAt: string | null
}

const columns = ['id', 'userId', 'type', 'origin', 'senderId', 'payload', 'createdAt', 'readAt'] as const

// Writing. Who writes a notification holds the row of its recipient, by lockRows: counters stand in it, and it comes first.

export type NewRow = Omit<NotificationRow, 'id' | 'readAt'> & { sourceKey: string | null }

/** Returns the id; undefined when an unread notification with this `sourceKey` is there already. */
export async function insertNotification(tx: Tx, row: NewRow): Promise<number | undefined> {
  const { userId, type, origin, senderId, payload, sourceKey, createdAt } = row
  const inserted = await insertRow.first(tx, { userId, type, origin, senderId, payload, sourceKey, createdAt })
  if (inserted) await addToCounts.run(tx, { userId, all: 1, unread: 1 })
  return inserted?.id
}

const insertRow = query<{
  userId: number
  type: string
  origin: NotificationOrigin
  senderId: number | null
  payload: string | null
  sourceKey: string | null
  createdAt: string
}>()((tx: Tx, { userId, type, origin, senderId, payload, sourceKey, createdAt }) =>
  tx
    .insertInto('notification')
    .values({ userId, type, origin, senderId, payload, sourceKey, createdAt, readAt: null })
    .onConflict((conflict) => conflict.column('sourceKey').where('sourceKey', 'is not', null).doNothing())
    .returning('id'),
)

/** Of those that are unread. Their source may be told of again from now on. */
export async function markRead(tx: Tx, userId: number, { ids, readAt }: { ids: readonly number[]; readAt: string }): Promise<void> {
  const changed = await setRead.run(tx, ids, { readAt })
  await addToCounts.run(tx, { userId, all: 0, unread: -changed })
}

const setRead = batchQuery<number, { readAt: string }>()((tx: Tx, ids, { readAt }) =>
  tx.updateTable('notification').where('id', 'in', ids).where('readAt', 'is', null).set({ readAt, sourceKey: null }),
)

export async function deleteNotification(tx: Tx, { id, userId, readAt }: Pick<NotificationRow, 'id' | 'userId' | 'readAt'>): Promise<void> {
  await deleteRow.run(tx, { id })
  await addToCounts.run(tx, { userId, all: -1, unread: readAt === null ? -1 : 0 })
}

const deleteRow = query<{ id: number }>()((tx: Tx, { id }) => tx.deleteFrom('notification').where('id', '=', id))

const addToCounts = query<{ userId: number; all: number; unread: number }>()((tx: Tx, { userId, all, unread }) =>
  tx
    .updateTable('user')
    .where('id', '=', userId)
    .set((eb) => ({ notificationCount: eb('notificationCount', '+', all), unreadCount: eb('unreadCount', '+', unread) })),
)

/** Up to `limit` rows of a deleted user. Their own totals go with the account. */
export const deleteRemains = query<{ userId: number; limit: number }>()((tx: Tx, { userId, limit }) =>
  tx
    .deleteFrom('notification')
    .where('id', 'in', (eb) => eb.selectFrom('notification').where('userId', '=', userId).orderBy('id').limit(limit).select('id')),
)

// Reading.

export const selectNotification = query<{ id: number }>()((db: Db, { id }) =>
  db.selectFrom('notification').where('id', '=', id).select(columns),
)

/** In no order. */
export const selectNotifications = batchQuery<number>()((db: Db, ids) =>
  db.selectFrom('notification').where('id', 'in', ids).select(columns),
)

/** The unread one that tells of `sourceKey`. */
export const selectBySource = query<{ sourceKey: string }>()((db: Db, { sourceKey }) =>
  db.selectFrom('notification').where('sourceKey', '=', sourceKey).select(columns),
)

/** Newest first: of those with an id below `before`, `limit` of them after the first `offset`. */
export const selectFeed = query<{ userId: number; before: number; offset: number; limit: number }>()(
  (db: Db, { userId, before, offset, limit }) =>
    db
      .selectFrom('notification')
      .where('userId', '=', userId)
      .where('id', '<', before)
      .orderBy('id', 'desc')
      .limit(limit)
      .offset(offset)
      .select(columns),
)

/** Oldest first, up to the id `upTo`. */
export const selectUnread = query<{ userId: number; upTo: number; limit: number }>()((db: Db, { userId, upTo, limit }) =>
  db
    .selectFrom('notification')
    .where('userId', '=', userId)
    .where('readAt', 'is', null)
    .where('id', '<=', upTo)
    .orderBy('id')
    .limit(limit)
    .select(['id', 'type']),
)

export const selectNewestUnread = query<{ userId: number }>()((db: Db, { userId }) =>
  db.selectFrom('notification').where('userId', '=', userId).where('readAt', 'is', null).orderBy('id', 'desc').limit(1).select('id'),
)

/** Nothing when there is no such user. */
export const selectCounts = query<{ userId: number }>()((db: Db, { userId }) =>
  db
    .selectFrom('user')
    .where('id', '=', userId)
    .where('deletedAt', 'is', null)
    .select(['notificationCount as total', 'unreadCount as unread']),
)

/** Whether the follow that an event tells of is still there, and so is whom it concerns. */
export const selectFollow = query<{ followerId: number; followeeId: number; createdAt: string }>()(
  (db: Db, { followerId, followeeId, createdAt }) =>
    db
      .selectFrom('follow')
      .innerJoin('user', 'user.id', 'follow.followeeId')
      .where('follow.followerId', '=', followerId)
      .where('follow.followeeId', '=', followeeId)
      .where('follow.createdAt', '=', createdAt)
      .where('user.deletedAt', 'is', null)
      .select('follow.id'),
)
