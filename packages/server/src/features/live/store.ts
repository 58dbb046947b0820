import { sql } from 'kysely'
import { batchQuery } from '../../batch-query.ts'
import { query } from '../../query.ts'
import type { Db } from '../../schema.ts'

/** Posts of users whom `viewerId` follows, in the order of their events. Each followee is one look into an index of such events alone. */
export const selectPostEvents = query<{ viewerId: number; afterSeq: number; limit: number }>()((db: Db, { viewerId, afterSeq, limit }) =>
  db
    .selectFrom('follow')
    .innerJoin('outbox', 'outbox.key', 'follow.followeeId')
    .where('follow.followerId', '=', viewerId)
    .where('outbox.type', '=', sql.lit('post_created'))
    .where('outbox.seq', '>', afterSeq)
    .orderBy('outbox.seq')
    .limit(limit)
    .select(['outbox.seq', 'outbox.key', 'outbox.payload']),
)

export const selectFolloweeIds = query<{ viewerId: number; limit: number }>()((db: Db, { viewerId, limit }) =>
  db.selectFrom('follow').where('followerId', '=', viewerId).limit(limit).select('followeeId'),
)

/** Those of the authors whom `viewerId` follows. */
export const selectFollowed = batchQuery<number, { viewerId: number }>()((db: Db, authorIds, { viewerId }) =>
  db.selectFrom('follow').where('followerId', '=', viewerId).where('followeeId', 'in', authorIds).select('followeeId'),
)

export const selectUsers = batchQuery<number>()((db: Db, ids) =>
  db.selectFrom('user').where('id', 'in', ids).where('deletedAt', 'is', null).select(['id', 'username', 'fullName', 'avatarUrl']),
)

export const selectUnreadCounts = batchQuery<number>()((db: Db, userIds) =>
  db.selectFrom('user').where('id', 'in', userIds).where('deletedAt', 'is', null).select(['id', 'unreadCount']),
)
