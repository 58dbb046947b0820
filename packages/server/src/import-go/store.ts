import { sql } from 'kysely'
import { batchQuery } from '../batch-query.ts'
import type { NotificationOrigin } from '../features/notifications/notifications.ts'
import type { MediaType } from '../features/posts/posts.ts'
import type { Dialect } from '../ports/database.ts'
import { query } from '../query.ts'
import type { Db, Tx } from '../schema.ts'
import { raw, rowsQuery, type Value } from '../seed/store.ts'

// Rows with the ids that they had. What is in their way is left as it is; the ids that come back are those of the rows that went in.

export type UserRow = {
  id: number
  username: string
  usernameFolded: string
  email: string
  emailFolded: string
  fullName: string | null
  fullNameFolded: string | null
  bio: string | null
  avatarUrl: string | null
  createdAt: string
  updatedAt: string
}
export type PostRow = { id: number; authorId: number; title: string; content: string | null; createdAt: string; updatedAt: string }
export type MediaRow = { id: number; postId: number; position: number; url: string; type: MediaType }
export type TagRow = { id: number; name: string }
export type FollowRow = { id: number; followerId: number; followeeId: number; createdAt: string }
export type NotificationRow = {
  id: number
  userId: number
  type: string
  origin: NotificationOrigin
  payload: string | null
  sourceKey: string | null
  createdAt: string
  readAt: string | null
}

export type Store = ReturnType<typeof createStore>

export function createStore(dialect: Dialect) {
  function inserting<Row extends Record<string, Value>>(table: string, columns: readonly (keyof Row & string)[]) {
    return rowsQuery<Row>(columns)(
      (tx, rows) =>
        raw<{ id: number }>(tx)`
      insert into ${sql.table(table)} (${sql.join(columns.map((column) => sql.ref(column)))}) ${dialect.givenIds}
      values ${sql.join(rows.map((row) => sql`(${sql.join(columns.map((column) => sql`${row[column]}`))})`))}
      on conflict do nothing returning id`,
    )
  }
  return {
    insertUsers: inserting<UserRow>('user', [
      'id',
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
    ]),
    insertPosts: inserting<PostRow>('post', ['id', 'authorId', 'title', 'content', 'createdAt', 'updatedAt']),
    insertMedia: inserting<MediaRow>('postMedia', ['id', 'postId', 'position', 'url', 'type']),
    insertTags: inserting<TagRow>('tag', ['id', 'name']),
    insertFollows: inserting<FollowRow>('follow', ['id', 'followerId', 'followeeId', 'createdAt']),
    insertNotifications: inserting<NotificationRow>('notification', [
      'id',
      'userId',
      'type',
      'origin',
      'payload',
      'sourceKey',
      'createdAt',
      'readAt',
    ]),
  }
}

export const insertLinks = rowsQuery<{ postId: number; tagId: number; createdAt: string }>(['postId', 'tagId', 'createdAt'])((tx, rows) =>
  tx
    .insertInto('postTag')
    .values(rows)
    .onConflict((conflict) => conflict.doNothing()),
)

// What is there.

export const selectUsers = batchQuery<number>()((db: Db, ids) =>
  db.selectFrom('user').where('id', 'in', ids).select(['id', 'createdAt', 'deletedAt']),
)
export const selectByUsername = batchQuery<string>()((db: Db, folded) =>
  db.selectFrom('user').where('usernameFolded', 'in', folded).select(['id', 'usernameFolded as folded']),
)
export const selectByEmail = batchQuery<string>()((db: Db, folded) =>
  db.selectFrom('user').where('emailFolded', 'in', folded).select(['id', 'emailFolded as folded']),
)
export const selectPosts = batchQuery<number>()((db: Db, ids) =>
  db.selectFrom('post').where('id', 'in', ids).select(['id', 'authorId', 'createdAt']),
)
export const selectMedia = batchQuery<number>()((db: Db, ids) => db.selectFrom('postMedia').where('id', 'in', ids).select(['id', 'postId']))
export const selectTags = batchQuery<number>()((db: Db, ids) => db.selectFrom('tag').where('id', 'in', ids).select(['id', 'name']))
export const selectTagsByName = batchQuery<string>()((db: Db, names) =>
  db.selectFrom('tag').where('name', 'in', names).select(['id', 'name']),
)
export const selectLinks = batchQuery<number>()((db: Db, postIds) =>
  db.selectFrom('postTag').where('postId', 'in', postIds).select(['postId', 'tagId']),
)
export const selectFollows = batchQuery<number>()((db: Db, ids) =>
  db.selectFrom('follow').where('id', 'in', ids).select(['id', 'followerId', 'followeeId']),
)
export const selectNotifications = batchQuery<number>()((db: Db, ids) =>
  db.selectFrom('notification').where('id', 'in', ids).select(['id', 'userId', 'createdAt']),
)
export const selectBySource = batchQuery<string>()((db: Db, keys) =>
  db.selectFrom('notification').where('sourceKey', 'in', keys).select('sourceKey'),
)

/** Everybody, by id. */
export const selectPeople = query<{ after: number; limit: number }>()((db: Db, { after, limit }) =>
  db.selectFrom('user').where('id', '>', after).orderBy('id').limit(limit).select(['id', 'createdAt']),
)

export const selectAnySession = query<Record<never, never>>()((db: Db) => db.selectFrom('session').limit(1).select('id'))

// Tags that are there under another id keep it; new ones whose id is taken get the next.

export const insertTagAnew = query<{ name: string }>()((tx: Tx, { name }) => tx.insertInto('tag').values({ name }).returning('id'))
