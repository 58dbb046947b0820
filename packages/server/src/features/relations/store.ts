import { batchQuery } from '../../batch-query.ts'
import { query } from '../../query.ts'
import type { Db, Tx } from '../../schema.ts'
import type { Follow } from './relations.ts'

type Side = 'followerId' | 'followeeId'
type Pair = Pick<Follow, Side>

// Writing. Who writes a follow holds the rows of both users, by lockRows: counters stand in them, and they come before the follow's own.

/** Nothing when there is no such followee; `followerId` and `followId` are null where there is no such follower, or follow. */
export const selectPair = query<Pair>()((db: Db, { followerId, followeeId }) =>
  db
    .selectFrom('user as followee')
    .leftJoin('user as follower', (join) => join.on('follower.id', '=', followerId).on('follower.deletedAt', 'is', null))
    .leftJoin('follow', (join) => join.on('follow.followerId', '=', followerId).onRef('follow.followeeId', '=', 'followee.id'))
    .where('followee.id', '=', followeeId)
    .where('followee.deletedAt', 'is', null)
    .select(['follower.id as followerId', 'follow.id as followId']),
)

/** The pair is known not to be there, and the users' rows are held. */
export async function insertFollow(tx: Tx, follow: Follow): Promise<void> {
  await insertRow.run(tx, { followerId: follow.followerId, followeeId: follow.followeeId, createdAt: follow.createdAt })
  await addFollowees.run(tx, [follow.followerId], { step: 1 })
  await addFollowers.run(tx, [follow.followeeId], { step: 1 })
}

/** Returns false when there was nothing to delete. */
export async function deleteFollow(tx: Tx, { followerId, followeeId }: Pair): Promise<boolean> {
  if ((await deletePair.run(tx, { followerId, followeeId })) === 0) return false
  await addFollowees.run(tx, [followerId], { step: -1 })
  await addFollowers.run(tx, [followeeId], { step: -1 })
  return true
}

const insertRow = query<Pair & { createdAt: string }>()((tx: Tx, { followerId, followeeId, createdAt }) =>
  tx.insertInto('follow').values({ followerId, followeeId, createdAt }),
)

const deletePair = query<Pair>()((tx: Tx, { followerId, followeeId }) =>
  tx.deleteFrom('follow').where('followerId', '=', followerId).where('followeeId', '=', followeeId),
)

const addFollowers = batchQuery<number, { step: number }>()((tx: Tx, userIds, { step }) =>
  tx
    .updateTable('user')
    .where('id', 'in', userIds)
    .set((eb) => ({ followerCount: eb('followerCount', '+', step) })),
)

const addFollowees = batchQuery<number, { step: number }>()((tx: Tx, userIds, { step }) =>
  tx
    .updateTable('user')
    .where('id', 'in', userIds)
    .set((eb) => ({ followeeCount: eb('followeeCount', '+', step) })),
)

// Reading.

/** Nothing when there is no such user. */
export const selectCounts = query<{ userId: number }>()((db: Db, { userId }) =>
  db
    .selectFrom('user')
    .where('id', '=', userId)
    .where('deletedAt', 'is', null)
    .select(['followerCount as followers', 'followeeCount as followees']),
)

type Range = { userId: number; before: number; offset: number; limit: number }

/** Newest first: of the follows with an id below `before`, `limit` of them after the first `offset`. */
export const selectFollowers = query<Range>()((db: Db, range) => newestFirst(db, range, ['followeeId', 'followerId']))
export const selectFollowees = query<Range>()((db: Db, range) => newestFirst(db, range, ['followerId', 'followeeId']))

function newestFirst(db: Db, { userId, before, offset, limit }: Range, [self, other]: [Side, Side]) {
  return db
    .selectFrom('follow')
    .where(self, '=', userId)
    .where('id', '<', before)
    .orderBy('id', 'desc')
    .limit(limit)
    .offset(offset)
    .select(['id', `${other} as userId`, 'createdAt'])
}

/** Whom a list shows. Deleted users are left out. */
export const selectListed = batchQuery<number>()((db: Db, userIds) =>
  db.selectFrom('user').where('id', 'in', userIds).where('deletedAt', 'is', null).select(['id', 'username', 'avatarUrl']),
)

/** The follows between one user and each of up to 100 others, in both directions, by the unique index. */
export const selectBetween = batchQuery<number, { viewerId: number }>()((db: Db, userIds, { viewerId }) =>
  db
    .selectFrom('follow')
    .where('followerId', '=', viewerId)
    .where('followeeId', 'in', userIds)
    .select(['followerId', 'followeeId'])
    .unionAll(
      db.selectFrom('follow').where('followeeId', '=', viewerId).where('followerId', 'in', userIds).select(['followerId', 'followeeId']),
    ),
)

// Purge. Rows of both directions look alike, so one function serves both.

type Remains = { userId: number; limit: number }

const selectRemainsOf = (side: Side) =>
  query<Remains>()((db: Db, { userId, limit }) =>
    db.selectFrom('follow').where(side, '=', userId).orderBy('id').limit(limit).select(['id', 'followerId', 'followeeId']),
  )
const remainsAsFollower = selectRemainsOf('followerId')
const remainsAsFollowee = selectRemainsOf('followeeId')

/** Up to `limit` follows by or of a user: the ones, or when there are none left, the others. */
export async function selectRemains(db: Db, remains: Remains) {
  const asFollower = await remainsAsFollower.all(db, remains)
  return asFollower.length > 0 ? asFollower : remainsAsFollowee.all(db, remains)
}

/** Deletes follows of which `userId` is one side, and takes them out of the others' totals. Returns those that were still there. */
export async function deleteRemains(tx: Tx, userId: number, ids: readonly number[]): Promise<Pair[]> {
  const deleted = await deleteByIds.all(tx, ids, {})
  const followees = deleted.filter(({ followerId }) => followerId === userId).map(({ followeeId }) => followeeId)
  const followers = deleted.filter(({ followeeId }) => followeeId === userId).map(({ followerId }) => followerId)
  await addFollowers.run(tx, followees, { step: -1 })
  await addFollowees.run(tx, followers, { step: -1 })
  return deleted
}

const deleteByIds = batchQuery<number>()((tx: Tx, ids) =>
  tx.deleteFrom('follow').where('id', 'in', ids).returning(['followerId', 'followeeId']),
)
