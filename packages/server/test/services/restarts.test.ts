import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { onDriver, useDatabase } from '../drivers.ts'
import { call, newDataDir } from '../serve.ts'
import { useServerChildren, type ServerChild } from '../server-child.ts'
import { pairsOf, seedAccounts } from '../sessions.ts'
import { expectToldOnce } from './fleet.ts'

const drainDelayMs = 1_000
/** How often a balancer asks who is ready. */
const lookMs = 100
const restartsOfEach = 2
const clients = 8
const exitMsMax = 10_000

interface Replica {
  child: ServerChild
  url: string
  isReady: boolean
}

onDriver('postgres', 'two replicas that are restarted one after the other', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const servers = useServerChildren()
  beforeAll(() => migrateUp(opened.database))

  it('under load fail no request, end within 10 s with exit code 0, and lose or double nothing', async () => {
    const { secret, accounts } = await seedAccounts(opened.database, 100)
    const flags = [
      `database.url=${opened.url}`,
      `data.dir=${newDataDir()}`,
      `auth.secret=${secret}`,
      'rateLimits.enabled=false',
      `http.drainDelayMs=${drainDelayMs}`,
    ]
    const replicas = new Set<Replica>()
    async function add(child: ServerChild): Promise<Replica> {
      const replica = { child, url: await child.serve(), isReady: true }
      replicas.add(replica)
      return replica
    }
    const [first, second] = [await add(servers.load(flags)), await add(servers.load(flags))]

    // What any balancer does: it asks who is ready, gives requests to those in turn, and keeps its connections.
    let isOver = false
    const looking = (async () => {
      while (!isOver) {
        for (const replica of replicas) {
          replica.isReady = await fetch(`${replica.url}/readyz`).then(
            ({ status }) => status === 200,
            () => false,
          )
        }
        await sleep(lookMs)
      }
    })()
    let turn = 0
    function next(): string {
      const ready = [...replicas].filter(({ isReady }) => isReady)
      return ready[turn++ % ready.length]!.url
    }

    const pairs = pairsOf(accounts, 9_000)
    const failures: unknown[] = []
    const answers = { follow: 0, read: 0 }
    async function ask(kind: keyof typeof answers, method: string, path: string, options?: Parameters<typeof call>[3]): Promise<void> {
      const status = await call(next(), method, path, options).then(
        (answer) => answer.status,
        (error) => error as Error,
      )
      if (status === 200) answers[kind]++
      else failures.push(status)
    }
    const load = Array.from({ length: clients }, async () => {
      for (let pair = pairs.shift(); pair && !isOver; pair = pairs.shift()) {
        const [from, to] = pair
        await ask('follow', 'POST', '/api/v1/relation/follow', { token: from.token, body: { followee_id: to.id } })
        await ask('read', 'GET', `/api/v1/users/${to.id}`)
        await sleep(5)
      }
    })

    const rounds: { exitCode: number | null; tookMs: number; servedMeanwhile: number }[] = []
    let current = [first, second]
    for (let round = 0; round < restartsOfEach * 2; round++) {
      const [old, other] = current as [Replica, Replica]
      const fresh = await add(servers.load(flags))
      const [servedBefore, beganMs] = [answers.follow, performance.now()]
      const exitCode = await old.child.stop()
      rounds.push({ exitCode, tookMs: performance.now() - beganMs, servedMeanwhile: answers.follow - servedBefore })
      replicas.delete(old)
      current = [other, fresh]
    }
    isOver = true
    await Promise.all([...load, looking])

    expect(failures).toEqual([])
    for (const { exitCode, tookMs, servedMeanwhile } of rounds) {
      expect(exitCode).toBe(0)
      expect(tookMs).toBeGreaterThanOrEqual(drainDelayMs)
      expect(tookMs).toBeLessThan(exitMsMax)
      expect(servedMeanwhile).toBeGreaterThan(0)
    }
    expect(answers.read).toBe(answers.follow)
    await expectToldOnce(opened, answers.follow)
  })
})
