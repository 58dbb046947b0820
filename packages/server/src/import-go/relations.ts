import { typeLimits, followSource } from '../features/notifications/notifications.ts'
import { canonicalJson, payloadBytesMax } from '../features/notifications/payload.ts'
import { isWithin } from '../core/text.ts'
import { parseRfc3339 } from '../core/time.ts'
import { addFollowCounts } from '../seed/store.ts'
import type { Ground, Work } from './ground.ts'
import { idsOf } from './posts.ts'
import { idOf, type SourceFollow, type SourceNotification } from './sources.ts'
import { selectBySource, selectFollows, selectNotifications, type FollowRow, type NotificationRow } from './store.ts'
import { skipped, type Outcome } from './tally.ts'
import { timesOf } from './users.ts'

const reasons = {
  id: 'its id is none that Pinstack has',
  taken: 'its id is another row’s here',
  self: 'a follow of oneself',
  repeated: 'the same follow is there under another id',
} as const

/** `repeated` are the follows whose pair an earlier row has. */
export function followWork(ground: Ground, repeated: ReadonlySet<string>): Work<SourceFollow> {
  return {
    async write(place, rows) {
      const { db, tx } = place
      const whyNot = await ground.holdUsers(
        place,
        rows.flatMap(({ follower_id, followee_id }) => [idOf(follower_id), idOf(followee_id)]),
      )
      const there = new Map(
        (db ? await selectFollows.all(db, idsOf(rows.map(({ id }) => id)), {}) : []).map((follow) => [follow.id, follow]),
      )
      const fresh: FollowRow[] = []
      const outcomes = rows.map((row): Outcome => {
        const [id, followerId, followeeId] = [idOf(row.id), idOf(row.follower_id), idOf(row.followee_id)]
        if (id === undefined) return skipped(row.id, reasons.id)
        const reason = whyNot(followerId) ?? whyNot(followeeId)
        if (reason) return skipped(row.id, reason)
        if (followerId === followeeId) return skipped(row.id, reasons.self)
        if (repeated.has(row.id)) return skipped(row.id, reasons.repeated)
        const known = there.get(id)
        if (known) {
          const isSame = known.followerId === followerId && known.followeeId === followeeId
          return isSame ? { id: row.id, became: 'there' } : skipped(row.id, reasons.taken)
        }
        const { createdAt, notes } = timesOf(row)
        fresh.push({ id, followerId: followerId!, followeeId: followeeId!, createdAt })
        return { id: row.id, became: 'imported', notes }
      })
      if (!tx) return outcomes
      const made = new Set((await ground.store.insertFollows(tx, fresh)).map(({ id }) => id))
      const counts = createCounts()
      for (const { id, followerId, followeeId } of fresh) {
        if (!made.has(id)) continue
        counts.of(followerId).followees++
        counts.of(followeeId).followers++
      }
      await addFollowCounts(tx, counts.all())
      return outcomes.map((outcome) =>
        outcome.became === 'imported' && !made.has(Number(outcome.id)) ? skipped(outcome.id, reasons.repeated) : outcome,
      )
    },
  }
}

/** What canonicalJson takes of an old one, which had no limit but Postgres's own. */
const payloadLimits = { bytesMax: 256 * 1024 * 1024, depthMax: 500 }

export function notificationWork(ground: Ground): Work<SourceNotification> {
  return {
    async write(place, rows) {
      const { db, tx } = place
      const whyNot = await ground.holdUsers(
        place,
        rows.map(({ user_id }) => idOf(user_id)),
      )
      const there = new Map((db ? await selectNotifications.all(db, idsOf(rows.map(({ id }) => id)), {}) : []).map((one) => [one.id, one]))
      const fresh: NotificationRow[] = []
      const outcomes = rows.map((row): Outcome => {
        const [id, userId] = [idOf(row.id), idOf(row.user_id)]
        if (id === undefined) return skipped(row.id, reasons.id)
        const reason = whyNot(userId)
        if (reason) return skipped(row.id, reason)
        const { createdAt, notes } = timesOf(row)
        const known = there.get(id)
        if (known)
          return known.userId === userId && known.createdAt === createdAt ? { id: row.id, became: 'there' } : skipped(row.id, reasons.taken)
        if (row.type === null || row.type === '') return skipped(row.id, 'it has no type')
        const value: unknown = row.payload === null ? undefined : JSON.parse(row.payload)
        const payload = value === undefined ? null : canonicalJson(value, payloadLimits)
        if (payload === undefined) return skipped(row.id, 'its payload is too deep')
        const follower = row.type === 'follow_created' ? followerOf(value, userId!) : undefined
        const readAt = row.is_read ? createdAt : null
        fresh.push({
          id,
          userId: userId!,
          type: row.type,
          origin: follower === undefined ? 'user' : 'system',
          payload,
          sourceKey: follower !== undefined && readAt === null ? followSource(follower, userId!) : null,
          createdAt,
          readAt,
        })
        if (!isWithin(row.type, typeLimits)) notes.push('type kept beyond the limit')
        if (payload !== null && Buffer.byteLength(payload) > payloadBytesMax) notes.push('payload kept beyond the limit')
        return { id: row.id, became: 'imported', notes }
      })
      if (!tx) return outcomes
      const keys = fresh.map(({ sourceKey }) => sourceKey).filter((key) => key !== null)
      const told = new Set((await selectBySource.all(tx, keys, {})).map(({ sourceKey }) => sourceKey))
      for (const row of fresh) {
        // Follows and unfollows have piled them up there. Here one of them tells of the follow, and the others are what they are: unread.
        if (told.has(row.sourceKey)) row.sourceKey = null
        else if (row.sourceKey !== null) told.add(row.sourceKey)
      }
      await ground.store.insertNotifications(tx, fresh)
      const counts = createCounts()
      for (const { userId, readAt } of fresh) {
        counts.of(userId).notifications++
        if (readAt === null) counts.of(userId).unread++
      }
      await addFollowCounts(tx, counts.all())
      return outcomes
    },
  }
}

/**
 * Who follows, when this is what the Go system itself wrote: three members, and the followee is who was told. All else a user has
 * sent. @NOTE one that a user has sent in this very form cannot be told from it: the old rows do not say who sent them.
 */
function followerOf(value: unknown, userId: number): number | undefined {
  if (typeof value !== 'object' || value === null || Object.keys(value).length !== 3) return
  const { follower_id: follower, followee_id: followee, timestamptz } = value as Record<string, unknown>
  const isFollow = followee === userId && typeof timestamptz === 'string' && parseRfc3339(timestamptz) !== undefined
  return isFollow && Number.isSafeInteger(follower) && (follower as number) > 0 ? (follower as number) : undefined
}

function createCounts() {
  const counts = new Map<number, { id: number; followers: number; followees: number; notifications: number; unread: number }>()
  return {
    of(id: number) {
      const known = counts.get(id)
      if (known) return known
      const none = { id, followers: 0, followees: 0, notifications: 0, unread: 0 }
      counts.set(id, none)
      return none
    },
    all: () => [...counts.values()],
  }
}
