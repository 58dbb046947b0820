import { openSource, SourceError, type Source } from '../adapters/go-system/postgres.ts'
import { maskDatabaseUrl, urlProblem } from '../config/values.ts'
import { isoTime } from '../core/time.ts'

// What is read of the four databases, and how. Text of every type comes as text, so that it makes no difference how a column was declared.

export const sourceNames = ['users', 'posts', 'relations', 'notifications'] as const
export type SourceName = (typeof sourceNames)[number]
export type Sources = Record<SourceName, Source>
export type SourceUrls = Record<SourceName, string>

/** In the order in which they are read: what others refer to comes first. */
export const tableNames = ['users', 'posts', 'post_media', 'tags', 'posts_tags', 'followers', 'notifications'] as const
export type TableName = (typeof tableNames)[number]

const tables: Record<TableName, { of: SourceName; columns: readonly string[] }> = {
  users: { of: 'users', columns: ['id', 'username', 'email', 'password', 'full_name', 'bio', 'avatar_url', 'created_at', 'updated_at'] },
  posts: { of: 'posts', columns: ['id', 'author_id', 'title', 'content', 'created_at', 'updated_at'] },
  post_media: { of: 'posts', columns: ['id', 'post_id', 'url', 'type', 'position'] },
  tags: { of: 'posts', columns: ['id', 'name'] },
  posts_tags: { of: 'posts', columns: ['post_id', 'tag_id'] },
  followers: { of: 'relations', columns: ['id', 'follower_id', 'followee_id', 'created_at'] },
  notifications: { of: 'notifications', columns: ['id', 'user_id', 'type', 'is_read', 'created_at', 'payload'] },
}

/** Opens all four and makes sure that they are what they should be, before anything is done. Rejects with `SourceError`. */
export async function openSources(urls: SourceUrls): Promise<Sources> {
  for (const name of sourceNames) assertUrl(name, urls[name])
  const opened: Partial<Sources> = {}
  try {
    for (const name of sourceNames) {
      const shown = `the ${name} database (--${name}), ${maskDatabaseUrl(urls[name])},`
      opened[name] = await openSource({ url: urls[name], shown: shown.replace(/,$/, '') })
    }
    for (const [table, { of, columns }] of Object.entries(tables)) await opened[of]!.assertTable(table, columns)
    return opened as Sources
  } catch (error) {
    await closeSources(opened)
    throw error
  }
}

export async function closeSources(sources: Partial<Sources>): Promise<void> {
  await Promise.all(Object.values(sources).map((source) => source.close()))
}

function assertUrl(name: SourceName, url: string): void {
  const problem = urlProblem(url, { schemes: ['postgres'], forms: 'postgres://USER:PASSWORD@HOST:PORT/DATABASE' })
  if (problem) throw new SourceError(`--${name} ${problem}.`)
}

export async function countRows(sources: Sources, table: TableName): Promise<number> {
  const [row] = await sources[tables[table].of].rows<{ count: string }>(`select count(*) as count from ${table}`)
  return Number(row!.count)
}

/** The largest id that was ever given out there, as far as it can be known: one that clients may remember. */
export async function lastId(sources: Sources, table: Exclude<TableName, 'posts_tags'>): Promise<number> {
  const [row] = await sources[tables[table].of].rows<{ last: string | null }>(
    `select greatest((select max(id) from ${table}),
       (select case when has_sequence_privilege(name, 'usage, select') then pg_sequence_last_value(name::regclass) end
        from (select pg_get_serial_sequence('${table}', 'id') as name) as own)) as last`,
  )
  const last = Number(row!.last ?? 0)
  return Number.isSafeInteger(last) && last > 0 ? last : 0
}

/** Rows of a page at most, and the bytes of text after which one ends: rows of a megabyte come a few at a time. */
const pageRowsMax = 500
const pageBytesMax = 4_000_000
const namesPerPage = 5_000
const firstKey = '-9223372036854775808'

/** Milliseconds since 1970 as text. What has no zone is taken for UTC; null for none and for the infinite ones. */
const time = (column: string) =>
  `case when isfinite(${column}) then round((extract(epoch from date_trunc('milliseconds', ${column})) * 1000)::numeric)::text end`
const size = (...columns: string[]) => columns.map((column) => `coalesce(octet_length(${column}), 0)`).join(' + ')

/** The pages of `select`, which has an `id`, a `bytes` and `$1` for the id before; by ascending id. */
async function* pages<Row extends { id: string }>(source: Source, select: string): AsyncGenerator<Row[]> {
  const sql = `select * from (select page.*, sum(bytes) over (order by id) - bytes as before from (${select} order by id limit ${pageRowsMax}) as page) as sized
    where before <= ${pageBytesMax} order by id`
  for (let after = firstKey; ; ) {
    const rows = await source.rows<Row>(sql, [after])
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)!.id
  }
}

export interface SourceUser {
  id: string
  username: string | null
  email: string | null
  password: string | null
  full_name: string | null
  bio: string | null
  avatar_url: string | null
  created: string | null
  updated: string | null
}
export const userPages = ({ users }: Sources) =>
  pages<SourceUser>(
    users,
    `select id, username::text, email::text, password::text, full_name::text, bio::text, avatar_url::text, ${time('created_at')} as created,
      ${time('updated_at')} as updated, ${size('bio::text', 'full_name::text', 'avatar_url::text', 'password::text')} as bytes from users where id > $1`,
  )

export interface SourceNames {
  id: string
  username: string | null
  email: string | null
}
/** Only what collides. */
export async function* namePages({ users }: Sources): AsyncGenerator<SourceNames[]> {
  for (let after = firstKey; ; ) {
    const rows = await users.rows<SourceNames>(
      `select id, username::text, email::text from users where id > $1 order by id limit ${namesPerPage}`,
      [after],
    )
    if (rows.length === 0) return
    yield rows
    after = rows.at(-1)!.id
  }
}

/** When accounts were made, by id. */
export async function selectCreated({ users }: Sources, ids: readonly number[]): Promise<Map<number, string | null>> {
  const rows = await users.rows<{ id: string; created: string | null }>(
    `select id, ${time('created_at')} as created from users where id = any($1::bigint[])`,
    [ids],
  )
  return new Map(rows.map(({ id, created }) => [Number(id), created]))
}

export interface SourcePost {
  id: string
  author_id: string | null
  title: string | null
  content: string | null
  created: string | null
  updated: string | null
}
export const postPages = ({ posts }: Sources) =>
  pages<SourcePost>(
    posts,
    `select id, author_id, title::text, content::text, ${time('created_at')} as created, ${time('updated_at')} as updated,
      ${size('title::text', 'content::text')} as bytes from posts where id > $1`,
  )

export interface SourceMedia {
  id: string
  post_id: string | null
  has_post: boolean
  url: string | null
  type: string | null
  position: number | string | null
}
export const mediaPages = ({ posts }: Sources) =>
  pages<SourceMedia>(
    posts,
    `select id, post_id, exists (select 1 from posts where posts.id = post_id) as has_post, url::text, type::text, position,
      ${size('url::text')} as bytes from post_media where id > $1`,
  )

export interface SourceTag {
  id: string
  name: string | null
}
export const tagPages = ({ posts }: Sources) =>
  pages<SourceTag>(posts, `select id, name::text, ${size('name::text')} as bytes from tags where id > $1`)

export interface SourceLink {
  post_id: string
  tag_id: string
  /** Of this pair. */
  count: number
  has_post: boolean
  has_tag: boolean
}
/** Pairs, which have no id. Those with a null come in no order, so they are only counted: see `countBrokenLinks`. */
export async function* linkPages({ posts }: Sources): AsyncGenerator<SourceLink[]> {
  for (let after = [firstKey, firstKey]; ; ) {
    const rows = await posts.rows<SourceLink>(
      `select post_id, tag_id, count::int, exists (select 1 from posts where posts.id = post_id) as has_post,
         exists (select 1 from tags where tags.id = tag_id) as has_tag
       from (select post_id, tag_id, count(*) as count from posts_tags
         where (post_id, tag_id) > ($1, $2) and tag_id is not null
         group by post_id, tag_id order by post_id, tag_id limit ${pageRowsMax}) as pairs order by post_id, tag_id`,
      after,
    )
    if (rows.length === 0) return
    yield rows
    after = [rows.at(-1)!.post_id, rows.at(-1)!.tag_id]
  }
}

export async function countBrokenLinks({ posts }: Sources): Promise<number> {
  const [row] = await posts.rows<{ count: string }>('select count(*) as count from posts_tags where post_id is null or tag_id is null')
  return Number(row!.count)
}

export interface SourceFollow {
  id: string
  follower_id: string | null
  followee_id: string | null
  created: string | null
}
export const followPages = ({ relations }: Sources) =>
  pages<SourceFollow>(
    relations,
    `select id, follower_id, followee_id, ${time('created_at')} as created, 0 as bytes from followers where id > $1`,
  )

/** The follows whose pair an earlier one has; none where the table holds its unique pair. */
export async function selectRepeatedFollows({ relations }: Sources): Promise<Set<string>> {
  const rows = await relations.rows<{ id: string }>(
    `select id from (select id, row_number() over (partition by follower_id, followee_id order by id) as place from followers
      where follower_id is not null and followee_id is not null) as placed where place > 1`,
  )
  return new Set(rows.map(({ id }) => id))
}

export interface SourceNotification {
  id: string
  user_id: string | null
  type: string | null
  is_read: boolean | null
  created: string | null
  /** JSON. */
  payload: string | null
}
export const notificationPages = ({ notifications }: Sources) =>
  pages<SourceNotification>(
    notifications,
    `select id, user_id, type::text, is_read, ${time('created_at')} as created, payload::text, ${size('payload::text', 'type::text')} as bytes
      from notifications where id > $1`,
  )

/** Undefined for what is no id here: null, nothing that counts, beyond 2^53. */
export function idOf(text: string | null): number | undefined {
  const id = Number(text ?? Number.NaN)
  return Number.isSafeInteger(id) && id > 0 ? id : undefined
}

const firstMs = Date.parse('0001-01-01T00:00:00.000Z')
const lastMs = Date.parse('9999-12-31T23:59:59.999Z')

/** Undefined for what is no time here: null, infinite, beyond the years of four digits. */
export function timeOf(epochMs: string | null): string | undefined {
  const ms = Number(epochMs ?? Number.NaN)
  return ms >= firstMs && ms <= lastMs ? isoTime(ms) : undefined
}

/** For rows that have no time of their own: it sorts before all others. */
export const noTime = isoTime(0)
