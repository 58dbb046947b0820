import { beforeAll, expect, it, onTestFinished } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { requestMsMax } from '../../src/surfaces/requests.ts'
import { delayingProxy } from '../delaying-proxy.ts'
import { onDriver, useDatabase } from '../drivers.ts'
import { call, newDataDir } from '../serve.ts'
import { useServerChildren } from '../server-child.ts'
import { seedAccounts } from '../sessions.ts'
import { metric } from './fleet.ts'

const slowMs = 2_000

onDriver('postgres', 'a Postgres that is slow', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const servers = useServerChildren()
  beforeAll(() => migrateUp(opened.database))

  it('or silent costs no request more than its timeout, and nothing when it is itself again', async () => {
    const { secret, accounts } = await seedAccounts(opened.database, 3)
    const [ann, bob] = accounts as [(typeof accounts)[0], (typeof accounts)[0]]
    const proxy = await delayingProxy(opened.url)
    onTestFinished(proxy.close)
    const { apiUrl, metricsUrl } = await servers
      .load([
        `database.url=${proxy.url}`,
        `data.dir=${newDataDir()}`,
        `auth.secret=${secret}`,
        'rateLimits.enabled=false',
        'log.level=silent',
        'database.statementTimeoutMs=5000',
      ])
      .listen()
    const timed = async (method: string, path: string, options?: Parameters<typeof call>[3]) => {
      const beganMs = performance.now()
      const { status, headers } = await call(apiUrl, method, path, options)
      return { status, retryAfter: headers.get('retry-after'), tookMs: performance.now() - beganMs }
    }
    const follow = () => timed('POST', '/api/v1/relation/follow', { token: ann.token, body: { followee_id: bob.id } })
    const read = () => timed('GET', `/api/v1/relation/${bob.id}/followers`)
    expect((await read()).status).toBe(200)

    proxy.delayMs = slowMs
    const slow = await Promise.all([read(), follow(), read(), timed('GET', '/livez')])
    expect(slow.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    expect(slow[0]!.tookMs).toBeGreaterThanOrEqual(slowMs)
    expect(slow[3]!.tookMs).toBeLessThan(slowMs) // what needs no database does not wait for it
    for (const { tookMs } of slow) expect(tookMs).toBeLessThan(requestMsMax)

    proxy.delayMs = Number.POSITIVE_INFINITY
    const silent = await Promise.all(Array.from({ length: 30 }, () => read()))
    for (const { status, retryAfter, tookMs } of silent) {
      expect([status, Number(retryAfter) >= 1]).toEqual([503, true])
      expect(tookMs).toBeLessThan(requestMsMax + 5_000)
    }
    // Those that found no connection gave up, and after them the way was closed.
    expect(await metric(metricsUrl, 'dependency_failures_total', '{dependency="postgres",reason="error"}')).toBeGreaterThanOrEqual(5)
    expect(await metric(metricsUrl, 'breaker_state', '{dependency="postgres"}')).toBeGreaterThan(0)

    proxy.delayMs = 0
    await expect.poll(async () => (await timed('GET', '/readyz')).status, { timeout: 60_000 }).toBe(200)
    expect((await follow()).status).toBe(409) // it had been stored
    expect(await metric(metricsUrl, 'breaker_state', '{dependency="postgres"}')).toBe(0)
  })
})
