/** `node bare-processes.ts DATABASE_URL SIZE`: posts as one would serve them by hand from Postgres, in SIZE processes and with nothing beside the requests. */
import cluster from 'node:cluster'
import { once } from 'node:events'
import Fastify from 'fastify'
import pg from 'pg'

/** As many connections for each process as the product has. */
const poolMax = 10
const pageSize = 20
const columns = 'post.id, title, content, post."createdAt", "user".id as "authorId", username, "fullName"'

interface NewPost {
  title: string
  content: string
  tags: string[]
}

/** Of a prepared statement, which is planned once for each connection. */
const named = (name: string, text: string, values: unknown[]) => ({ name, text, values })

function serve(databaseUrl: string) {
  const pool = new pg.Pool({ connectionString: databaseUrl, max: poolMax })
  const server = Fastify()

  server.get('/api/v1/posts/list', async () => {
    const join = 'post join "user" on "user".id = "authorId"'
    const page = `select ${columns} from ${join} order by post."createdAt" desc, post.id desc limit $1`
    const { rows: posts } = await pool.query(named('page', page, [pageSize + 1]))
    const ids = posts.map(({ id }) => id)
    const tagsOf = 'select "postId", tag.id, name from "postTag" join tag on tag.id = "tagId" where "postId" = any($1)'
    const mediaOf = 'select "postId", id, url, type, position from "postMedia" where "postId" = any($1)'
    const [tags, media, total] = await Promise.all([
      pool.query(named('tags', tagsOf, [ids])),
      pool.query(named('media', mediaOf, [ids])),
      pool.query(named('total', 'select sum(count) as total from "postTotal"', [])),
    ])
    const shown = posts.map((post) => ({
      ...post,
      media: media.rows.filter(({ postId }) => postId === post.id),
      tags: tags.rows.filter(({ postId }) => postId === post.id),
    }))
    return { status: 200, data: { posts: shown, total: total.rows[0].total } }
  })

  server.post('/api/v1/posts', async (request, reply) => {
    const author = Number(request.headers['x-user'])
    const { title, content, tags } = request.body as NewPost
    const now = new Date().toISOString()
    const client = await pool.connect()
    try {
      await client.query('begin')
      const known = await client.query(named('tagIds', 'select id, name from tag where name = any($1)', [tags]))
      await client.query(named('count', 'update "user" set "postCount" = "postCount" + 1 where id = $1', [author]))
      const insert = 'insert into post ("authorId", title, content, "createdAt", "updatedAt") values ($1, $2, $3, $4, $4) returning id'
      const id: number = (await client.query(named('post', insert, [author, title, content, now]))).rows[0].id
      const insertTags = 'insert into "postTag" ("postId", "tagId", "createdAt") select $1, unnest($2::integer[]), $3'
      await client.query(named('postTags', insertTags, [id, known.rows.map((tag) => tag.id), now]))
      await client.query(named('postTotal', 'update "postTotal" set count = count + 1 where shard = $1', [author % 16]))
      const event = JSON.stringify({ post_id: id, author_id: author, tags })
      const insertEvent = 'insert into outbox (seq, type, key, payload, "createdAt") values (null, $1, $2, $3, $4)'
      await client.query(named('event', insertEvent, ['post_created', author, event, now]))
      await client.query('commit')
      return reply.code(201).send({ status: 201, data: { id, title, content, tags: known.rows } })
    } finally {
      client.release()
    }
  })
  return server
}

const [databaseUrl = '', size = '1'] = process.argv.slice(2)
if (cluster.isPrimary) {
  const workers = Array.from({ length: Number(size) }, () => cluster.fork())
  const listening = await Promise.all(workers.map((worker) => once(worker, 'listening')))
  process.once('SIGTERM', () => {
    for (const worker of workers) worker.kill('SIGTERM')
  })
  process.send!(`http://127.0.0.1:${listening[0]![0].port}`)
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
  process.exit()
} else {
  await serve(databaseUrl).listen({ port: 0, host: '127.0.0.1' })
}
