import { sql, type RawBuilder, type SelectQueryBuilder } from 'kysely'
import { batchQuery } from '../../batch-query.ts'
import type { Dialect } from '../../ports/database.ts'
import { query } from '../../query.ts'
import type { Db, Tables, Tx } from '../../schema.ts'
import type { MediaType, NewMedia, Place, PostRow } from './posts.ts'
import type { PostTables } from './tables.ts'

const columns = ['id', 'authorId', 'title', 'content', 'createdAt', 'updatedAt'] as const

export const selectPost = query<{ id: number }>()((db: Db, { id }) => db.selectFrom('post').where('id', '=', id).select(columns))

// Lists. Newest first, between two places of that order; the upper one is left out, as is the time of the lower one.

export type Span = { after: string; before: string; beforeId: number }
export type ListKind = 'all' | 'author' | 'tag' | 'authorAndTag'
/** A list leaves alone what its kind does not ask for. */
type Listed = Span & { authorId: number; tag: string }

const tagIdOf = (db: Db, tag: string) => db.selectFrom('tag').where('name', '=', tag).select('id')

/** @NOTE both bounds are always there, also where nobody asked for any: without, SQLite would call the same walk a scan. */
function postPlaces(db: Db, { after, before, beforeId }: Span) {
  return db
    .selectFrom('post')
    .where('post.createdAt', '>', after)
    .where((eb) => eb(eb.refTuple('post.createdAt', 'post.id'), '<', eb.tuple(before, beforeId)))
    .orderBy('post.createdAt', 'desc')
    .orderBy('post.id', 'desc')
    .select(['post.createdAt', 'post.id'])
}

const placesOf: Record<ListKind, (db: Db, values: Listed) => SelectQueryBuilder<Tables, any, Place>> = {
  all: postPlaces,
  author: (db, values) => postPlaces(db, values).where('post.authorId', '=', values.authorId),
  tag: (db, { tag, after, before, beforeId }) =>
    db
      .selectFrom('postTag')
      .where('tagId', '=', tagIdOf(db, tag))
      .where('createdAt', '>', after)
      .where((eb) => eb(eb.refTuple('createdAt', 'postId'), '<', eb.tuple(before, beforeId)))
      .orderBy('createdAt', 'desc')
      .orderBy('postId', 'desc')
      .select(['createdAt', 'postId as id']),
  authorAndTag: (db, values) =>
    postPlaces(db, values)
      .where('post.authorId', '=', values.authorId)
      .where((eb) =>
        eb.exists(eb.selectFrom('postTag').whereRef('postId', '=', 'post.id').where('tagId', '=', tagIdOf(db, values.tag)).select('tagId')),
      ),
}

const sumOfTotal = sql<number>`cast(sum(${sql.ref('count')}) as bigint)`
/** What counts the whole list, where something does: it comes with each row of a page, and saves a query. */
const counterOf: Record<ListKind, RawBuilder<number | null>> = {
  all: sql`(select ${sumOfTotal} from ${sql.table('postTotal')})`,
  author: sql.ref('user.postCount'),
  tag: sql`null`,
  authorAndTag: sql`null`,
}

/** Whoever wrote a post comes with it: the author's row is joined, so a new name is in the very next list on every process. */
function listStatements(kind: ListKind) {
  const places = placesOf[kind]
  return {
    page: query<Listed & { limit: number; offset: number }>()((db: Db, values) =>
      db
        .selectFrom(places(db, values).limit(values.limit).offset(values.offset).as('place'))
        .innerJoin('post', 'post.id', 'place.id')
        .innerJoin('user', 'user.id', 'post.authorId')
        .orderBy('place.createdAt', 'desc')
        .orderBy('place.id', 'desc')
        .select([...postColumns, 'user.username', 'user.fullName', 'user.avatarUrl', 'user.deletedAt', counterOf[kind].as('total')]),
    ),
    /** The place after so many others. */
    place: query<Listed & { offset: number }>()((db: Db, values) => places(db, values).limit(1).offset(values.offset)),
    /** How many there are, but no more than `max`. */
    count: query<Listed & { max: number }>()((db: Db, values) =>
      db.selectFrom(places(db, values).limit(values.max).as('place')).select((eb) => eb.fn.countAll<number>().as('count')),
    ),
  }
}

const postColumns = columns.map((column) => `post.${column}` as const)

export const lists = {
  all: listStatements('all'),
  author: listStatements('author'),
  tag: listStatements('tag'),
  authorAndTag: listStatements('authorAndTag'),
} satisfies Record<ListKind, unknown>

export const selectTotal = query<Record<never, never>>()((db: Db) => db.selectFrom('postTotal').select(sumOfTotal.as('count')))

export const selectTotalOf = query<{ authorId: number }>()((db: Db, { authorId }) =>
  db.selectFrom('user').where('id', '=', authorId).select('postCount as count'),
)

// What hangs on posts. One statement brings the media and the tags of a whole page.

export const selectParts = batchQuery<number>()((db: Db, postIds) =>
  db
    .selectFrom('postMedia')
    .where('postId', 'in', postIds)
    .select(['postId', 'id', 'url as text', 'type', 'position'])
    .unionAll(
      db
        .selectFrom('postTag')
        .innerJoin('tag', 'tag.id', 'postTag.tagId')
        .where('postTag.postId', 'in', postIds)
        .select(['postTag.postId', 'tag.id', 'tag.name as text', sql<MediaType>`null`.as('type'), sql<number>`null`.as('position')]),
    )
    .$castTo<PartRow>(),
)

export type PartRow = { postId: number; id: number; text: string } & (
  | { type: MediaType; position: number }
  | { type: null; position: null }
)

// Writes.

export const insertPost = query<Omit<PostTables['post'], 'id'>>()((tx: Tx, { authorId, title, content, createdAt, updatedAt }) =>
  tx.insertInto('post').values({ authorId, title, content, createdAt, updatedAt }).returning('id'),
)

/** Writes the given columns and no others. Built each time: which they are differs. Returns nothing for a post of somebody else, or none. */
export function updatePost(
  tx: Tx,
  { id, authorId }: { id: number; authorId: number },
  changes: { title?: string; content?: string | null; updatedAt: string },
) {
  return tx.updateTable('post').set(changes).where('id', '=', id).where('authorId', '=', authorId).returning(columns).executeTakeFirst()
}

/** Media and tag links go with them, by their foreign keys. Returns those that were there. */
export const deletePosts = batchQuery<number, { authorId: number }>()((tx: Tx, ids, { authorId }) =>
  tx.deleteFrom('post').where('id', 'in', ids).where('authorId', '=', authorId).returning('id'),
)

export const deleteMedia = query<{ postId: number }>()((tx: Tx, { postId }) => tx.deleteFrom('postMedia').where('postId', '=', postId))
export const deleteTagLinks = query<{ postId: number }>()((tx: Tx, { postId }) => tx.deleteFrom('postTag').where('postId', '=', postId))

/** Together: their ids count up in the order of the list. */
export async function insertMedia(tx: Tx, postId: number, media: readonly NewMedia[]) {
  if (media.length === 0) return []
  const insert = (mediaInserts[media.length] ??= mediaInsert(media.length))
  const fields = media.flatMap(({ url, type, position }, index) => [
    [`url${index}`, url],
    [`type${index}`, type],
    [`position${index}`, position],
  ])
  return insert.all(tx, { postId, ...Object.fromEntries(fields) })
}

/** One statement for each of the few numbers of media that a post can have. */
const mediaInserts: ReturnType<typeof mediaInsert>[] = []

function mediaInsert(count: number) {
  return query<Record<string, string | number>>()((tx: Tx, values) =>
    tx
      .insertInto('postMedia')
      .values(
        Array.from({ length: count }, (_, index) => ({
          postId: values.postId as number,
          url: values[`url${index}`] as string,
          type: values[`type${index}`] as MediaType,
          position: values[`position${index}`] as number,
        })),
      )
      .returning(['id', 'url', 'type', 'position']),
  )
}

export const selectTags = batchQuery<string>()((db: Db, names) => db.selectFrom('tag').where('name', 'in', names).select(['id', 'name']))

/** Does nothing when the tag is there already. */
export const insertTag = query<{ name: string }>()((tx: Tx, { name }) =>
  tx
    .insertInto('tag')
    .values({ name })
    .onConflict((conflict) => conflict.column('name').doNothing()),
)

export const insertTagLinks = batchQuery<number, { postId: number }>()((tx: Tx, tagIds, { postId }) =>
  tx
    .insertInto('postTag')
    .columns(['postId', 'tagId', 'createdAt'])
    .expression((eb) =>
      eb
        .selectFrom(['post', 'tag'])
        .where('post.id', '=', postId)
        .where('tag.id', 'in', tagIds)
        .select(['post.id as postId', 'tag.id as tagId', 'post.createdAt']),
    ),
)

/** Puts a post back under the ids that it had. @NOTE by hand: Kysely has no place for what Postgres wants between the columns and the values. */
export async function putBackPost(tx: Tx, { givenId }: Pick<Dialect, 'givenId'>, { media, tags, ...post }: PostRow): Promise<void> {
  const { id, authorId, title, content, createdAt, updatedAt } = post
  const names = (list: readonly string[]) => sql.join(list.map((name) => sql.ref(name)))
  await sql`insert into ${sql.table('post')} (${names(columns)}) ${givenId}
    values (${id}, ${authorId}, ${title}, ${content}, ${createdAt}, ${updatedAt})`.execute(tx)
  const mediaNames = names(['id', 'postId', 'position', 'url', 'type'])
  for (const { id: mediaId, position, url, type } of media) {
    await sql`insert into ${sql.table('postMedia')} (${mediaNames}) ${givenId} values (${mediaId}, ${id}, ${position}, ${url}, ${type})`.execute(
      tx,
    )
  }
  const tagIds = tags.map((tag) => tag.id)
  await insertTagLinks.run(tx, tagIds, { postId: id })
}

// Counters: the author's row first, then the total, in every transaction.

/** Returns 0 when the author's account is gone. */
export const countNewPost = query<{ authorId: number }>()((tx: Tx, { authorId }) =>
  tx
    .updateTable('user')
    .where('id', '=', authorId)
    .where('deletedAt', 'is', null)
    .set((eb) => ({ postCount: eb('postCount', '+', 1) })),
)

export const uncountPosts = query<{ authorId: number; count: number }>()((tx: Tx, { authorId, count }) =>
  tx
    .updateTable('user')
    .where('id', '=', authorId)
    .set((eb) => ({ postCount: eb('postCount', '-', count) })),
)

export const addToTotal = query<{ shard: number; count: number }>()((tx: Tx, { shard, count }) =>
  tx
    .updateTable('postTotal')
    .where('shard', '=', shard)
    .set((eb) => ({ count: eb('count', '+', count) })),
)

/** With who wrote them, in no order. */
export const selectPostsByIds = batchQuery<number>()((db: Db, ids) =>
  db
    .selectFrom('post')
    .innerJoin('user', 'user.id', 'post.authorId')
    .where('post.id', 'in', ids)
    .select([...postColumns, 'user.username', 'user.fullName', 'user.avatarUrl', 'user.deletedAt']),
)

/** Some of an author's posts, for the purge. */
export const selectIdsOf = query<{ authorId: number; limit: number }>()((db: Db, { authorId, limit }) =>
  db.selectFrom('post').where('authorId', '=', authorId).limit(limit).select('id'),
)
