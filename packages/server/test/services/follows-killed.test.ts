import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { onEachDriver, useDatabase } from '../drivers.ts'
import { recountFollows } from '../follows.ts'
import { call, newDataDir } from '../serve.ts'
import { useServerChildren } from '../server-child.ts'
import { pairsOf, seedAccounts, type SeededAccount } from '../sessions.ts'

const accountsMax = 46
const followsMax = 2_000
const kills = 20
const clients = 24

onEachDriver('follows while the server is killed', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const servers = useServerChildren()
  beforeAll(() => migrateUp(opened.database))

  it('are stored and told of exactly once each, as they were acknowledged', async () => {
    const { secret, accounts } = await seedAccounts(opened.database, accountsMax)
    const flags = [`database.url=${opened.url}`, `data.dir=${newDataDir()}`, `auth.secret=${secret}`, 'rateLimits.enabled=false']
    let current = servers.load(flags)
    let next = servers.load(flags)
    let serving = current.serve()
    const todo = pairsOf(accounts, followsMax)
    const acknowledged = { 200: 0, 409: 0 }
    async function follow([from, to]: [SeededAccount, SeededAccount]): Promise<void> {
      for (;;) {
        const ask = { token: from.token, body: { followee_id: to.id } }
        const answer = await call(await serving, 'POST', '/api/v1/relation/follow', ask).catch(() => undefined)
        if (answer?.status === 200 || answer?.status === 409) return void acknowledged[answer.status]++
        if (answer && answer.status !== 503) throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`)
        await sleep(5) // cut off: it may or may not have happened, so it is asked for again; or this machine is busy
      }
    }
    const work = Promise.all(
      Array.from({ length: clients }, async () => {
        for (let pair = todo.pop(); pair; pair = todo.pop()) await follow(pair)
      }),
    )

    const perLife = Math.floor(followsMax / (kills + 1))
    for (let killed = 0; killed < kills; killed++) {
      await serving
      const left = followsMax - perLife * (killed + 1)
      while (todo.length > left) await sleep(1)
      await sleep(killed % 4) // somewhere else in its work each time
      await current.kill()
      current = next
      serving = current.serve()
      next = servers.load(flags)
    }
    await work

    const count = async (what: string) =>
      Number((await sql<{ n: number }>`select count(*) as n from ${sql.raw(what)}`.execute(opened.database.db)).rows[0]!.n)
    await expect.poll(() => count('notification'), { timeout: 10_000, interval: 50 }).toBe(followsMax)
    await sleep(300) // a double would come now
    expect(acknowledged[200] + acknowledged[409]).toBe(followsMax)
    expect(acknowledged[409]).toBeLessThan(kills * clients) // each kill cuts off one answer of each client at the most
    expect([await count('follow'), await count('notification')]).toEqual([followsMax, followsMax])
    const of = (type: string) => count(`outbox where type = '${type}'`)
    expect([await of('follow_created'), await of('notification_created')]).toEqual([followsMax, followsMax])
    await recountFollows(opened)
    const sources = await opened.database.db.selectFrom('notification').select('sourceKey').distinct().execute()
    const follows = await opened.database.db.selectFrom('follow').select(['followerId', 'followeeId']).execute()
    expect(sources.map(({ sourceKey }) => sourceKey).sort()).toEqual(
      follows.map((row) => `follow:${row.followerId}:${row.followeeId}`).sort(),
    )
    expect(await count('"deadLetter"')).toBe(0)
  }, 180_000)
})
