/** What Fastify and better-sqlite3 do by themselves, over the product's own tables: the other side of the ratios of posts.ts. */
import SqliteClient from 'better-sqlite3'
import Fastify, { type FastifyInstance } from 'fastify'
import { sqliteFile, type newPost } from './post-world.ts'

/** Of one page. */
const idsMax = 20
const string = { type: 'string' }
const integer = { type: 'integer' }
const object = (properties: Record<string, object>) => ({ type: 'object', properties })
const list = (items: object) => ({ type: 'array', items })
const post = object({
  id: integer,
  title: string,
  content: string,
  created_at: string,
  updated_at: string,
  author: object({ id: integer, username: string, full_name: string, avatar_url: string }),
  media: list(object({ id: integer, url: string, type: string, position: integer })),
  tags: list(object({ id: integer, name: string })),
})
const listReply = object({ status: integer, data: object({ posts: list(post), total: integer, next_cursor: string }) })

/** `GET /api/v1/posts/list?limit=20` as one would write it by hand: prepared statements, a response schema, and nothing around it. */
export function rawPosts(dir: string): FastifyInstance {
  const client = new SqliteClient(sqliteFile(dir), { readonly: true })
  const columns = 'post.id, title, content, post.createdAt, post.updatedAt, user.id as authorId, username, fullName, avatarUrl'
  const page = client.prepare<[number], any>(
    `select ${columns} from post join user on user.id = post.authorId order by post.createdAt desc, post.id desc limit ? + 0`, // @NOTE a bare `limit ?` is planned anew each time, which would flatter us
  )
  const marks = Array(idsMax).fill('?').join()
  const media = client.prepare<number[], any>(
    `select postId, id, url, type, position from postMedia where postId in (${marks}) order by postId, position, id`,
  )
  const tags = client.prepare<number[], any>(
    `select postId, tag.id, name from postTag join tag on tag.id = tagId where postId in (${marks}) order by postId, tagId`,
  )
  const total = client.prepare<[], { total: number }>('select sum(count) as total from postTotal')

  function shown(rows: any[]) {
    const posts = rows.map((row) => ({
      id: row.id as number,
      title: row.title,
      content: row.content,
      created_at: `${row.createdAt.slice(0, 19)}Z`,
      updated_at: `${row.updatedAt.slice(0, 19)}Z`,
      author: { id: row.authorId, username: row.username, full_name: row.fullName ?? undefined, avatar_url: row.avatarUrl ?? undefined },
      media: [] as object[],
      tags: [] as object[],
    }))
    const byId = new Map(posts.map((post) => [post.id, post]))
    const ids = [...byId.keys(), ...Array(idsMax - posts.length).fill(0)]
    for (const { postId, ...medium } of media.all(...ids)) byId.get(postId)!.media.push(medium)
    for (const { postId, ...tag } of tags.all(...ids)) byId.get(postId)!.tags.push(tag)
    return posts
  }

  const server = Fastify()
  server.get('/api/v1/posts/list', { schema: { response: { 200: listReply } } }, async (request) => {
    const limit = Number((request.query as { limit: string }).limit)
    const rows = page.all(limit + 1)
    const last = rows[limit - 1]
    const next_cursor = rows.length > limit ? Buffer.from(`${last.createdAt}|${last.id}`).toString('base64url') : undefined
    return { status: 200, data: { posts: shown(rows.slice(0, limit)), total: total.get()!.total, next_cursor } }
  })
  const [first] = shown(client.prepare(`select ${columns} from post join user on user.id = post.authorId where post.id = 1`).all())
  server.get('/api/v1/posts/:id', () => ({ status: 200, data: first })) // the same bytes, and nothing looked up
  const create = rawCreate(sqliteFile(dir))
  server.post('/api/v1/posts', async (request, reply) => {
    const { media_items, ...rest } = request.body as Omit<typeof newPost, 'media'> & { media_items: typeof newPost.media }
    const id = create({ ...rest, media: media_items })
    return reply.code(201).send({ status: 201, data: { id, ...rest, media: media_items } })
  })
  return server
}

/** Writes what the product writes for one post, in one transaction, and answers its id; the tags are there already, as they are for the product. */
export function rawCreate(file: string): (post: typeof newPost) => number {
  const client = new SqliteClient(file)
  client.pragma('journal_mode = WAL')
  client.pragma('synchronous = full')
  client.pragma('foreign_keys = ON')
  const count = client.prepare('update user set postCount = postCount + 1 where id = ? and deletedAt is null')
  const post = client.prepare('insert into post (authorId, title, content, createdAt, updatedAt) values (?, ?, ?, ?, ?)')
  const medium = client.prepare('insert into postMedia (postId, position, url, type) values (?, ?, ?, ?)')
  const findTag = client.prepare<[string], { id: number }>('select id from tag where name = ?')
  const tag = client.prepare('insert into postTag (postId, tagId, createdAt) values (?, ?, ?)')
  const total = client.prepare('update postTotal set count = count + 1 where shard = ?')
  const event = client.prepare('insert into outbox (seq, type, key, payload, createdAt) values (null, ?, ?, ?, ?)')
  return client.transaction(({ title, content, tags, media }: typeof newPost) => {
    const now = new Date().toISOString()
    count.run(1)
    const id = Number(post.run(1, title, content, now, now).lastInsertRowid)
    for (const { url, type, position } of media) medium.run(id, position, url, type)
    for (const name of tags) tag.run(id, findTag.get(name)!.id, now)
    total.run(1)
    event.run('post_created', 1, JSON.stringify({ post_id: id, author_id: 1, tags }), now)
    return id
  }).immediate
}
