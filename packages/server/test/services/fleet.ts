import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { expect } from 'vitest'
import type { Tables } from '../../src/schema.ts'
import type { OpenedDatabase } from '../drivers.ts'
import { recountFollows } from '../follows.ts'
import { call } from '../serve.ts'
import type { SeededAccount } from '../sessions.ts'

export interface Load {
  /** How many follows were answered with 200. */
  acknowledged(): number
  /** Resolves when all are. Rejects for any other answer. */
  done: Promise<void>
  /** Lets those that are under way finish, and starts no more; the rest never happens. */
  stop(): Promise<void>
}

/** Several clients that follow, each with a rest after each answer. Every answer has to be 200: nothing here may reach a user. */
export function startFollows(apiUrl: () => string, pairs: [SeededAccount, SeededAccount][], { clients = 4, restMs = 0 } = {}): Load {
  let [acknowledged, isStopped] = [0, false]
  const todo = [...pairs]
  const done = Promise.all(
    Array.from({ length: clients }, async () => {
      for (let pair = todo.shift(); pair && !isStopped; pair = todo.shift()) {
        const [from, to] = pair
        const { status, body } = await call(apiUrl(), 'POST', '/api/v1/relation/follow', {
          token: from.token,
          body: { followee_id: to.id },
        })
        if (status !== 200) throw new Error(`${status} ${JSON.stringify(body)}`)
        acknowledged++
        if (restMs > 0) await sleep(restMs)
      }
    }),
  ).then(() => {})
  done.catch(() => {}) // whoever waits for it hears of it
  return {
    acknowledged: () => acknowledged,
    done,
    async stop() {
      isStopped = true
      await done
    },
  }
}

export async function countRows({ database }: Pick<OpenedDatabase<Tables>, 'database'>, what: string): Promise<number> {
  return Number((await sql<{ n: number }>`select count(*) as n from ${sql.raw(what)}`.execute(database.db)).rows[0]!.n)
}

/** Every acknowledged follow is stored, was told of exactly once, and counts once; nothing else was. */
export async function expectToldOnce(
  opened: Pick<OpenedDatabase<Tables>, 'database'>,
  acknowledged: number,
  deadlineMs = 30_000,
): Promise<void> {
  const { db } = opened.database
  await expect.poll(() => countRows(opened, 'notification'), { timeout: deadlineMs, interval: 50 }).toBeGreaterThanOrEqual(acknowledged)
  await sleep(500) // a double would come now
  const sources = (await db.selectFrom('notification').select('sourceKey').execute()).map(({ sourceKey }) => sourceKey).sort()
  const follows = (await db.selectFrom('follow').select(['followerId', 'followeeId']).execute())
    .map((row) => `follow:${row.followerId}:${row.followeeId}`)
    .sort()
  expect(follows).toHaveLength(acknowledged)
  expect(sources).toEqual(follows) // the same length and the same names: lost 0, doubled 0
  expect(await countRows(opened, `outbox where type = 'notification_created'`)).toBe(acknowledged)
  expect(await countRows(opened, '"deadLetter"')).toBe(0)
  await recountFollows(opened)
}

/** The value of a metric without labels, or with exactly these. */
export async function metric(metricsUrl: string, name: string, labels = ''): Promise<number | undefined> {
  const text = await (await fetch(metricsUrl)).text()
  const line = text.split('\n').find((one) => one.startsWith(`pinstack_${name}${labels} `))
  return line === undefined ? undefined : Number(line.split(' ').at(-1))
}
