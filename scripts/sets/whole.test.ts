import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { freePort } from '../packed/project.ts'
import { root } from '../packages.ts'
import { createTestDatabase } from './database.ts'
import { missing, parsers, pinstack } from './programs.ts'

const { TEST_POSTGRES_URL: postgresUrl, TEST_REDIS_URL: redisUrl, TEST_KAFKA_BROKERS: brokers } = process.env
const absent = Object.entries({ TEST_POSTGRES_URL: postgresUrl, TEST_REDIS_URL: redisUrl, TEST_KAFKA_BROKERS: brokers }).find(
  ([, value]) => !value,
)
const run = `whole-${Date.now()}`
const withoutGo = missing('go', 'golang-go')
const without = withoutGo || (absent ? ` — ${absent[0]} is not set` : '')

test.skipIf(!process.env.CI)('CI has the servers that the core needs — elsewhere they may be missing', () => {
  expect(without).toBe('')
})

/** The commands and settings are those of the file; only the names of other containers are other addresses here. */
describe.skipIf(without !== '')(`the core of the Compose set, its processes run as the file says${without}`, () => {
  let services: Record<string, { command: string[]; environment: Record<string, string> }>
  let addresses: [name: string, here: string][]
  const running: ChildProcess[] = []
  const ports: Record<string, { api: number; metrics: number }> = {}
  const main = join(root, 'packages/cli/bin/pinstack.js')

  beforeAll(async () => {
    const dir = join(mkdtempSync(join(tmpdir(), 'pinstack-whole-')), 'set')
    pinstack('deploy', 'compose', '--directory', dir)
    services = JSON.parse(execFileSync(parsers(), ['compose', join(dir, 'compose.yaml'), 'core'], { encoding: 'utf8' })).services
    const database = await createTestDatabase(postgresUrl!)
    const own = services['migrate']!.environment
    addresses = [
      [own['PINSTACK_DATABASE_URL']!, database],
      [own['PINSTACK_REDIS_URL']!, redisUrl!],
      ['kafka:9092', brokers!],
    ]
    const migrated = spawnSync(process.execPath, [main, ...services['migrate']!.command], {
      env: await environment('migrate'),
      encoding: 'utf8',
    })
    if (migrated.status !== 0) throw new Error(migrated.stderr)
    for (const name of ['server-1', 'server-2', 'worker']) {
      running.push(spawn(process.execPath, [main, ...services[name]!.command], { env: await environment(name), stdio: 'ignore' }))
      await vi.waitFor(() => ready(ports[name]!.metrics), {
        timeout: 60_000,
        interval: 100,
      })
    }
  })
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL')
  })

  async function ready(port: number): Promise<void> {
    const { status } = await fetch(`http://127.0.0.1:${port}/readyz`)
    if (status !== 200) throw new Error(`/readyz answers ${status}`)
  }

  async function environment(name: string): Promise<NodeJS.ProcessEnv> {
    ports[name] = { api: await freePort(), metrics: await freePort() }
    const given = Object.entries(services[name]!.environment).map(([key, value]) => [
      key,
      addresses.find(([there]) => there === value)?.[1] ?? value,
    ])
    return {
      PATH: process.env.PATH,
      ...Object.fromEntries(given),
      PINSTACK_DATA_DIR: mkdtempSync(join(tmpdir(), 'pinstack-data-')),
      PINSTACK_HTTP_PORT: String(ports[name].api),
      PINSTACK_METRICS_PORT: String(ports[name].metrics),
      // The servers of the tests are shared: what this run says is its own.
      PINSTACK_REDIS_PREFIX: `${run}:`,
      PINSTACK_KAFKA_CLIENT_ID: run,
      ...Object.fromEntries(
        ['USER', 'POST', 'RELATION', 'NOTIFICATION'].map((topic) => [`PINSTACK_KAFKA_TOPICS_${topic}`, `${run}-${topic.toLowerCase()}`]),
      ),
    }
  }

  async function call(server: string, path: string, { token, body }: { token?: string; body?: object } = {}): Promise<any> {
    const response = await fetch(`http://127.0.0.1:${ports[server]!.api}/api/v1${path}`, {
      method: body ? 'POST' : 'GET',
      ...(body && { body: JSON.stringify(body) }),
      headers: token ? { authorization: `Bearer ${token}` } : {},
    })
    expect(response.status).toBeLessThan(300)
    return ((await response.json()) as { data: unknown }).data
  }

  test('a follow on one server is a notification on the other, by way of the worker and Kafka', async () => {
    const account = (username: string) => ({ username, email: `${username}@example.com`, password: 'correct horse' })
    const ada = await call('server-1', '/auth/register', { body: account('ada') })
    const bob = await call('server-2', '/auth/register', { body: account('bob') })
    const me = await call('server-2', '/auth/me', { token: ada.access_token }) // the other server knows the session
    await call('server-2', '/relation/follow', { token: bob.access_token, body: { followee_id: me.id } })
    await vi.waitFor(
      async () => expect((await call('server-1', '/notification/unread-count', { token: ada.access_token })).count).toBe(1),
      {
        timeout: 30_000,
        interval: 100,
      },
    )
  })

  test('the worker serves no API, and says that it is well', async () => {
    await expect(fetch(`http://127.0.0.1:${ports['worker']!.api}/readyz`)).rejects.toThrow()
    const health = (await (await fetch(`http://127.0.0.1:${ports['worker']!.metrics}/healthz`)).json()) as { status: string; parts: object }
    expect(health.status).toBe('up')
    expect(Object.keys(health.parts)).toEqual(expect.arrayContaining(['database', 'redis', 'kafka']))
  })

  test('each ends by itself when it is told to, within the time that the file gives', async () => {
    for (const child of running) {
      const exit = new Promise((resolve) => child.once('exit', (code) => resolve(code)))
      child.kill('SIGTERM')
      expect(await exit).toBe(0)
    }
  })
})
