import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { localDoorbell } from '../src/adapters/doorbell/local.ts'
import { startBackground } from '../src/background.ts'
import type { App } from '../src/compose.ts'
import type { FlagValue } from '../src/config.ts'
import { openApp } from '../src/open-app.ts'
import { openKafka } from '../src/open-kafka.ts'
import { readUnpublished } from '../src/outbox/publish.ts'
import { publishedName, selectPosition } from '../src/outbox/positions.ts'
import type { Row } from './main.ts'
import { newPostgresDatabase } from './postgres.ts'
import { addUsers, benchConfig } from './world.ts'

const warmUps = 50
const samples = 500
/** Between two follows: the way of one, and not a queue. */
const restMs = 10
const backlog = 100_000
const idleMs = 20_000
const mebibyte = 1_048_576

/**
 * The way over Kafka, on a real Postgres and a real Kafka (`TEST_POSTGRES_URL`, `TEST_KAFKA_BROKERS`: scripts/services.sh up prints them):
 * one follow until it is in the feed, a backlog until it is in Kafka, and what a client costs that has nothing to do.
 */
export async function kafkaRows(dir: string): Promise<Row[]> {
  const { TEST_POSTGRES_URL: postgres, TEST_KAFKA_BROKERS: brokers } = process.env
  if (!postgres || !brokers) {
    process.stderr.write('kafka: left out, since TEST_POSTGRES_URL and TEST_KAFKA_BROKERS are not both set\n')
    return []
  }
  const database = await newPostgresDatabase(postgres)
  try {
    const world = await openWorld(dir, { url: database.url, brokers })
    const rows = [...(await followRows(world)), await idleRow(), await relayRow(world)].flat()
    await world.close()
    return rows
  } finally {
    await database.drop()
  }
}

type World = Awaited<ReturnType<typeof openWorld>>

async function openWorld(dir: string, { url, brokers }: { url: string; brokers: string }) {
  const id = `bench-${randomBytes(6).toString('hex')}`
  const topics = Object.fromEntries(
    ['user', 'post', 'relation', 'notification'].map((name): [string, FlagValue] => [`kafka.topics.${name}`, `${id}-${name}`]),
  )
  const config = benchConfig(mkdtempSync(join(dir, 'kafka-')), {
    'database.url': url,
    'auth.secret': randomBytes(36).toString('base64url'),
    'rateLimits.enabled': false,
    'kafka.brokers': brokers,
    'kafka.clientId': id,
    ...topics,
  })
  const warn = (message: string, fields: Record<string, unknown>) => console.error(message, fields)
  const opened = await openApp(config, { migrate: true })
  const start = async () =>
    startBackground({
      app: { consumers: opened.app.consumers, jobs: {} as App['jobs'], hear() {} },
      database: opened.database,
      clock: opened.clock,
      committed: opened.committed,
      sequenced: localDoorbell(),
      settings: { pollMs: 500, retentionMs: 86_400_000 },
      kafka: await openKafka(config, { warn }),
      warn,
    })
  let background = await start()
  return {
    ...opened,
    async stop() {
      await background.close()
    },
    async restart() {
      background = await start()
    },
    async close() {
      await background.close()
      await opened.close()
    },
  }
}

async function followRows({ app, database }: World): Promise<Row[]> {
  const [star, ...followers] = await addUsers(database, warmUps + samples + 1)
  const viewer = { id: star, role: 'user', sessionId: '' } as const
  const tookMs: number[] = []
  for (const [i, follower] of followers.entries()) {
    await app.relations.follow(follower, star)
    const startMs = performance.now()
    while ((await app.notifications.unreadCount(viewer)).count <= i) await sleep(1)
    if (i >= warmUps) tookMs.push(performance.now() - startMs)
    await sleep(restMs)
  }
  const at = (part: number) => tookMs.toSorted((a, b) => a - b)[Math.min(tookMs.length - 1, Math.floor(tookMs.length * part))]!
  const what = 'over Kafka: from a follow to its notification in the feed'
  const note = `slowest of ${samples}: ${at(1).toFixed(1)} ms`
  return [
    { what: `${what}, p50`, value: at(0.5), unit: 'ms', bar: 60, better: 'less', note },
    { what: `${what}, p99`, value: at(0.99), unit: 'ms', bar: 500, better: 'less', note },
  ]
}

/** With one consumer and one producer connected, and the database looked at twice a second. */
async function idleRow(): Promise<Row> {
  await sleep(2_000)
  const before = process.cpuUsage()
  await sleep(idleMs)
  const { user, system } = process.cpuUsage(before)
  const value = ((user + system) / 1000 / idleMs) * 100
  return { what: 'Kafka, Postgres and nothing to do: part of a core', value, unit: '%', bar: undefined, better: 'less', note: '' }
}

async function relayRow(world: World): Promise<Row[]> {
  const { database } = world
  await world.stop()
  const { db } = database
  // Numbered already, as after an outage of Kafka: events of many users, of the usual size.
  await sql`insert into outbox (seq, type, key, payload, "createdAt")
    select s.seq + n, 'follow_created', 1 + n % 5000,
      '{"follower_id":' || 1000000 + n || ',"followee_id":' || 1 + n % 5000 || ',"timestamptz":"2026-01-01T00:00:00.000Z"}', '2026-01-01T00:00:00.000Z'
    from generate_series(1, ${sql.lit(backlog)}) n, (select seq from "outboxPosition" where name = 'sequence') s`.execute(db)
  await sql`update "outboxPosition" set seq = seq + ${sql.lit(backlog)} where name = 'sequence'`.execute(db)
  const position = async () => (await selectPosition.first(db, { name: publishedName }))?.seq ?? 0
  const from = await position()
  const rss: number[] = []
  await world.restart()
  while ((await position()) === from) await sleep(5)
  const [startMs, first] = [performance.now(), await position()]
  for (;;) {
    rss.push(process.memoryUsage.rss() / mebibyte)
    if ((await readUnpublished(db)).depth === 0) break
    await sleep(50)
  }
  const seconds = (performance.now() - startMs) / 1000
  const sent = (await position()) - first
  // The consumers have read them meanwhile, too: that is the work of the same process.
  const [early, late] = [rss.slice(0, rss.length / 3), rss.slice(-rss.length / 3)].map((part) => Math.max(...part)) as [number, number]
  const what = `relay to Kafka from a backlog of ${backlog}`
  return [
    { what, value: sent / seconds, unit: '/s', bar: 5_000, better: 'more', note: `${sent} events in ${seconds.toFixed(1)} s` },
    {
      what: `${what}: growth of memory`,
      value: late - early,
      unit: 'MiB',
      bar: 50,
      better: 'less',
      note: `at most ${Math.max(...rss).toFixed(0)} MiB`,
    },
  ]
}
