import { sql } from 'kysely'
import { openApp, type OpenedApp } from '../src/open-app.ts'
import type { Database } from '../src/ports/database.ts'
import type { Tables } from '../src/schema.ts'
import { median } from './load.ts'
import type { Row } from './main.ts'
import { newPostgresDatabase } from './postgres.ts'
import { benchConfig, newDataDir } from './world.ts'

interface Size {
  posts: number
  followers: number
}

const small: Size = { posts: 20_000, followers: 1_000 }
const big: Size = { posts: 400_000, followers: 50_000 }
const authors = 1_000
const tags = 200
const limit = 20
const rounds = 5
/** Of each list in each world and round, turn by turn. */
const samples = 400
const warmUps = 200
const rowsPerInsert = 500
const startMs = Date.UTC(2026, 0, 1)
const postEveryMs = 1_000
const starId = 1

interface GrownWorld extends OpenedApp {
  /** The pages that are compared, each at another place each time. */
  pages: Record<string, () => Promise<{ items: unknown[] }>>
}

/** How much longer a page takes with twenty times the posts, and fifty times the followers of one user. */
export async function growthRows(): Promise<Row[]> {
  const rows = await growthOn('SQLite', () => undefined)
  const server = process.env.TEST_POSTGRES_URL
  return server === undefined ? rows : [...rows, ...(await growthOnPostgres(server))]
}

async function growthOnPostgres(server: string): Promise<Row[]> {
  const databases = [await newPostgresDatabase(server), await newPostgresDatabase(server)]
  const urls = databases.map(({ url }) => url).values()
  const rows = await growthOn('Postgres', () => urls.next().value)
  for (const database of databases) await database.drop()
  return rows
}

async function growthOn(engine: string, newUrl: () => string | undefined): Promise<Row[]> {
  const [few, many] = [await openWorld(small, newUrl()), await openWorld(big, newUrl())]
  const rows: Row[] = []
  for (const name of Object.keys(few.pages)) rows.push(await growthOf(`${engine}, ${name}`, few.pages[name]!, many.pages[name]!))
  await few.close()
  await many.close()
  return rows
}

async function growthOf(what: string, few: () => Promise<unknown>, many: () => Promise<unknown>): Promise<Row> {
  for (let i = 0; i < warmUps; i++) for (const page of [few, many]) await page()
  const [fewMs, manyMs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const took: [number[], number[]] = [[], []]
    for (let i = 0; i < samples; i++) {
      took[0].push(await timeOf(few))
      took[1].push(await timeOf(many))
    }
    fewMs.push(p95(took[0]))
    manyMs.push(p95(took[1]))
  }
  return {
    what: `${what}: p95 of a page, grown`,
    value: median(manyMs.map((ms, round) => ms / fewMs[round]!)),
    unit: '×',
    bar: 1.5,
    better: 'less',
    note: `${median(fewMs).toFixed(2)} ms to ${median(manyMs).toFixed(2)} ms`,
  }
}

async function timeOf(page: () => Promise<unknown>): Promise<number> {
  const beganMs = performance.now()
  await page()
  return performance.now() - beganMs
}

const p95 = (values: number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length * 0.95)]!

async function openWorld({ posts, followers }: Size, url: string | undefined): Promise<GrownWorld> {
  const config = benchConfig(newDataDir(), { 'database.synchronous': 'normal', ...(url !== undefined && { 'database.url': url }) })
  const opened = await openApp(config, { migrate: true })
  const { app, database } = opened
  await fill(database, { posts, followers })
  let calls = 0
  /** Spread over the whole, the same places in both worlds by share. */
  const share = () => ((calls++ * 7) % 97) / 110
  const place = () => ({ createdAt: timeOfPost(Math.floor(posts * (1 - share()))), id: 0 })
  const full = async (page: Promise<{ items: unknown[] }>) => {
    const { items } = await page
    if (items.length !== limit) throw new Error(`a page of ${items.length}`)
    return { items }
  }
  const first = { offset: 0 }
  return {
    ...opened,
    pages: {
      'posts, first page': () => full(app.posts.list({}, { start: first, limit })),
      'posts, by cursor': () => full(app.posts.list({}, { start: { cursor: place() }, limit })),
      'posts of a tag, first page': () => full(app.posts.list({ tag: `tag ${calls++ % tags}` }, { start: first, limit })),
      'posts of a tag, by cursor': () => full(app.posts.list({ tag: 'tag 7' }, { start: { cursor: place() }, limit })),
      'posts of an author, first page': () => full(app.posts.list({ authorId: 1 + (calls++ % authors) }, { start: first, limit })),
      'followers, first page': () => full(app.relations.list('followers', starId, { start: first, limit })),
      'followers, by cursor': () =>
        full(app.relations.list('followers', starId, { start: { cursor: Math.ceil(followers * (1 - share())) }, limit })),
    },
  }
}

const timeOfPost = (index: number) => new Date(startMs + index * postEveryMs).toISOString()

/** Rows as the product writes them, many at a time; each post has a medium and three tags. */
async function fill(database: Database<Tables>, { posts, followers }: Size): Promise<void> {
  const createdAt = new Date(startMs).toISOString()
  const users = Math.max(authors, followers + 1)
  await insert(database, 'user', users, (index) => ({
    username: `user${index}`,
    usernameFolded: `user${index}`,
    email: `user${index}@example.com`,
    emailFolded: `user${index}@example.com`,
    fullName: `User Number ${index}`,
    fullNameFolded: `user number ${index}`,
    bio: 'I am one of many users here.',
    avatarUrl: `https://cdn.example.com/avatars/${index}.png`,
    createdAt,
    updatedAt: createdAt,
    postCount: index < authors ? posts / authors : 0,
    followerCount: index === 0 ? followers : 0,
    followeeCount: index === 0 ? 0 : 1,
  }))
  await insert(database, 'follow', followers, (index) => ({ followerId: index + 2, followeeId: starId, createdAt }))
  await insert(database, 'tag', tags, (index) => ({ name: `tag ${index}` }))
  await insert(database, 'post', posts, (index) => ({
    authorId: 1 + (index % authors),
    title: `Post number ${index}`,
    content: 'We swam, we slept in the shade, and in the evening the whole lake was ours alone.',
    createdAt: timeOfPost(index),
    updatedAt: timeOfPost(index),
  }))
  await insert(database, 'postMedia', posts, (index) => ({
    postId: index + 1,
    position: 1,
    url: `https://cdn.example.com/media/${index}.jpg`,
    type: 'image',
  }))
  // Three tags of each: its place among 200, moved on by each thousand so that the posts of an author are not all of the same.
  await insert(database, 'postTag', posts * 3, (row) => {
    const index = Math.floor(row / 3)
    const tagId = 1 + ((index + Math.floor(index / authors) + (row % 3) * 67) % tags)
    return { postId: index + 1, tagId, createdAt: timeOfPost(index) }
  })
  await database.transaction(async (tx) => {
    await tx.updateTable('postTotal').set({ count: posts }).where('shard', '=', 0).execute()
  })
  if (database.dialect.name === 'postgres') await sql`analyze`.execute(database.db) // as its autovacuum does after a minute
}

async function insert(database: Database<Tables>, table: keyof Tables, count: number, row: (index: number) => object): Promise<void> {
  await database.transaction(async (tx) => {
    for (let from = 0; from < count; from += rowsPerInsert) {
      const rows = Array.from({ length: Math.min(rowsPerInsert, count - from) }, (_, i) => row(from + i))
      await tx
        .insertInto(table)
        .values(rows as never)
        .execute()
    }
  })
}
