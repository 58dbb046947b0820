import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { createHealth, mountHealth, type HealthCheck } from './health.ts'
import { createLogger } from './logging.ts'
import { createMetrics } from './metrics.ts'
import { createMetricsSurface } from './metrics-http.ts'

const up: HealthCheck = { name: 'database', required: true, check: async () => {} }
const down = (required: boolean): HealthCheck => ({
  name: required ? 'database' : 'bus',
  required,
  check: async () => {
    throw new Error('connect ECONNREFUSED 10.1.2.3, password hunter2')
  },
})

async function probed(checks: HealthCheck[]) {
  const health = createHealth({ version: '1.2.3', checks })
  const server = Fastify()
  mountHealth(server, health)
  const status = async (path: string) => (await server.inject(path)).statusCode
  return { health, server, statuses: async () => [await status('/livez'), await status('/readyz'), await status('/healthz')] }
}

describe('health', () => {
  it('is well when every part is, and says how long each took', async () => {
    const { server, statuses } = await probed([up, { name: 'outbox', required: false, check: async () => ({ lag_seconds: 0.2 }) }])
    expect(await statuses()).toEqual([200, 200, 200])
    const { headers, body } = await server.inject('/healthz')
    expect([headers['content-type'], headers['cache-control']]).toEqual(['application/json', 'no-store'])
    expect(JSON.parse(body)).toEqual({
      status: 'up',
      version: '1.2.3',
      uptime_seconds: expect.any(Number),
      parts: {
        database: { status: 'up', latency_ms: expect.any(Number) },
        outbox: { status: 'up', latency_ms: expect.any(Number), lag_seconds: 0.2 },
      },
    })
  })

  it('is not ready without a part that it needs, but lives; and tells nobody why', async () => {
    const { server, statuses } = await probed([down(true)])
    expect(await statuses()).toEqual([200, 503, 503])
    expect((await server.inject('/readyz')).json()).toEqual({ status: 'down' })
    expect((await server.inject('/healthz')).body).not.toMatch(/ECONN|hunter2|10\.1/)
  })

  it('goes on without a part that it can do without', async () => {
    const { server, statuses } = await probed([up, down(false)])
    expect(await statuses()).toEqual([200, 200, 200])
    expect((await server.inject('/healthz')).json()).toMatchObject({ status: 'degraded', parts: { bus: { status: 'down' } } })
  })

  it('is not ready once it closes', async () => {
    const { health, server, statuses } = await probed([up])
    health.close()
    expect(await statuses()).toEqual([200, 503, 503])
    expect((await server.inject('/readyz')).json()).toEqual({ status: 'closing' })
  })

  it('does not wait for a part that hangs', async () => {
    const { server } = await probed([{ name: 'database', required: true, check: () => new Promise(() => {}) }])
    const startMs = performance.now()
    expect((await server.inject('/readyz')).statusCode).toBe(503)
    expect(performance.now() - startMs).toBeLessThan(1_500)
  })

  it('asks each part once a second, however often it is asked itself', async () => {
    let asked = 0
    const { server } = await probed([
      {
        ...up,
        check: async () => {
          asked++
        },
      },
    ])
    await Promise.all(Array.from({ length: 50 }, () => server.inject('/readyz')))
    await server.inject('/healthz')
    expect(asked).toBe(1)
    await expect
      .poll(
        async () => {
          await server.inject('/readyz')
          return asked
        },
        { timeout: 3_000 },
      )
      .toBe(2)
  })
})

it('is told on the port of the metrics, too', async () => {
  const metrics = createMetrics({ version: '1.2.3', process: false })
  const surface = await createMetricsSurface({
    metrics,
    health: createHealth({ version: '1.2.3', checks: [up] }),
    logger: createLogger({ level: 'silent' }),
  })
  const url = await surface.listen({ host: '127.0.0.1', port: 0 })
  for (const path of ['/livez', '/readyz', '/healthz']) expect((await fetch(url + path)).status).toBe(200)
  const scraped = await fetch(`${url}/metrics`)
  expect([scraped.headers.get('content-type'), await scraped.text()]).toEqual([
    'text/plain; version=0.0.4; charset=utf-8',
    expect.stringContaining(`pinstack_build_info{version="1.2.3",node="${process.versions.node}"} 1`),
  ])
  expect([(await fetch(`${url}/api/v1/users/1`)).status, (await fetch(`${url}/metrics`, { method: 'POST' })).status]).toEqual([404, 404])
  await surface.close()
})
