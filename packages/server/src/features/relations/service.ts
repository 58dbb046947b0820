import { accountErrors } from '../../core/account.ts'
import { toPage, type Page } from '../../core/page.ts'
import { isoTime } from '../../core/time.ts'
import { viewerErrors } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { PurgeStep } from '../users/purge.ts'
import {
  assertMayFollow,
  assertMayUnfollow,
  missingUsername,
  type Relation,
  type RelationCounts,
  type RelationStatus,
} from './relations.ts'
import {
  deleteFollow,
  deleteRemains,
  insertFollow,
  selectBetween,
  selectCounts,
  selectFollowees,
  selectFollowers,
  selectListed,
  selectPair,
  selectRemains,
} from './store.ts'

/** Users whose rows one step of a purge holds at once. They can do nothing else meanwhile. */
const purgeMax = 100

export interface RelationsDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  record?: { follow(): void }
}

export type Relations = ReturnType<typeof createRelations>
export type RelationSide = 'followers' | 'followees'
/** Where a page begins: after so many follows, or after the follow with this id. */
export type RelationStart = { offset: number } | { cursor: number | undefined }

const selectSide = { followers: selectFollowers, followees: selectFollowees }

/** Who follows whom. Rejects with `relations.*`, `users.not_found`. */
export function createRelations({ database, clock, emit, record }: RelationsDeps) {
  const { db, dialect } = database

  async function countsOf(userId: number): Promise<RelationCounts> {
    const counts = await selectCounts.first(db, { userId })
    if (!counts) throw accountErrors.not_found()
    return counts
  }

  /** The users of all rows, in one look-up. */
  async function present(rows: { id: number; userId: number; createdAt: string }[]): Promise<Relation[]> {
    const users = await selectListed.all(
      db,
      rows.map(({ userId }) => userId),
      {},
    )
    const byId = new Map(users.map((user) => [user.id, user]))
    return rows.map(({ id, userId, createdAt }) => {
      const { username = missingUsername, avatarUrl = null } = byId.get(userId) ?? {}
      return { id, userId, username, avatarUrl, createdAt }
    })
  }

  /** Removes follows of a deleted user, in both directions, and takes them out of the totals of others. */
  const purgeOf: PurgeStep = async (tx, userId, rowsMax) => {
    const found = await selectRemains(tx, { userId, limit: Math.min(rowsMax, purgeMax) })
    if (found.length === 0) return 0
    const users = new Set(found.flatMap(({ followerId, followeeId }) => [followerId, followeeId]))
    await dialect.lockRows(tx, 'user', [...users])
    const deleted = await deleteRemains(
      tx,
      userId,
      found.map(({ id }) => id),
    )
    const timestamptz = isoTime(clock.nowMs())
    for (const { followerId, followeeId } of deleted) {
      const payload = { follower_id: followerId, followee_id: followeeId, timestamptz }
      await emit(tx, { type: 'follow_deleted', key: followeeId, payload })
    }
    return found.length // those that an unfollow took meanwhile, too: only an empty page is the end
  }

  return {
    /** Idempotent: following twice leaves one follow and one event. */
    async follow(followerId: number, followeeId: number): Promise<{ created: boolean }> {
      assertMayFollow(followerId, followeeId)
      const created = await database.transaction(async (tx) => {
        await dialect.lockRows(tx, 'user', [followerId, followeeId])
        const pair = await selectPair.first(tx, { followerId, followeeId })
        if (!pair) throw accountErrors.not_found()
        if (pair.followerId === null) throw viewerErrors.unauthenticated() // deleted since the token was looked at
        if (pair.followId !== null) return false
        const createdAt = isoTime(clock.nowMs())
        await insertFollow(tx, { followerId, followeeId, createdAt })
        const payload = { follower_id: followerId, followee_id: followeeId, timestamptz: createdAt }
        await emit(tx, { type: 'follow_created', key: followeeId, payload })
        return true
      })
      if (created) record?.follow()
      return { created }
    },

    /** Idempotent, like `follow`. Whether the other one exists is not asked. */
    async unfollow(followerId: number, followeeId: number): Promise<{ removed: boolean }> {
      assertMayUnfollow(followerId, followeeId)
      return database.transaction(async (tx) => {
        await dialect.lockRows(tx, 'user', [followerId, followeeId])
        const removed = await deleteFollow(tx, { followerId, followeeId })
        const payload = { follower_id: followerId, followee_id: followeeId, timestamptz: isoTime(clock.nowMs()) }
        if (removed) await emit(tx, { type: 'follow_deleted', key: followeeId, payload })
        return { removed }
      })
    },

    /** Newest first, with the exact total. By cursor, what comes and goes meanwhile shifts no page. A page past the end is empty. */
    async list(
      side: RelationSide,
      userId: number,
      { start, limit }: { start: RelationStart; limit: number },
    ): Promise<Page<Relation> & { total: number }> {
      const total = (await countsOf(userId))[side]
      const [offset, before] = 'offset' in start ? [start.offset, undefined] : [0, start.cursor]
      if (offset >= total) return { items: [], total, nextCursor: null }
      const range = { userId, offset, before: before ?? Number.MAX_SAFE_INTEGER, limit: limit + 1 } // one more proves that a next page exists
      const rows = await selectSide[side].all(db, range)
      const { items, nextCursor } = toPage(rows, limit)
      return { items: await present(items), total, nextCursor }
    },

    counts: countsOf,

    /** In the order of `userIds`, of which there are 100 at most; for those who do not exist both are false. */
    async status(viewerId: number, userIds: readonly number[]): Promise<RelationStatus[]> {
      const follows = await selectBetween.all(db, userIds, { viewerId })
      const followees = new Set(follows.filter(({ followerId }) => followerId === viewerId).map(({ followeeId }) => followeeId))
      const followers = new Set(follows.filter(({ followeeId }) => followeeId === viewerId).map(({ followerId }) => followerId))
      return userIds.map((userId) => ({ userId, following: followees.has(userId), followedBy: followers.has(userId) }))
    },

    purgeOf,
  }
}
