import { afterEach, beforeAll, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { createServer, type Addresses } from '../../src/server.ts'
import { onDriver, useDatabase } from '../drivers.ts'
import { kafkaBrokers, onKafka, ownKafkaNames } from '../kafka.ts'
import { call, quietly, testConfig } from '../serve.ts'
import { seedAccounts, type SeededAccount } from '../sessions.ts'
import { metric } from './fleet.ts'

const roleSets = {
  'one process': [['api', 'worker']],
  'an api and a worker': [['api'], ['worker']],
  'two apis and two workers': [['api'], ['api'], ['worker'], ['worker']],
}

onKafka('roles', () => {
  onDriver('postgres', 'roles', (driver) => {
    const opened = useDatabase<Tables>(driver)
    let seeded: { secret: string; accounts: SeededAccount[] }
    let nextPair = 0
    const cleanUps: (() => Promise<void>)[] = []
    beforeAll(async () => {
      await migrateUp(opened.database)
      seeded = await seedAccounts(opened.database, 40)
    })
    afterEach(async () => {
      for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
    })
    async function start(roles: string[], kafka: Record<string, string>): Promise<Addresses> {
      const flags = { 'database.url': opened.url, 'auth.secret': seeded.secret, roles: roles.join(','), ...kafka }
      const server = await createServer(testConfig(flags), quietly)
      cleanUps.push(() => server.close())
      return server.listen()
    }
    /** A follow of two who have not met, and how often the followee was told. */
    async function follow(apiUrl: string): Promise<() => Promise<number>> {
      const [from, to] = [seeded.accounts[nextPair++]!, seeded.accounts[39 - nextPair]!]
      const { status } = await call(apiUrl, 'POST', '/api/v1/relation/follow', { token: from.token, body: { followee_id: to.id } })
      expect(status).toBe(200)
      const sourceKey = `follow:${from.id}:${to.id}`
      return async () =>
        (await opened.database.db.selectFrom('notification').where('sourceKey', '=', sourceKey).select('id').execute()).length
    }

    for (const [bus, kafka] of Object.entries({ 'with Kafka': true, 'without Kafka': false })) {
      for (const [fleet, roleSet] of Object.entries(roleSets)) {
        it(`a follow is told of, ${bus}, by ${fleet}`, async () => {
          const names = kafka ? ownKafkaNames(kafkaBrokers!) : {}
          const started = await Promise.all(roleSet.map((roles) => start(roles, names)))
          for (const [i, { apiUrl, metricsUrl }] of started.entries()) {
            const isApi = roleSet[i]!.includes('api')
            expect(apiUrl !== '').toBe(isApi)
            expect((await fetch(new URL('/readyz', metricsUrl))).status).toBe(200)
            const { parts } = (await (await fetch(new URL('/healthz', metricsUrl))).json()) as { parts: object }
            expect('kafka' in parts).toBe(kafka && roleSet[i]!.includes('worker'))
          }
          for (const { apiUrl } of started.filter(({ apiUrl }) => apiUrl !== '')) {
            const told = await follow(apiUrl)
            await expect.poll(told, { timeout: 20_000, interval: 20 }).toBe(1)
          }
          const leaders = await Promise.all(started.map(({ metricsUrl }) => metric(metricsUrl, 'relay_leader')))
          expect(leaders.reduce<number>((sum, value) => sum + (value ?? 0), 0)).toBe(kafka ? 1 : 0)
        })
      }
    }

    it('an api alone answers, and leaves events to the worker that comes later', async () => {
      const names = ownKafkaNames(kafkaBrokers!)
      const { apiUrl } = await start(['api'], names)
      const told = await follow(apiUrl)
      await expect
        .poll(async () => (await opened.database.db.selectFrom('outbox').where('seq', 'is', null).select('id').execute()).length)
        .toBe(0) // numbered by the api itself
      expect(await told()).toBe(0)
      await start(['worker'], names)
      await expect.poll(told, { timeout: 20_000, interval: 20 }).toBe(1)
    })

    it('from Kafka to none and back again, each event has its effect once', async () => {
      const names = ownKafkaNames(kafkaBrokers!)
      const all: (() => Promise<number>)[] = []
      for (const settings of [names, {}, names]) {
        const { apiUrl } = await start(['api', 'worker'], settings)
        const told = await follow(apiUrl)
        all.push(told)
        await expect.poll(told, { timeout: 20_000, interval: 20 }).toBe(1)
        for (const cleanUp of cleanUps.splice(0)) await cleanUp()
      }
      expect(await Promise.all(all.map((told) => told()))).toEqual([1, 1, 1])
      const { count } = (await opened.database.db
        .selectFrom('notification')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirst())!
      expect(count).toBe(nextPair)
    })
  })
})
