import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { openPostgres } from '../../src/adapters/database/postgres.ts'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { createServer } from '../../src/server.ts'
import { recountFollows } from '../follows.ts'
import { startPostgres } from '../postgres-server.ts'
import { call, quietly, testConfig } from '../serve.ts'
import { seedAccounts } from '../sessions.ts'

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const outageMs = 5_000

it('tells of every follow that was acknowledged before, during and after 5 s without Postgres, once', async () => {
  const postgres = await startPostgres()
  cleanUps.push(() => postgres.remove())
  const database = openPostgres<Tables>({ url: postgres.url })
  cleanUps.push(() => database.close())
  await migrateUp(database)
  const { secret, accounts } = await seedAccounts(database, 60)
  const [star, ...fans] = accounts as [(typeof accounts)[0], ...typeof accounts]
  const server = await createServer(testConfig({ 'database.url': postgres.url, 'auth.secret': secret }), quietly)
  cleanUps.push(() => server.close())
  const { apiUrl } = await server.listen()
  const follow = ({ token }: (typeof accounts)[0]) =>
    call(apiUrl, 'POST', '/api/v1/relation/follow', { token, body: { followee_id: star.id } })

  const early = fans.slice(0, 30)
  const acknowledged = new Set<number>()
  const stopping = sleep(20).then(() => postgres.stop()) // in the midst of it
  const statuses = await Promise.all(
    early.map(async (fan) => {
      const { status } = await follow(fan)
      if (status === 200) acknowledged.add(fan.id)
      return status
    }),
  )
  await stopping
  const duringMs = performance.now()
  expect((await follow(fans[30]!)).status).toBe(503)
  for (const status of statuses) expect([200, 503]).toContain(status)
  await sleep(Math.max(0, outageMs - (performance.now() - duringMs)))
  await postgres.start()

  for (const fan of fans.filter(({ id }) => !acknowledged.has(id))) {
    let status = 503
    for (const endMs = performance.now() + 20_000; status === 503 && performance.now() < endMs; ) {
      status = (await follow(fan)).status
      if (status === 503) await sleep(50)
    }
    expect([200, 409]).toContain(status) // 409 where it had been stored, and only the answer was lost
  }
  const told = async () =>
    (await database.db.selectFrom('notification').where('userId', '=', star.id).select('sourceKey').execute()).map(
      ({ sourceKey }) => sourceKey,
    )
  await expect.poll(() => told().then(({ length }) => length), { timeout: 15_000, interval: 50 }).toBe(fans.length)
  await sleep(200) // a double would come now
  expect((await told()).sort()).toEqual(fans.map(({ id }) => `follow:${id}:${star.id}`).sort())
  await recountFollows({ database })
  expect(await server.app.deadLetters.count()).toBe(0)
}, 60_000)
