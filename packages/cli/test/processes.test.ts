import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(PINSTACK_|PORT$|DATABASE_URL$|NODE_ENV$|FORCE_COLOR$|NODE_OPTIONS$)/.test(name)),
)
const postgresUrl = process.env['TEST_POSTGRES_URL']
const missing = process.env['TEST_POSTGRES_MISSING'] ?? 'TEST_POSTGRES_URL is not set'
if (!postgresUrl && process.env['CI']) throw new Error('TEST_POSTGRES_URL is required in CI')

const dir = mkdtempSync(join(tmpdir(), 'pinstack-processes-'))
const running = new Set<ChildProcess>()
afterEach(async () => {
  for (const child of running) child.kill('SIGKILL')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function up(args: readonly string[]) {
  const child = spawn(process.execPath, ['--conditions=@pinstack/source', main, 'up', '--port', '0', '--metrics-port', '0', ...args], {
    cwd: dir,
    env: clean,
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  running.add(child)
  let stderr = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  const ended = once(child, 'close').then(([code]) => {
    running.delete(child)
    return { code: code as number | null, stderr }
  })
  return { child, ended, says: () => stderr }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

it('takes one process on SQLite, and says what to do for more', async () => {
  const { code, stderr } = await up(['--processes', '2']).ended
  expect([code, stderr]).toEqual([
    2,
    'pinstack: processes (--processes) must be 1 on SQLite, which one process has for itself: take Postgres (database.url) for several processes.\n',
  ])
})

describe.skipIf(!postgresUrl)(`several processes on one port${postgresUrl ? '' : ` — ${missing}`}`, () => {
  const admin = postgresUrl ? new pg.Pool({ connectionString: postgresUrl, max: 1 }) : undefined
  const name = `test_${randomBytes(6).toString('hex')}`
  const url = postgresUrl && Object.assign(new URL(postgresUrl), { pathname: name }).href
  beforeAll(async () => void (await admin!.query(`create database ${name}`)))
  afterAll(async () => {
    await admin!.query(`drop database if exists ${name} with (force)`)
    await admin!.end()
  })

  async function started() {
    const server = up(['--processes', '3', '--database', url!, '--set', 'rateLimits.enabled=false'])
    await expect.poll(server.says, { timeout: 20_000 }).toMatch(/Storage/)
    const api = /API {7}(\S+)/.exec(server.says())![1]!
    const metrics = server.says().match(/http:\S+\/metrics/g)!
    return { ...server, api, metrics }
  }

  it('share it, each with metrics of its own, and end together', async () => {
    const { api, metrics, child, ended } = await started()
    expect(new Set(metrics).size).toBe(3)
    // A connection each: the port gives them out in turn.
    for (let i = 0; i < 12; i++) expect((await fetch(`${api}/readyz`, { headers: { connection: 'close' } })).status).toBe(200)
    const served = await Promise.all(
      metrics.map(
        async (address) => (await (await fetch(address)).text()).match(/^pinstack_http_requests_total\{.*readyz.*\} (\d+)$/m)?.[1],
      ),
    )
    expect(served.map(Number).reduce((sum, count) => sum + count, 0)).toBe(12)
    expect(served.every((count) => Number(count) > 0)).toBe(true)
    child.kill('SIGTERM')
    expect(await ended).toMatchObject({ code: 0, stderr: expect.stringMatching(/Stopping …\nStopped\.\n$/) })
    await expect(fetch(api)).rejects.toThrow()
  }, 60_000)

  it('go on when one of them is killed, which is started again, and end with the one that has started them', async () => {
    const { child, api, ended, says } = await started()
    const [, second] = spawnedBy(child.pid!)
    process.kill(second!, 'SIGKILL')
    await expect.poll(says, { timeout: 10_000 }).toMatch(/Process \d has ended \(SIGKILL\), and is started again\./)
    for (let i = 0; i < 6; i++) expect((await fetch(`${api}/readyz`, { headers: { connection: 'close' } })).status).toBe(200)
    await expect.poll(() => spawnedBy(child.pid!).length, { timeout: 20_000 }).toBe(3)
    const pids = spawnedBy(child.pid!)
    child.kill('SIGKILL')
    await ended
    await expect.poll(() => pids.filter(isAlive), { timeout: 10_000 }).toEqual([])
  }, 60_000)
})

function spawnedBy(parent: number): number[] {
  const lines = execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => line.trim().split(/\s+/).map(Number)).flatMap(([pid, ppid]) => (ppid === parent ? [pid!] : []))
}
