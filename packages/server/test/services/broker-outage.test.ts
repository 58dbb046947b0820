import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { onDriver, useDatabase } from '../drivers.ts'
import { ownKafkaNames } from '../kafka.ts'
import { newDataDir } from '../serve.ts'
import { useServerChildren } from '../server-child.ts'
import { pairsOf, seedAccounts, type SeededAccount } from '../sessions.ts'
import { countRows, expectToldOnce, metric, startFollows } from './fleet.ts'
import { startKafkaBroker, type KafkaBroker } from './kafka-broker.ts'
import { readTopic } from './read-topic.ts'

const outageMs = 30_000
const followsMax = 1_500
const freezeMs = 15_000
/** What an orderly end may take, whatever is away. */
const stopMsMax = 10_000

onDriver('postgres', 'Kafka killed for 30 s during follows', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const servers = useServerChildren()
  let broker: KafkaBroker
  let seeded: { secret: string; accounts: SeededAccount[] }
  beforeAll(async () => {
    broker = await startKafkaBroker()
    await migrateUp(opened.database)
    seeded = await seedAccounts(opened.database, 60)
  })
  afterAll(() => broker?.remove())
  function settings() {
    const names = ownKafkaNames(broker.brokers)
    const all = {
      'database.url': opened.url,
      'data.dir': newDataDir(),
      'auth.secret': seeded.secret,
      'rateLimits.enabled': 'false',
      'log.level': 'error', // an outage is what they warn of
      ...names,
    }
    return { names, flags: Object.entries(all).map(([key, value]) => `${key}=${value}`) }
  }

  it('costs no user anything: events wait, and then come in order, all of them, each with its effect once', async () => {
    const { accounts } = seeded
    const { flags, names } = settings()
    const api = await servers.load([...flags, 'roles=api']).listen()
    const worker = await servers.load([...flags, 'roles=worker']).listen()

    const load = startFollows(() => api.apiUrl, pairsOf(accounts, followsMax), { restMs: 100 })
    await expect.poll(load.acknowledged, { timeout: 30_000 }).toBeGreaterThan(200)
    await broker.kill()
    const killedMs = performance.now()
    const atKill = load.acknowledged()
    await expect.poll(load.acknowledged, { timeout: 30_000 }).toBeGreaterThan(atKill + 200)
    expect(await metric(worker.metricsUrl, 'outbox_depth')).toBeGreaterThan(100)
    const probe = async (path: string) => fetch(new URL(path, worker.metricsUrl))
    expect((await probe('/readyz')).status).toBe(200)
    expect(await (await probe('/healthz')).json()).toMatchObject({
      status: 'degraded',
      parts: { kafka: { status: 'down' }, database: { status: 'up' } },
    })
    await sleep(Math.max(0, outageMs - (performance.now() - killedMs)))
    await broker.start()
    await load.done

    await expectToldOnce(opened, followsMax)
    await expect.poll(() => metric(worker.metricsUrl, 'outbox_depth'), { timeout: 10_000 }).toBe(0)
    const written = await opened.database.db
      .selectFrom('outbox')
      .where('type', '=', 'follow_created')
      .orderBy('seq')
      .select(['id', 'key'])
      .execute()
    const read = await readTopic(broker.brokers, names['kafka.topics.relation'])
    const first = [...new Map(read.map((message) => [message.id, message])).values()]
    expect(first).toHaveLength(written.length)
    for (const { id } of accounts) {
      const of = (rows: { id: string | number; key: number }[]) => rows.filter(({ key }) => key === id).map((row) => String(row.id))
      expect(of(first)).toEqual(of(written))
    }
  })

  it('or frozen: a worker stops in order all the same, and the next one starts', async () => {
    const { flags } = settings()
    const api = await servers.load([...flags, 'roles=api']).listen()
    const worker = servers.load([...flags, 'roles=worker'])
    await worker.listen()
    const earlier = await countRows(opened, 'follow')
    const load = startFollows(() => api.apiUrl, pairsOf(seeded.accounts, 3_000).slice(followsMax), { restMs: 20 })
    await expect.poll(() => countRows(opened, 'notification'), { timeout: 30_000 }).toBeGreaterThan(earlier + 100)
    broker.freeze()
    try {
      const frozenMs = performance.now()
      const atFreeze = load.acknowledged()
      await expect.poll(load.acknowledged, { timeout: 30_000 }).toBeGreaterThan(atFreeze + 100)
      const stopMs = performance.now()
      expect(await worker.stop()).toBe(0)
      expect(performance.now() - stopMs).toBeLessThan(stopMsMax)
      await servers.load([...flags, 'roles=worker']).listen()
      await sleep(Math.max(0, freezeMs - (performance.now() - frozenMs)))
    } finally {
      broker.thaw()
    }
    await load.stop()
    await expectToldOnce(opened, earlier + load.acknowledged())
  })
})
