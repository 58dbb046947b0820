import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { onDriver, useDatabase } from '../drivers.ts'
import { ownKafkaNames } from '../kafka.ts'
import { newDataDir } from '../serve.ts'
import { useServerChildren, type ServerChild } from '../server-child.ts'
import { pairsOf, seedAccounts, type SeededAccount } from '../sessions.ts'
import { countRows, expectToldOnce, metric, startFollows } from './fleet.ts'
import { startKafkaBroker, type KafkaBroker } from './kafka-broker.ts'

const kills = 20
const rebalances = 20
const takeovers = 3
/** What the death of a leader may cost. */
const takenOverMsMax = 5_000

onDriver('postgres', 'workers over Kafka', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const servers = useServerChildren()
  let broker: KafkaBroker
  let seeded: { secret: string; accounts: SeededAccount[] }
  let flags: string[]
  beforeAll(async () => {
    broker = await startKafkaBroker()
    await migrateUp(opened.database)
    seeded = await seedAccounts(opened.database, 80)
  })
  afterAll(() => broker?.remove())
  beforeEach(async () => {
    await opened.database.transaction(async (tx) => {
      for (const table of ['processedEvent', 'outbox', 'notification', 'follow', 'lease'] as const) await tx.deleteFrom(table).execute()
      await tx.deleteFrom('outboxPosition').where('name', '!=', 'sequence').execute()
      await tx.updateTable('user').set({ followerCount: 0, followeeCount: 0, notificationCount: 0, unreadCount: 0 }).execute()
    })
    const settings = {
      'database.url': opened.url,
      'data.dir': newDataDir(),
      'auth.secret': seeded.secret,
      'rateLimits.enabled': 'false',
      'log.level': 'error', // what is killed here complains
      'kafka.sessionTimeout': '2s', // so long each kill stops the partitions of the dead
      ...ownKafkaNames(broker.brokers),
    }
    flags = Object.entries(settings).map(([key, value]) => `${key}=${value}`)
  })
  const loadWorker = () => servers.load([...flags, 'roles=worker'])
  const startApi = async () => (await servers.load([...flags, 'roles=api']).listen()).apiUrl
  const told = () => countRows(opened, 'notification')

  /**
   * Has whoever consumes one of the next events wait in the middle of its transaction, and resolves once it does: it cannot mark the
   * event as taken, since this connection is about to. Then does `work`, and takes its hands off.
   */
  async function whileInBatch(work: () => Promise<void>): Promise<void> {
    const client = new pg.Client(opened.url)
    await client.connect()
    try {
      await client.query('begin')
      await client.query(
        `insert into "processedEvent" select 'follow-notifications', (last + n)::text, '2026-01-01T00:00:00.000Z'
           from (select max(id) as last from outbox) newest, generate_series(20, 1000) n`, // many: those of notifications come in bursts, and nobody takes them
      )
      const { rows } = await client.query<{ pid: number }>('select pg_backend_pid() as pid')
      // @NOTE by another connection: within a transaction the activity of the others stands still.
      const isWaiting = async () =>
        (
          await sql`select 1 from pg_stat_activity where pg_blocking_pids(pid) @> array[${rows[0]!.pid}::int]
            and query like 'insert into "processedEvent"%'`.execute(opened.database.db)
        ).rows.length > 0
      await expect.poll(isWaiting, { timeout: 20_000, interval: 5 }).toBe(true)
      await work()
    } finally {
      await client.end() // and with it the transaction
    }
  }

  it(`are killed ${kills} times, half of the times in the middle of a batch, and the notifications are exact`, async () => {
    const apiUrl = await startApi()
    let worker = loadWorker()
    await worker.listen()
    let next = loadWorker()
    const replace = async () => {
      await worker.kill()
      worker = next
      await worker.listen()
      next = loadWorker()
    }
    const load = startFollows(() => apiUrl, pairsOf(seeded.accounts, 6_000), { clients: 3, restMs: 40 })
    for (let i = 0; i < kills; i++) {
      const before = await told()
      await expect.poll(told, { timeout: 30_000, interval: 1 }).toBeGreaterThan(before) // it works
      if (i % 2 > 0) await whileInBatch(replace)
      else {
        await sleep(i % 4) // just after a commit, or in the next batch
        await replace()
      }
    }
    await load.stop()
    await expectToldOnce(opened, load.acknowledged())
    await next.kill()
  })

  it(`one leads the relay, and another takes over within ${takenOverMsMax / 1000} s of its death, ${takeovers} times under load`, async () => {
    const apiUrl = await startApi()
    const load = startFollows(() => apiUrl, pairsOf(seeded.accounts, 3_000), { clients: 2, restMs: 20 })
    const start = async () => {
      const child = loadWorker()
      return { child, url: (await child.listen()).metricsUrl }
    }
    let workers = [await start(), await start()]
    const leads = async ({ url }: { url: string }) => (await metric(url, 'relay_leader')) === 1
    for (let i = 0; i < takeovers; i++) {
      await expect.poll(async () => (await Promise.all(workers.map(leads))).filter(Boolean).length, { timeout: 10_000 }).toBe(1)
      const [isFirst] = await Promise.all(workers.map(leads))
      const [leader, other] = isFirst ? workers : workers.toReversed()
      await leader!.child.kill()
      const killedMs = performance.now()
      await expect.poll(() => leads(other!), { timeout: takenOverMsMax, interval: 20 }).toBe(true)
      expect(performance.now() - killedMs).toBeLessThan(takenOverMsMax)
      workers = [other!, await start()]
    }
    await load.stop()
    await expectToldOnce(opened, load.acknowledged())
  })

  it(`divide the partitions anew ${rebalances} times under load, and the notifications are exact`, async () => {
    const apiUrl = await startApi()
    await loadWorker().listen()
    const load = startFollows(() => apiUrl, pairsOf(seeded.accounts, 6_000), { clients: 4, restMs: 10 })
    let coming: ServerChild = loadWorker()
    for (let i = 0; i < rebalances / 2; i++) {
      const { metricsUrl } = await coming.listen()
      const next = loadWorker()
      // It has its share when it has had an effect: so it has been given partitions, and then they are taken away again.
      const consumed = () => metric(metricsUrl, 'events_consumed_total', '{consumer="follow-notifications",type="follow_created"}')
      await expect.poll(consumed, { timeout: 30_000, interval: 20 }).toBeGreaterThan(0)
      expect(await coming.stop()).toBe(0)
      coming = next
    }
    await coming.kill()
    await load.stop()
    await expectToldOnce(opened, load.acknowledged())
  })
})
