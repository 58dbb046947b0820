import type { Consumer } from '../../outbox/consumers.ts'
import type { Dialect } from '../../ports/database.ts'
import type { Delivery } from './delivery.ts'
import { followSource } from './notifications.ts'
import { canonicalJson } from './payload.ts'
import { selectBySource, selectFollow } from './store.ts'

/**
 * Tells a user of a new follower, and no longer of one who has gone before it was read. A follow that is over by the time its
 * event comes makes no notification: what the followee would see of it is an unread line that tells of nothing.
 */
export function followNotifications({
  dialect,
  delivery,
}: {
  dialect: Dialect
  delivery: Delivery
}): Consumer<'follow_created' | 'follow_deleted'> {
  return {
    name: 'follow-notifications',
    types: ['follow_created', 'follow_deleted'],
    prepare: (tx, events) => dialect.lockRows(tx, 'user', [...new Set(events.map(({ key }) => key))]),

    async handle(tx, { type, payload }) {
      const { follower_id: followerId, followee_id: followeeId, timestamptz } = payload
      if (![followerId, followeeId].every((id) => Number.isSafeInteger(id) && id > 0))
        throw new Error(`not the ids of a follow: ${followerId}, ${followeeId}`)
      const sourceKey = followSource(followerId, followeeId)
      if (type === 'follow_deleted') {
        const unread = await selectBySource.first(tx, { sourceKey })
        if (unread) await delivery.remove(tx, unread)
        return
      }
      if (!(await selectFollow.first(tx, { followerId, followeeId, createdAt: timestamptz }))) return
      await delivery.add(tx, { userId: followeeId, type, origin: 'system', senderId: null, payload: canonicalJson(payload)!, sourceKey })
    },
  }
}
