import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { freePort } from '../packed/project.ts'
import { root } from '../packages.ts'
import { createTestDatabase } from './database.ts'
import { missing, pinstack } from './programs.ts'

const postgresUrl = process.env.TEST_POSTGRES_URL
const withoutCaddy = missing('caddy')
const withoutPostgres = postgresUrl ? '' : ` — ${process.env.TEST_POSTGRES_MISSING ?? 'TEST_POSTGRES_URL is not set'}`
const caddyfile = join(root, 'docker/caddy/Caddyfile')
const secret = randomBytes(32).toString('base64url')
const clients = 12

describe.skipIf(withoutCaddy !== '')(`the proxy's configuration, read by Caddy${withoutCaddy}`, () => {
  const validate = (file: string, env: Record<string, string> = {}) =>
    spawnSync('caddy', ['validate', '--config', file, '--adapter', 'caddyfile'], {
      encoding: 'utf8',
      env: { PATH: process.env.PATH!, HOME: mkdtempSync(join(tmpdir(), 'pinstack-caddy-')), ...env },
    })

  test.each([':80', 'social.example.com'])('of the Compose set, for %s', (PINSTACK_SITE) => {
    const { status, stderr } = validate(caddyfile, { PINSTACK_SITE, PINSTACK_UPSTREAMS: 'server-1:8080 server-2:8080' })
    expect([status, stderr]).toEqual([0, expect.stringContaining('"msg":"using provided configuration"')])
  })

  test.each([
    ['SQLite', []],
    ['Postgres', ['--database', 'postgres://u@db/p', '--domain', 'social.example.com']],
  ])('of the systemd set, on %s', (_, options) => {
    const dir = join(mkdtempSync(join(tmpdir(), 'pinstack-systemd-')), 'set')
    pinstack('deploy', 'systemd', '--directory', dir, ...options)
    expect(validate(join(dir, 'Caddyfile')).status).toBe(0)
  })
})

const without = withoutCaddy || withoutPostgres
describe.skipIf(without !== '')(`Caddy in front of two servers on Postgres${without}`, () => {
  let databaseUrl: string
  let url: string
  let token: string
  const servers: { child: ChildProcess; port: number; metricsPort: number }[] = []
  const running: ChildProcess[] = []

  function spawned(program: string, args: string[], env: Record<string, string>): ChildProcess {
    const child = spawn(program, args, { env: { PATH: process.env.PATH!, ...env }, stdio: ['ignore', 'ignore', 'ignore'] })
    running.push(child)
    return child
  }

  async function startServer(index: number): Promise<void> {
    const { port, metricsPort } = servers[index] ?? { port: await freePort(), metricsPort: await freePort() }
    const args = [join(root, 'packages/cli/bin/pinstack.js'), 'up', '--port', String(port), '--metrics-port', String(metricsPort)]
    const child = spawned(process.execPath, args, {
      PINSTACK_DATABASE_URL: databaseUrl,
      PINSTACK_AUTH_SECRET: secret,
      PINSTACK_RATE_LIMITS_ENABLED: 'false',
      PINSTACK_LOG_LEVEL: 'silent',
      PINSTACK_HTTP_DRAIN_DELAY_MS: '3000',
      PINSTACK_DATA_DIR: mkdtempSync(join(tmpdir(), 'pinstack-data-')),
    })
    servers[index] = { child, port, metricsPort }
    await isReady(`http://127.0.0.1:${port}`)
  }

  async function stopServer(index: number): Promise<void> {
    const { child } = servers[index]!
    const exit = new Promise((resolve) => child.once('exit', resolve))
    child.kill('SIGTERM')
    expect(await exit).toBe(0)
  }

  const isReady = (address: string) =>
    vi.waitFor(async () => expect(await status(`${address}/readyz`)).toBe(200), { timeout: 30_000, interval: 50 })
  const status = (address: string) =>
    fetch(address).then(
      (response) => response.status,
      () => 0,
    )
  const post = (path: string, body: object) =>
    fetch(`${url}/api/v1${path}`, { method: 'POST', body: JSON.stringify(body), headers: { authorization: `Bearer ${token}` } })

  beforeAll(async () => {
    databaseUrl = await createTestDatabase(postgresUrl!)
    await startServer(0)
    await startServer(1)
    const [sitePort, apiPort, adminPort] = [await freePort(), await freePort(), await freePort()]
    url = `http://127.0.0.1:${sitePort}`
    const home = mkdtempSync(join(tmpdir(), 'pinstack-caddy-'))
    spawned('caddy', ['run', '--config', caddyfile, '--adapter', 'caddyfile'], {
      HOME: home,
      XDG_DATA_HOME: home,
      CADDY_ADMIN: `127.0.0.1:${adminPort}`,
      PINSTACK_SITE: `:${sitePort}`,
      PINSTACK_PORT: String(apiPort),
      PINSTACK_UPSTREAMS: servers.map(({ port }) => `127.0.0.1:${port}`).join(' '),
    })
    await isReady(url)
    await isReady(`http://127.0.0.1:${apiPort}`)
    const account = { username: 'ada', email: 'ada@example.com', password: 'correct horse' }
    const registered = await post('/auth/register', account)
    token = ((await registered.json()) as { data: { access_token: string } }).data.access_token
  })
  afterAll(() => {
    for (const child of running) child.kill('SIGKILL')
  })

  async function served(index: number): Promise<number> {
    const text = await (await fetch(`http://127.0.0.1:${servers[index]!.metricsPort}/metrics`)).text()
    return [...text.matchAll(/^pinstack_http_requests_total{.*} (\d+)$/gm)].reduce((sum, [, count]) => sum + Number(count), 0)
  }

  test('both of them answer', async () => {
    const before = await Promise.all([served(0), served(1)])
    await Promise.all(Array.from({ length: 100 }, () => fetch(`${url}/api/v1/posts/list`).then((response) => response.text())))
    const after = await Promise.all([served(0), served(1)])
    for (const index of [0, 1]) expect(after[index]! - before[index]!).toBeGreaterThan(10)
  })

  test('live events come through as they happen', async () => {
    const leave = new AbortController()
    onTestFinished(() => leave.abort())
    const stream = await fetch(`${url}/api/v1/notification/stream`, { headers: { authorization: `Bearer ${token}` }, signal: leave.signal })
    expect(stream.headers.get('content-type')).toContain('text/event-stream')
    const reader = stream.body!.pipeThrough(new TextDecoderStream()).getReader()
    let seen = ''
    const until = async (text: string) => {
      while (!seen.includes(text)) seen += (await reader.read()).value ?? ''
    }
    await until('event: ready')
    const other = { username: 'bob', email: 'bob@example.com', password: 'correct horse' }
    const { data } = (await (await post('/auth/register', other)).json()) as { data: { access_token: string } }
    const me = (await (await fetch(`${url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${token}` } })).json()) as {
      data: { id: number }
    }
    const followed = await fetch(`${url}/api/v1/relation/follow`, {
      method: 'POST',
      body: JSON.stringify({ followee_id: me.data.id }),
      headers: { authorization: `Bearer ${data.access_token}` },
    })
    expect(followed.status).toBeLessThan(300)
    await until('follow_created')
  })

  test('one server restarts after the other under load: no request fails, no post is lost, none is doubled', async () => {
    let isOver = false
    let reads = 0
    const made: string[] = []
    const failures: string[] = []
    const note = (what: string, response: Response | Error, expected: number) => {
      if (response instanceof Error) failures.push(`${what}: ${response.message} ${(response.cause as Error | undefined)?.message ?? ''}`)
      else if (response.status !== expected) failures.push(`${what}: ${response.status}`)
    }
    const load = Array.from({ length: clients }, async (_, client) => {
      for (let turn = 0; !isOver; turn++) {
        const title = `post ${client}-${turn}`
        const written = await post('/posts', { title, content: 'written while servers restart' }).catch((error: Error) => error)
        note('write', written, 201)
        if (written instanceof Response && written.status === 201) made.push(title)
        if (written instanceof Response) await written.text()
        const read = await fetch(`${url}/api/v1/posts/list?limit=5`).catch((error: Error) => error)
        note('read', read, 200)
        if (read instanceof Response) await read.text()
        reads++
      }
    })
    const atLeast = (count: number) => expect.poll(() => reads, { timeout: 60_000 }).toBeGreaterThan(count)
    await atLeast(200)
    for (const index of [0, 1, 0, 1]) {
      await stopServer(index)
      await atLeast(reads + 100)
      await startServer(index)
      await atLeast(reads + 300) // the proxy asks each second whether it is back
    }
    isOver = true
    await Promise.all(load)
    console.log(`${made.length} posts and ${reads} reads through four restarts, ${failures.length} failed`)
    expect(failures).toEqual([])
    const found = await titles()
    expect(found.filter((title) => title.startsWith('post ')).sort()).toEqual(made.sort())
  })

  async function titles(): Promise<string[]> {
    const all: string[] = []
    for (let offset = 0; ; offset += 100) {
      const response = await fetch(`${url}/api/v1/posts/list?limit=100&offset=${offset}`)
      const { data } = (await response.json()) as { data: { posts: { title: string }[] } }
      all.push(...data.posts.map(({ title }) => title))
      if (data.posts.length < 100) return all
    }
  }
})
