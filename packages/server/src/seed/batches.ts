import { isoTime } from '../core/time.ts'
import { followSource } from '../features/notifications/notifications.ts'
import { canonicalJson } from '../features/notifications/payload.ts'
import { shardOf } from '../features/posts/posts.ts'
import type { Database } from '../ports/database.ts'
import type { Tables, Tx } from '../schema.ts'
import type { FollowPlan } from './follow-plan.ts'
import type { PostPlan, UserPlan } from './plan.ts'
import {
  addFollowCounts,
  addPostCounts,
  addToTotal,
  insertCredentials,
  insertFollows,
  insertMedia,
  insertNotifications,
  insertPosts,
  insertTagLinks,
  insertTags,
  insertUsers,
  selectLiving,
  selectTagIds,
} from './store.ts'

// What one transaction writes. Each returns how many rows it has added; counters are not rows.

type Timed<Row> = Row & { atMs: number }

export async function writeUsers(tx: Tx, users: readonly Timed<UserPlan>[], { passwordHash }: { passwordHash: string }): Promise<number> {
  const rows = users.map(({ atMs, ...user }) => ({ ...user, createdAt: isoTime(atMs), updatedAt: isoTime(atMs) }))
  const made = await insertUsers(tx, rows)
  await insertCredentials(
    tx,
    made.map(({ id, createdAt }) => ({ userId: id, passwordHash, changedAt: createdAt })),
  )
  return 2 * made.length
}

/** Returns the ids of all `names` by name. */
export async function writeTags(tx: Tx, names: readonly string[]): Promise<{ rows: number; tagIds: Map<string, number> }> {
  const there = new Set((await selectTagIds.all(tx, names, {})).map(({ name }) => name))
  const missing = names.filter((name) => !there.has(name)) // @NOTE on Postgres an insert that does nothing uses up an id
  await insertTags(
    tx,
    missing.map((name) => ({ name })),
  )
  const tagIds = new Map((await selectTagIds.all(tx, names, {})).map(({ id, name }) => [name, id]))
  return { rows: missing.length, tagIds }
}

interface People {
  dialect: Database<Tables>['dialect']
  /** The id of each user of the seed by number; undefined where the account has been deleted. */
  userIds: readonly (number | undefined)[]
}

/** Holds the rows of all of them until the commit, and leaves out who has been deleted meanwhile. */
async function holdUsers(tx: Tx, users: Iterable<number>, { dialect, userIds }: People): Promise<(user: number) => number | undefined> {
  const ids = [...new Set(users)].map((user) => userIds[user]).filter((id) => id !== undefined)
  await dialect.lockRows(tx, 'user', ids)
  const living = new Set((await selectLiving.all(tx, ids, {})).map(({ id }) => id))
  return (user) => {
    const id = userIds[user]
    return id !== undefined && living.has(id) ? id : undefined
  }
}

export async function writePosts(
  tx: Tx,
  posts: readonly Timed<PostPlan>[],
  { tagIds, ...people }: People & { tagIds: ReadonlyMap<string, number> },
): Promise<number> {
  const idOf = await holdUsers(
    tx,
    posts.map(({ author }) => author),
    people,
  )
  const written = posts
    .map((post) => ({ ...post, authorId: idOf(post.author), createdAt: isoTime(post.atMs) }))
    .filter((post) => post.authorId !== undefined) as (PostPlan & { authorId: number; createdAt: string })[]
  const made = await insertPosts(
    tx,
    written.map(({ authorId, title, content, createdAt }) => ({ authorId, title, content, createdAt, updatedAt: createdAt })),
  )
  const idAt = new Map(made.map(({ id, createdAt }) => [createdAt, id])) // no two have the same time
  const media = written.flatMap((post) => post.media.map((one) => ({ postId: idAt.get(post.createdAt)!, ...one })))
  const links = written.flatMap(({ createdAt, tags }) =>
    tags.map((name) => ({ postId: idAt.get(createdAt)!, tagId: tagIds.get(name)!, createdAt })),
  )
  await insertMedia(tx, media)
  await insertTagLinks(tx, links)

  const byAuthor = counted(written.map(({ authorId }) => authorId))
  await addPostCounts(
    tx,
    byAuthor.map(([id, count]) => ({ id, posts: count })),
  )
  const byShard = counted(written.map(({ authorId }) => shardOf(authorId)))
  await addToTotal(
    tx,
    byShard.map(([shard, count]) => ({ shard, posts: count })),
  )
  return made.length + media.length + links.length
}

/** Follows, and what the followees have been told of them. */
export async function writeFollows(
  tx: Tx,
  follows: readonly Timed<FollowPlan>[],
  { untilMs, ...people }: People & { untilMs: number },
): Promise<number> {
  const idOf = await holdUsers(
    tx,
    follows.flatMap(({ follower, followee }) => [follower, followee]),
    people,
  )
  const rows = follows.flatMap(({ follower, followee, atMs, readAfterMs }) => {
    const [followerId, followeeId] = [idOf(follower), idOf(followee)]
    const readAt = readAfterMs === null ? null : isoTime(Math.min(atMs + readAfterMs, untilMs))
    return followerId === undefined || followeeId === undefined ? [] : [{ followerId, followeeId, createdAt: isoTime(atMs), readAt }]
  })
  const made = await insertFollows(
    tx,
    rows.map(({ followerId, followeeId, createdAt }) => ({ followerId, followeeId, createdAt })),
  )
  const isMade = new Set(made.map(({ followerId, followeeId }) => followSource(followerId, followeeId)))
  const told = await insertNotifications(
    tx,
    rows
      .map((row) => ({ ...row, source: followSource(row.followerId, row.followeeId) }))
      .filter(({ source }) => isMade.has(source))
      .map(({ followerId, followeeId, createdAt, readAt, source }) => ({
        userId: followeeId,
        type: 'follow_created',
        origin: 'system' as const,
        payload: canonicalJson({ follower_id: followerId, followee_id: followeeId, timestamptz: createdAt })!,
        sourceKey: readAt === null ? source : null,
        createdAt,
        readAt,
      })),
  )

  const counts = new Map<number, { id: number; followers: number; followees: number; notifications: number; unread: number }>()
  const countsOf = (id: number) => {
    const known = counts.get(id)
    if (known) return known
    const none = { id, followers: 0, followees: 0, notifications: 0, unread: 0 }
    counts.set(id, none)
    return none
  }
  for (const { followerId, followeeId } of made) {
    countsOf(followerId).followees++
    countsOf(followeeId).followers++
  }
  for (const { userId, readAt } of told) {
    countsOf(userId).notifications++
    if (readAt === null) countsOf(userId).unread++
  }
  await addFollowCounts(tx, [...counts.values()])
  return made.length + told.length
}

/** By ascending number: whatever is locked is locked in this order. */
export function counted(numbers: readonly number[]): [number: number, count: number][] {
  const counts = new Map<number, number>()
  for (const number of numbers) counts.set(number, (counts.get(number) ?? 0) + 1)
  return [...counts].toSorted(([one], [other]) => one - other)
}
