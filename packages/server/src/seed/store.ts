import { sql, type Compilable } from 'kysely'
import { batchQuery } from '../batch-query.ts'
import { query } from '../query.ts'
import type { Db, Tx } from '../schema.ts'

export type Value = string | number | null

/** Rows of one statement. More make it no faster: the time goes into the rows. */
const rowsPerStatement = 100

/**
 * A statement with as many rows as there are, 100 at most at once. Unlike `batchQuery` it does not fill up what is shorter: each
 * row counts. So there is one statement for each of the lengths that come up, which are few: all but the last of a list have 100.
 */
export function rowsQuery<Row extends Record<string, Value>>(columns: readonly (keyof Row & string)[]) {
  return <Out>(build: (tx: Tx, rows: Row[]) => Compilable<Out>) => {
    const statements: ReturnType<typeof statementOf>[] = []
    const statementOf = (count: number) =>
      query<Record<string, Value>>()((tx: Tx, values) =>
        build(
          tx,
          Array.from(
            { length: count },
            (_, index) => Object.fromEntries(columns.map((column) => [column, values[`${column}${index}`]])) as Row,
          ),
        ),
      )
    return async (tx: Tx, rows: readonly Row[]): Promise<Out[]> => {
      const out: Out[] = []
      for (let from = 0; from < rows.length; from += rowsPerStatement) {
        const part = rows.slice(from, from + rowsPerStatement)
        const values: Record<string, Value> = {}
        for (const [index, row] of part.entries()) for (const column of columns) values[`${column}${index}`] = row[column]!
        const statement = (statements[part.length] ??= statementOf(part.length))
        for (const row of await statement.all(tx, values)) out.push(row)
      }
      return out
    }
  }
}

// Rows. What a running server has put in the way (a name that is taken, a follow that is there) is left as it is, and not counted.

type NewUser = {
  username: string
  usernameFolded: string
  email: string
  emailFolded: string
  fullName: string
  fullNameFolded: string
  bio: string | null
  avatarUrl: string | null
  createdAt: string
  updatedAt: string
}
export const insertUsers = rowsQuery<NewUser>([
  'username',
  'usernameFolded',
  'email',
  'emailFolded',
  'fullName',
  'fullNameFolded',
  'bio',
  'avatarUrl',
  'createdAt',
  'updatedAt',
])((tx, rows) =>
  tx
    .insertInto('user')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning(['id', 'createdAt']),
)

export const insertCredentials = rowsQuery<{ userId: number; passwordHash: string; changedAt: string }>([
  'userId',
  'passwordHash',
  'changedAt',
])((tx, rows) => tx.insertInto('credential').values(rows))

type NewPost = { authorId: number; title: string; content: string; createdAt: string; updatedAt: string }
export const insertPosts = rowsQuery<NewPost>(['authorId', 'title', 'content', 'createdAt', 'updatedAt'])((tx, rows) =>
  tx.insertInto('post').values(rows).returning(['id', 'createdAt']),
)

type NewMedia = { postId: number; position: number; url: string; type: 'image' | 'video' }
export const insertMedia = rowsQuery<NewMedia>(['postId', 'position', 'url', 'type'])((tx, rows) => tx.insertInto('postMedia').values(rows))

export const insertTags = rowsQuery<{ name: string }>(['name'])((tx, rows) =>
  tx
    .insertInto('tag')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing()),
)

export const insertTagLinks = rowsQuery<{ postId: number; tagId: number; createdAt: string }>(['postId', 'tagId', 'createdAt'])(
  (tx, rows) => tx.insertInto('postTag').values(rows),
)

type NewFollow = { followerId: number; followeeId: number; createdAt: string }
export const insertFollows = rowsQuery<NewFollow>(['followerId', 'followeeId', 'createdAt'])((tx, rows) =>
  tx
    .insertInto('follow')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing())
    .returning(['followerId', 'followeeId']),
)

type NewNotification = {
  userId: number
  type: string
  origin: 'system'
  payload: string
  sourceKey: string | null
  createdAt: string
  readAt: string | null
}
export const insertNotifications = rowsQuery<NewNotification>(['userId', 'type', 'origin', 'payload', 'sourceKey', 'createdAt', 'readAt'])(
  (tx, rows) =>
    tx
      .insertInto('notification')
      .values(rows.map((row) => ({ ...row, senderId: null })))
      .onConflict((conflict) => conflict.doNothing())
      .returning(['userId', 'readAt']),
)

// Counters. Whoever calls holds the rows of the users, by lockRows. Each statement adds to up to 100 rows.

export const addPostCounts = rowsQuery<{ id: number; posts: number }>(['id', 'posts'])(
  (tx, rows) =>
    raw(tx)`
    with added(id, posts) as (${listed(rows.map(({ id, posts }) => [id, posts]))})
    update "user" set "postCount" = "postCount" + added.posts from added where "user".id = added.id`,
)

export const addToTotal = rowsQuery<{ shard: number; posts: number }>(['shard', 'posts'])(
  (tx, rows) =>
    raw(tx)`
    with added(shard, posts) as (${listed(rows.map(({ shard, posts }) => [shard, posts]))})
    update "postTotal" set "count" = "count" + added.posts from added where "postTotal".shard = added.shard`,
)

type FollowCounts = { id: number; followers: number; followees: number; notifications: number; unread: number }
export const addFollowCounts = rowsQuery<FollowCounts>(['id', 'followers', 'followees', 'notifications', 'unread'])(
  (tx, rows) =>
    raw(tx)`
    with added(id, followers, followees, notifications, unread) as (${listed(
      rows.map(({ id, followers, followees, notifications, unread }) => [id, followers, followees, notifications, unread]),
    )})
    update "user" set
      "followerCount" = "followerCount" + added.followers,
      "followeeCount" = "followeeCount" + added.followees,
      "notificationCount" = "notificationCount" + added.notifications,
      "unreadCount" = "unreadCount" + added.unread
    from added where "user".id = added.id`,
)

/** @NOTE the casts say to Postgres that they are numbers. */
function listed(rows: readonly (readonly number[])[]) {
  return sql`values ${sql.join(rows.map((row) => sql`(${sql.join(row.map((value) => sql`cast(${value} as bigint)`))})`))}`
}

/** SQL as it stands, for `query`. */
export function raw<Row = never>(tx: Tx) {
  return (...template: Parameters<typeof sql>): Compilable<Row> => ({ compile: () => sql<Row>(...template).compile(tx) })
}

// What is there already.

/** Of the accounts of `domain`: the name before the `@` begins with `u`, as the seed's own do. */
export const selectSeeded = query<{ pattern: string }>()((db: Db, { pattern }) =>
  db
    .selectFrom('user')
    .where('emailFolded', '>=', 'u')
    .where('emailFolded', '<', 'v')
    .where('emailFolded', 'like', pattern)
    .select(['id', 'emailFolded', 'createdAt']),
)

/** Of these, who has not been deleted. */
export const selectLiving = batchQuery<number>()((tx: Tx, ids) =>
  tx.selectFrom('user').where('id', 'in', ids).where('deletedAt', 'is', null).select('id'),
)

export const selectTagIds = batchQuery<string>()((db: Db, names) => db.selectFrom('tag').where('name', 'in', names).select(['id', 'name']))

export const selectPasswordHash = query<{ userId: number }>()((db: Db, { userId }) =>
  db.selectFrom('credential').where('userId', '=', userId).select('passwordHash'),
)

/** The newest post by an account of the seed from before `until`; what they have written since is their own. */
export const selectNewestPost = query<{ pattern: string; until: string }>()((db: Db, { pattern, until }) =>
  db
    .selectFrom('post')
    .innerJoin('user', 'user.id', 'post.authorId')
    .where('post.createdAt', '<', until)
    .where('user.emailFolded', 'like', pattern)
    .orderBy('post.createdAt', 'desc')
    .limit(1)
    .select('post.createdAt'),
)

export const selectNewestFollow = query<{ pattern: string; until: string }>()((db: Db, { pattern, until }) =>
  db
    .selectFrom('follow')
    .innerJoin('user', 'user.id', 'follow.followerId')
    .where('follow.createdAt', '<', until)
    .where('user.emailFolded', 'like', pattern)
    .orderBy('follow.id', 'desc')
    .limit(1)
    .select('follow.createdAt'),
)

/** Accounts that no seed has made. Asks nothing of the schema but its first migration. */
export const selectOthers = query<Record<never, never>>()((db: Db) =>
  db.selectFrom('user').where('deletedAt', 'is', null).where('emailFolded', 'not like', 'u%@seed-%.example').limit(1).select('id'),
)
