import { sql } from 'kysely'
import { batchQuery } from '../../batch-query.ts'
import type { TextSearch, TextSearchMode } from '../../ports/database.ts'
import { query } from '../../query.ts'
import type { Db } from '../../schema.ts'

// Users, the newest first. Ids count up in the order of registration, so the primary key is the index of every list.

const listed = ['id', 'username', 'email', 'fullName', 'role', 'createdAt', 'suspendedAt', 'suspendedUntil', 'suspendedReason'] as const
/** As migration 0001 and 0011 made them. */
const names = { name: 'userSearch', table: 'user', columns: ['usernameFolded', 'fullNameFolded'] }
const emails = { name: 'userEmailSearch', table: 'user', columns: ['emailFolded'] }
const both = { name: '', table: 'user', columns: [...names.columns, ...emails.columns] }

const users = (db: Db) => db.selectFrom('user').where('deletedAt', 'is', null)

export const selectUsers = query<{ before: number; limit: number }>()((db: Db, { before, limit }) =>
  users(db).where('id', '<', before).orderBy('id', 'desc').limit(limit).select(listed),
)

/** Some of the users with these ids, in no order. */
export const selectUsersByIds = batchQuery<number>()((db: Db, ids) => users(db).where('id', 'in', ids).select(listed))

/** Ids of users below `before` whose username, full name or address contains the text, the highest first. Each of the two indexes is asked for a page. */
export function createIndexedSearch(textSearch: TextSearch) {
  return query<{ before: number; limit: number; pattern: string }>()((db: Db, { before, limit, pattern }) => {
    const page = (index: typeof names) =>
      sql`select id from (select id from (${textSearch.matchingIds('indexed', index, { pattern, after: 0, upTo: before })}) as matching where id < ${before} order by id desc limit ${limit}) as page`
    return db
      .selectFrom(sql<{ id: number }>`(${page(names)} union ${page(emails)})`.as<'found'>('found'))
      .orderBy('id', 'desc')
      .limit(limit)
      .select('id')
  })
}

/** The same for a text too short for an index, among ids in a range. */
export function createScan(textSearch: TextSearch) {
  return query<{ after: number; upTo: number; limit: number; pattern: string }>()((db: Db, { after, upTo, limit, pattern }) =>
    db
      .selectFrom(sql<{ id: number }>`(${textSearch.matchingIds('scan', both, { pattern, after, upTo })})`.as<'found'>('found'))
      .orderBy('id', 'desc')
      .limit(limit)
      .select('id'),
  )
}

/** Users of a kind that are few, each with an index of its own; with a text, those whose row contains it. */
export function createFew(textSearch: TextSearch, kind: 'staff' | 'suspended', mode?: TextSearchMode) {
  return query<{ before: number; limit: number; now: string; pattern: string }>()((db: Db, { before, limit, now, pattern }) => {
    let few = db.selectFrom('user as account').where('account.deletedAt', 'is', null).where('account.id', '<', before)
    // @NOTE the words themselves and not parameters: only so are the partial indexes found.
    if (kind === 'staff') few = few.where('account.role', '<>', sql.lit<'user'>('user'))
    else {
      few = few
        .where('account.suspendedAt', 'is not', null)
        .where((eb) => eb.or([eb('account.suspendedUntil', 'is', null), eb('account.suspendedUntil', '>', now)]))
    }
    if (mode) {
      const own = { pattern, after: sql`account.id - 1`, upTo: sql`account.id` }
      few = few.where(sql<boolean>`exists (${textSearch.matchingIds('scan', both, own)})`)
    }
    return few
      .orderBy('account.id', 'desc')
      .limit(limit)
      .select(listed.map((column) => `account.${column}` as const))
  })
}

export const selectUserDetail = query<{ id: number }>()((db: Db, { id }) =>
  users(db)
    .where('id', '=', id)
    .select([...listed, 'bio', 'avatarUrl', 'updatedAt', 'postCount', 'followerCount', 'followeeCount', 'notificationCount', 'unreadCount'])
    .select((eb) =>
      eb
        .selectFrom('removedPost')
        .whereRef('removedPost.authorId', '=', 'user.id')
        .select(eb.fn.countAll<number>().as('count'))
        .as('removedPosts'),
    ),
)

export const selectSessionOwner = query<{ sessionId: string }>()((db: Db, { sessionId }) =>
  db.selectFrom('session').where('id', '=', sessionId).select('userId'),
)

export const selectLastUserId = query<Record<never, never>>()((db: Db) => db.selectFrom('user').select((eb) => eb.fn.max('id').as('id')))

// Posts.

/** What a search for a text looks at: the newest first, below a place. */
export const selectPostTexts = query<{ createdAt: string; id: number; limit: number }>()((db: Db, { createdAt, id, limit }) =>
  db
    .selectFrom('post')
    .where((eb) => eb(eb.refTuple('createdAt', 'id'), '<', eb.tuple(createdAt, id)))
    .orderBy('createdAt', 'desc')
    .orderBy('id', 'desc')
    .limit(limit)
    .select(['id', 'authorId', 'createdAt', 'title', 'content']),
)

export const selectPostTextsOf = query<{ authorId: number; createdAt: string; id: number; limit: number }>()(
  (db: Db, { authorId, createdAt, id, limit }) =>
    db
      .selectFrom('post')
      .where('authorId', '=', authorId)
      .where((eb) => eb(eb.refTuple('createdAt', 'id'), '<', eb.tuple(createdAt, id)))
      .orderBy('createdAt', 'desc')
      .orderBy('id', 'desc')
      .limit(limit)
      .select(['id', 'authorId', 'createdAt', 'title', 'content']),
)

export const selectRemovedPosts = query<{ before: number; limit: number }>()((db: Db, { before, limit }) =>
  db.selectFrom('removedPost').where('id', '<', before).orderBy('id', 'desc').limit(limit).selectAll(),
)

export const selectRemovedPostsOf = query<{ authorId: number; before: number; limit: number }>()((db: Db, { authorId, before, limit }) =>
  db.selectFrom('removedPost').where('authorId', '=', authorId).where('id', '<', before).orderBy('id', 'desc').limit(limit).selectAll(),
)

export const selectRemovedPost = query<{ id: number }>()((db: Db, { id }) => db.selectFrom('removedPost').where('id', '=', id).selectAll())
