import assert from 'node:assert/strict'
import { copyFileSync } from 'node:fs'
import { join } from 'node:path'
import { openApp } from '../src/open-app.ts'
import { compare, overStarts, rateRow, roundSeconds, shoot, type Shot, startTarget, stopTargets, warmUp } from './load.ts'
import type { Row } from './main.ts'
import { newPost, seedPosts, sqliteFile } from './post-world.ts'
import { rawCreate } from './raw-posts.ts'
import { benchConfig, newDataDir } from './world.ts'

const rounds = 8
const list: Shot = { path: '/api/v1/posts/list?limit=20' }
const byId: Shot = { path: '/api/v1/posts/1' }

/** Reading lists and single posts, and writing them, against what Fastify and better-sqlite3 do by themselves. */
export async function postRows(): Promise<Row[]> {
  const dir = newDataDir()
  const token = await seedPosts(dir)
  const rates = await overStarts(() => ratesOfOneStart(dir, token))
  Object.assign(rates, await createRates(dir))
  return [
    rateRow(rates, 'GET /api/v1/posts/list?limit=20 : Fastify, response schema, prepared better-sqlite3', {
      of: 'list',
      to: 'raw list',
      bar: 0.6,
    }),
    rateRow(rates, 'GET /api/v1/posts/{id}, cached : bare Fastify route', { of: 'by id', to: 'bare', bar: 0.6 }),
    rateRow(rates, 'POST /api/v1/posts, 3 tags, 1 medium : Fastify, the same rows by better-sqlite3', {
      of: 'post',
      to: 'raw post',
      bar: 0.4,
    }),
    rateRow(rates, 'a post, 3 tags, 1 medium, in process : the same rows by better-sqlite3', { of: 'create', to: 'raw create', bar: 0.4 }),
  ]
}

async function ratesOfOneStart(dir: string, token: string): Promise<Record<string, number[]>> {
  const targets = { product: await startTarget('unlimited', dir), raw: await startTarget('raw', dir) }
  const [product, raw] = [targets.product.url, targets.raw.url]
  await assertSameAnswer(raw, product, list)
  await assertSameAnswer(raw, product, byId)
  const reads: [string, string, Shot][] = [
    ['raw list', raw, list],
    ['list', product, list],
    ['bare', raw, byId],
    ['by id', product, byId],
  ]
  for (const [, url, shot] of reads) await warmUp(url, shot)
  const rates = await compare(Object.fromEntries(reads.map(([name, url, shot]) => [name, () => shoot(url, shot)])), rounds)

  const { media: media_items, ...rest } = newPost
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const create: Shot = { method: 'POST', path: '/api/v1/posts', body: JSON.stringify({ ...rest, media_items }), headers }
  for (const url of [raw, product]) await warmUp(url, create)
  Object.assign(rates, await compare({ 'raw post': () => shoot(raw, create), post: () => shoot(product, create) }, rounds))
  await stopTargets(...Object.values(targets))
  return rates
}

/** One post after the other, without a network: each waits for the disk. */
async function createRates(dir: string): Promise<Record<string, number[]>> {
  const aside = join(dir, '..', 'raw.db')
  copyFileSync(sqliteFile(dir), aside)
  const write = rawCreate(aside)
  const { app, close } = await openApp(benchConfig(dir))
  const viewer = { id: 1, role: 'user', sessionId: '' } as const
  const contenders = {
    'raw create': () => rateOf(async () => write(newPost)),
    create: () => rateOf(() => app.posts.create(viewer, newPost)),
  }
  for (const run of Object.values(contenders)) await run()
  const rates = await compare(contenders, rounds)
  await close()
  return rates
}

async function rateOf(work: () => Promise<unknown>): Promise<number> {
  const startMs = performance.now()
  let done = 0
  while (performance.now() - startMs < roundSeconds * 1000) {
    await work()
    done++
  }
  return done / ((performance.now() - startMs) / 1000)
}

/** Both answer the same, in as many bytes; the order of members is the serialiser's, and v1's newline is not counted. */
async function assertSameAnswer(one: string, other: string, { path }: Shot): Promise<void> {
  const [a, b] = await Promise.all([one, other].map(async (url) => (await (await fetch(url + path)).text()).trim()))
  if (a!.length !== b!.length) throw new Error(`${path} has ${a!.length} bytes by one, and ${b!.length} by the other`)
  assert.deepEqual(JSON.parse(a!), JSON.parse(b!))
}
