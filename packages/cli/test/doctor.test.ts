import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consumerNames, type Finding } from '@pinstack/server/diagnose'
import { createServer } from '@pinstack/server'
import { loadConfig } from '@pinstack/server/config'
import { migrateUp } from '@pinstack/server/migrations'
import { openApp } from '@pinstack/server/open-app'
import { openDatabase } from '@pinstack/server/open-database'
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { runHere } from './run-here.ts'

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'pinstack-doctor-'))
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

async function doctor(database: string, more: string[] = []) {
  const { exitCode, stdout, stderr } = await runHere(['doctor', '--json', '--database', database, '--data', dir, ...more])
  const { findings } = JSON.parse(stdout) as { findings: Finding[] }
  const wrong = findings.filter(({ status }) => status === 'wrong')
  for (const finding of findings) expect('fix' in finding).toBe(finding.status !== 'good')
  expect(exitCode).toBe(wrong.length === 0 ? 0 : 1)
  return { findings, wrong: wrong.map(({ check, found }) => `${check}: ${found}`), stderr }
}

/** Writes past Pinstack, as what the doctor looks for came about. */
async function withDatabase(database: string, work: (db: Awaited<ReturnType<typeof openDatabase>>['database']) => Promise<unknown>) {
  const { config } = loadConfig({ env: {}, flags: { 'database.url': database, 'data.dir': dir } })
  const opened = await openDatabase(config)
  try {
    await work(opened.database)
  } finally {
    await opened.database.close()
  }
}

const now = () => new Date().toISOString()
const longAgo = '2020-01-01T00:00:00.000Z'

const postgresUrl = process.env['TEST_POSTGRES_URL']
const withoutPostgres = postgresUrl ? '' : ` — ${process.env['TEST_POSTGRES_MISSING'] ?? 'TEST_POSTGRES_URL is not set'}`
const engines: [title: string, isThere: boolean, make: () => Promise<string>][] = [
  ['the doctor [sqlite]', true, async () => `sqlite:${join(dir, `${randomBytes(6).toString('hex')}.db`)}`],
  [`the doctor [postgres]${withoutPostgres}`, postgresUrl !== undefined, createDatabase],
]

async function createDatabase(): Promise<string> {
  const admin = new pg.Client({ connectionString: postgresUrl })
  await admin.connect()
  const name = `test_doctor_${randomBytes(6).toString('hex')}`
  await admin.query(`create database ${name} template template0 locale_provider icu icu_locale 'en-US'`)
  onTestFinished(async () => {
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  })
  return Object.assign(new URL(postgresUrl!), { pathname: name }).href
}

describe.for(engines)('%s', ([, isThere, make]) => {
  async function migrated(): Promise<string> {
    const url = await make()
    await withDatabase(url, (database) => migrateUp(database))
    return url
  }

  it.skipIf(!isThere)('finds nothing wrong where nothing is, and leaves no trace', async () => {
    const url = await migrated()
    const { findings, wrong, stderr } = await doctor(url)
    expect([wrong, stderr]).toEqual([[], ''])
    const checks = ['versions', 'configuration', 'database', 'schema', 'counters', 'dead letters', 'outbox', 'disk']
    expect(findings.map(({ check }) => check).filter((check) => check !== 'clock')).toEqual(checks)
    expect(findings.some(({ check }) => check === 'clock')).toBe(url.startsWith('postgres'))
  })

  it.skipIf(!isThere)('says which migrations wait, and asks for no table that they make', async () => {
    const url = await make()
    const { findings, wrong } = await doctor(url)
    if (url.startsWith('sqlite:')) expect(existsSync(url.slice('sqlite:'.length))).toBe(false)
    // A file of SQLite that is not there yet is made by the first start, and is no fault.
    if (findings.some(({ found }) => found.includes('made on the first start'))) return expect(wrong).toEqual([])
    expect(wrong).toEqual([expect.stringMatching(/^schema: Not applied: 0001-users, .*\.$/)])
    expect(findings.some(({ check }) => check === 'counters')).toBe(false)
  })

  it.skipIf(!isThere)('refuses a schema that is newer', async () => {
    const url = await migrated()
    await withDatabase(url, ({ db }) => (db as any).insertInto('migration').values({ name: '9999-later', timestamp: now() }).execute())
    expect((await doctor(url)).wrong).toEqual([expect.stringContaining('schema: The database is newer')])
  })

  it.skipIf(!isThere)('finds a counter that is off', async () => {
    const url = await migrated()
    await runHere(['seed', '--users', '30', '--posts-per-user', '3', '--yes', '--database', url, '--data', dir])
    expect((await doctor(url)).wrong).toEqual([])
    for (const counter of ['followerCount', 'followeeCount', 'postCount', 'notificationCount', 'unreadCount'] as const) {
      const set = (by: number) =>
        withDatabase(url, ({ db }) =>
          db
            .updateTable('user')
            .where('id', '=', 3)
            .set((eb) => ({ [counter]: eb(counter, '+', by) }))
            .execute(),
        )
      await set(1)
      expect((await doctor(url)).wrong).toEqual([
        expect.stringMatching(new RegExp(`^counters: 1 are off: user 3 has ${counter} \\d+ for \\d+\\.$`)),
      ])
      await set(-1)
    }
  })

  it.skipIf(!isThere)('finds dead letters, which can be listed, tried again and dropped', async () => {
    const url = await migrated()
    const on = ['--database', url, '--data', dir]
    const letter = (eventId: string) => ({
      consumer: 'notifications',
      eventId,
      type: 'follow_created',
      key: 1,
      payload: '{}',
      createdAt: now(),
      attempts: 5,
      error: 'no such user\n  at x',
      nextAttemptAt: null,
    })
    await withDatabase(url, ({ db }) =>
      db
        .insertInto('deadLetter')
        .values([letter('1'), letter('2'), letter('3')])
        .execute(),
    )
    expect((await doctor(url)).wrong).toEqual(['dead letters: 3 events were given up after five attempts each.'])
    const listed = JSON.parse((await runHere(['events', 'dead', '--json', ...on])).stdout) as { id: number }[]
    expect(listed).toHaveLength(3)
    expect((await runHere(['events', 'dead', ...on])).stdout).toMatch(/ID +CONSUMER[^]*notifications +follow_created +1 .* no such user\n/)
    const [first, second] = listed.map(({ id }) => String(id))
    expect(await runHere(['events', 'replay', first!, ...on])).toMatchObject({ exitCode: 0, stderr: '1 will be tried again.\n' })
    expect(await runHere(['events', 'replay', first!, ...on])).toMatchObject({
      exitCode: 1,
      stderr: expect.stringContaining(`There is no dead letter ${first}.`),
    })
    expect(await runHere(['events', 'drop', second!, ...on])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') })
    expect(await runHere(['events', 'drop', '--all', '--yes', ...on])).toMatchObject({ exitCode: 0, stderr: '2 are gone.\n' })
    expect((await doctor(url)).wrong).toEqual([])
  })

  it.skipIf(!isThere)('finds events that nobody takes: not numbered, or numbered and not consumed', async () => {
    const url = await migrated()
    const event = { type: 'follow_created', key: 1, payload: '{}', createdAt: longAgo } as const
    await withDatabase(url, async ({ db }) => {
      await (db as any).insertInto('outbox').values(event).execute()
    })
    expect((await doctor(url)).wrong).toEqual([expect.stringMatching(/^outbox: 1 events wait to be handed on, the oldest for \d+ s\.$/)])
    await withDatabase(url, async ({ db }) => {
      await db.updateTable('outbox').set({ seq: 1 }).execute()
      await db.updateTable('outboxPosition').where('name', '=', 'sequence').set({ seq: 1 }).execute()
      await db.insertInto('outboxPosition').values({ name: 'notifications', seq: 0 }).execute()
    })
    expect((await doctor(url)).wrong).toEqual([expect.stringMatching(/^consumers: notifications is 1 events behind, by \d+ s\.$/)])
  })
})

const redisUrl = process.env['TEST_REDIS_URL']
it.skipIf(!redisUrl)(`says which Redis it is${redisUrl ? '' : ' — TEST_REDIS_URL is not set'}`, async () => {
  const { findings, wrong } = await doctor('sqlite:none.db', ['--set', `redis.url=${redisUrl}`])
  expect(wrong).toEqual([])
  expect(findings).toContainEqual(
    expect.objectContaining({ check: 'redis', found: expect.stringMatching(/^Redis \d+\.\d+\S* answers within/) }),
  )
})

const brokers = process.env['TEST_KAFKA_BROKERS']
it.skipIf(!brokers)(
  `says that Kafka answers, and how far behind its readers are${brokers ? '' : ' — TEST_KAFKA_BROKERS is not set'}`,
  async () => {
    const topics = ['user', 'post', 'relation', 'notification'].map((name) => `kafka.topics.${name}=doctor-${name}-${Date.now()}`)
    const on = [`kafka.brokers=${brokers}`, `kafka.clientId=doctor-${Date.now()}`, ...topics].flatMap((setting) => ['--set', setting])
    const first = await doctor('sqlite:none.db', on)
    const says = ({ findings }: { findings: Finding[] }) =>
      findings.filter(({ check }) => ['kafka', 'consumers'].includes(check)).map(({ found }) => found)
    const answers = `The brokers at ${brokers} answer.`
    expect([first.wrong, says(first)]).toEqual([[], [answers, 'There are no topics yet: the first worker makes them.']])

    const flags = Object.fromEntries(on.filter((word) => word !== '--set').map((word) => word.split('=') as [string, string]))
    const quiet = { 'data.dir': join(dir, 'kafka'), 'http.port': 0, 'metrics.port': 0, 'log.level': 'silent' }
    const server = await createServer(loadConfig({ env: {}, flags: { ...flags, ...quiet } }).config)
    onTestFinished(() => server.close())
    await expect
      .poll(async () => says(await doctor('sqlite:none.db', on)), { timeout: 60_000 })
      .toEqual([answers, 'follow-notifications is 0 events behind what is in Kafka.'])
  },
  90_000,
)

it('Redis and Kafka that are away are wrong, each for itself, and no secret is told', async () => {
  const { wrong } = await doctor('sqlite:none.db', [
    '--set',
    'redis.url=redis://:hunter2@127.0.0.1:9',
    '--set',
    'kafka.brokers=127.0.0.1:9',
  ])
  expect(wrong).toEqual([
    expect.stringMatching(/^redis: Redis cannot be used: .*ECONNREFUSED/),
    expect.stringMatching(/^kafka: Kafka at 127\.0\.0\.1:9 cannot be used: /),
  ])
  expect(wrong.join('')).not.toContain('hunter2')
}, 40_000)

it('knows every consumer that there is', async () => {
  const { config } = loadConfig({ env: {}, flags: { 'data.dir': join(dir, 'consumers') } })
  const opened = await openApp(config, { migrate: true })
  onTestFinished(() => opened.close())
  expect(opened.app.consumers.map(({ name }) => name)).toEqual([...consumerNames])
})

it('tells people what to do, and ends with 1', async () => {
  const away = ['--database', 'postgres://u:hunter2@127.0.0.1:9/d', '--set', 'database.startTimeoutMs=0', '--data', dir]
  const { exitCode, stdout, stderr } = await runHere(['doctor', ...away])
  expect(exitCode).toBe(1)
  expect(stdout).toMatch(/✓ versions[^]*✗ database +Postgres at postgres:\/\/u:\*+@127[^]*\n +Start the database[^]*disk/)
  expect(stderr).toBe('pinstack: One thing is wrong.\n')
  expect(stdout).not.toContain('hunter2')
})

it('finds a configuration that is wrong, wherever it is; a wrong option is wrong use', async () => {
  const variable = await runHere(['doctor', '--json'], { PINSTACK_HTTP_PROT: '1' })
  expect(variable.exitCode).toBe(1)
  expect(JSON.parse(variable.stdout).findings).toContainEqual(
    expect.objectContaining({
      check: 'configuration',
      status: 'wrong',
      found: expect.stringContaining('did you mean PINSTACK_HTTP_PORT?'),
    }),
  )
  const file = join(dir, 'wrong.yaml')
  writeFileSync(file, 'http:\n  prot: 1\n')
  expect((await runHere(['doctor', '--config', file])).exitCode).toBe(1)
  expect((await runHere(['doctor', '--set', 'http.prot=1'])).exitCode).toBe(2)
  expect((await runHere(['doctor', 'now'])).exitCode).toBe(2)
})

it.each(['replay', 'drop'])('events %s takes numbers or --all, one of them', async (verb) => {
  for (const args of [[], ['1', '--all'], ['one'], ['0'], ['1.5']])
    expect(await runHere(['events', verb, ...args, '--data', join(dir, 'none')])).toMatchObject({ exitCode: 2, stdout: '' })
})
