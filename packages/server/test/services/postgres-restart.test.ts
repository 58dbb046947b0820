import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { openPostgres } from '../../src/adapters/database/postgres.ts'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { startPostgres } from '../postgres-server.ts'
import { call, newDataDir } from '../serve.ts'
import { useServerChildren } from '../server-child.ts'
import { pairsOf, seedAccounts } from '../sessions.ts'
import { expectToldOnce } from './fleet.ts'

const clients = 8
const awayMs = 3_000

const cleanUps: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})
const servers = useServerChildren()

it('answers 503 with Retry-After while Postgres is away, nothing else at any time, and writes nothing half', async () => {
  const postgres = await startPostgres()
  cleanUps.push(() => postgres.remove())
  const database = openPostgres<Tables>({ url: postgres.url })
  cleanUps.push(() => database.close())
  await migrateUp(database)
  const { secret, accounts } = await seedAccounts(database, 100)
  const apiUrl = await servers
    .load([
      `database.url=${postgres.url}`,
      `data.dir=${newDataDir()}`,
      `auth.secret=${secret}`,
      'rateLimits.enabled=false',
      'log.level=silent',
    ])
    .serve()

  let phase: 'before' | 'away' | 'after' = 'before'
  let isOver = false
  const answers = { before: new Map<string, number>(), away: new Map<string, number>(), after: new Map<string, number>() }
  const pairs = pairsOf(accounts, 9_000)
  let acknowledged = 0
  const load = Array.from({ length: clients }, async () => {
    for (let pair = pairs.shift(); pair && !isOver; pair = pairs.shift()) {
      const [from, to] = pair
      for (let isDone = false; !isDone; ) {
        const asked = phase
        const { status, headers } = await call(apiUrl, 'POST', '/api/v1/relation/follow', {
          token: from.token,
          body: { followee_id: to.id },
        })
        // One that began before and ended during it may have been cut off, or may not.
        const met = asked === phase ? phase : 'away'
        const kind = status === 503 ? `503, retry after ${headers.get('retry-after')}` : String(status)
        answers[met].set(kind, (answers[met].get(kind) ?? 0) + 1)
        isDone = status === 200 || status === 409 // 409 where it had been stored, and only the answer was lost
        if (isDone) acknowledged++
        else await sleep(20)
      }
      await sleep(2)
    }
  })
  const seen = () => answers[phase].size > 0
  await expect.poll(seen, { timeout: 10_000 }).toBe(true)
  phase = 'away'
  await postgres.stop()
  await sleep(awayMs)
  await postgres.start()
  await expect.poll(async () => (await call(apiUrl, 'GET', '/readyz')).status, { timeout: 20_000 }).toBe(200)
  phase = 'after'
  await expect.poll(seen, { timeout: 10_000 }).toBe(true)
  await sleep(1_000) // as long as an error would have come that belongs to what was
  isOver = true
  await Promise.all(load)

  expect([...answers.before.keys()]).toEqual(['200'])
  expect(answers.away.get('503, retry after 1')).toBeGreaterThan(0)
  expect([...answers.away.keys()].filter((kind) => !['200', '409', '503, retry after 1'].includes(kind))).toEqual([])
  expect([...answers.after.keys()].filter((kind) => !['200', '409'].includes(kind))).toEqual([])
  await expectToldOnce({ database }, acknowledged)
})
