import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { loadConfig } from '@pinstack/server/config'
import { openDatabase } from '@pinstack/server/open-database'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { seedWords } from '../src/seed-words.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(PINSTACK_|PORT$|DATABASE_URL$|NODE_ENV$|FORCE_COLOR$|NODE_OPTIONS$)/.test(name)),
)

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinstack-seed-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

interface Running {
  process: ChildProcess
  stdout: string
  stderr: string
  ended: Promise<number | null>
}

function start(args: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, ['--conditions=@pinstack/source', main, ...args], { cwd: dir, env: { ...clean, ...env } })
  const running: Running = { process: child, stdout: '', stderr: '', ended: new Promise((resolve) => child.once('close', resolve)) }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (running.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (running.stderr += text))
  onTestFinished(() => void child.kill('SIGKILL'))
  return running
}

async function seed(data: string, args: readonly string[] = [], env?: Record<string, string>) {
  const running = start(['seed', '--data', data, ...args], env)
  return { exitCode: await running.ended, ...running }
}

async function saysUntil(running: Running, text: RegExp): Promise<RegExpExecArray> {
  for (const untilMs = performance.now() + 20_000; performance.now() < untilMs; await sleep(2)) {
    const found = text.exec(running.stderr)
    if (found) return found
  }
  throw new Error(`never said ${text}: ${running.stderr}`)
}

const tables = ['user', 'post', 'postMedia', 'tag', 'postTag', 'postTotal', 'follow', 'notification'] as const
const counted = {
  postCount: ['post', 'authorId'],
  followerCount: ['follow', 'followeeId'],
  followeeCount: ['follow', 'followerId'],
  notificationCount: ['notification', 'userId'],
} as const

/** All rows, after it was made sure that the counters say what they add up to. */
async function rowsOf(data: string): Promise<Record<string, any[]>> {
  const { database } = await openDatabase(loadConfig({ flags: { 'data.dir': join(dir, data) } }).config)
  try {
    const rows: Record<string, any[]> = {}
    for (const table of tables) rows[table] = await database.db.selectFrom(table).selectAll().execute()
    for (const [counter, [table, column]] of Object.entries(counted)) {
      const counts = new Map<number, number>()
      for (const row of rows[table]!) counts.set(row[column], (counts.get(row[column]) ?? 0) + 1)
      expect(rows.user!.filter((user) => user[counter] !== (counts.get(user.id) ?? 0))).toEqual([])
    }
    expect(rows.postTotal!.reduce((sum, { count }) => sum + count, 0)).toBe(rows.post!.length)
    return rows
  } finally {
    await database.close()
  }
}

const until = ['--until', '2026-01-31']

describe('seed', () => {
  it('killed at any moment, goes on to the very same rows', async () => {
    const sizes = ['--users', '1500', '--posts-per-user', '10', '--follows-per-user', '10', ...until]
    expect(await seed('whole', sizes)).toMatchObject({ exitCode: 0 })
    const whole = await rowsOf('whole')
    for (const line of [
      'users   500 of',
      'posts   [3-9]\\d{3} of',
      'posts   (9|1\\d)\\d{3} of',
      'follows [1-9]\\d* of',
      'follows (9|1\\d)\\d{3} of',
    ]) {
      const running = start(['seed', '--data', 'killed', ...sizes])
      await saysUntil(running, new RegExp(line))
      await sleep(Math.random() * 10) // anywhere in a batch
      running.process.kill('SIGKILL')
      await running.ended
      const rows = await rowsOf('killed')
      expect(rows.follow!.length).toBeLessThan(15_000)
    }
    expect(await seed('killed', sizes)).toMatchObject({ exitCode: 0 })
    expect(await rowsOf('killed')).toEqual(whole)
  }, 60_000)

  // The time is for a machine that is busy with other things: each run is a start of Node, and waits for the disk.
  it('says what it did, and that there was nothing to do', async () => {
    const small = ['--users', '20', '--posts-per-user', '2', '--follows-per-user', '3', '--password', 'correct horse', ...until]
    const first = await seed('small', small)
    expect(first.stderr).toMatch(
      /follows 60 of 60\nAdded [\d,]+ rows in [\d.]+ s \([\d,]+ rows\/s\), 2025-01-31 to 2026-01-31: SQLite, .+pinstack\.db\.\n/,
    )
    expect(first.stderr).toContain('Log in as any of u1@seed-1.example to u20@seed-1.example, with the password correct horse\n')
    expect(first.stdout).toBe('')
    const second = await seed('small', [...small, '--json'])
    expect(JSON.parse(second.stdout)).toMatchObject({ seed: 1, changed: false, rows: 0, users: 20, postsPerUser: 2, followsPerUser: 3 })
    expect((await seed('small', small)).stderr).toContain('Seed 1 is complete on SQLite')
    const third = await seed('small', [...small, '--seed', '2', '--json'])
    expect(JSON.parse(third.stdout)).toMatchObject({ seed: 2, changed: true, password: 'correct horse' })
  }, 60_000)

  it('is refused where people may be using the database, and touches nothing there', async () => {
    const tiny = ['--users', '3', '--follows-per-user', '1']
    const production = await seed('production', tiny, { NODE_ENV: 'production' })
    expect(production).toMatchObject({ exitCode: 2, stdout: '' })
    expect(production.stderr).toMatch(/^pinstack: NODE_ENV is production: if made-up people may be added to it, say so with --yes\.\n$/)
    expect(await seed('production', [...tiny, '--yes'], { NODE_ENV: 'production' })).toMatchObject({ exitCode: 0 })

    const create = start(['user', 'create', 'ada', '--email', 'ada@example.com', '--password-stdin', '--data', 'people'])
    create.process.stdin!.end('correct horse')
    expect(await create.ended).toBe(0)
    const people = await seed('people', tiny)
    expect([people.exitCode, people.stderr]).toEqual([2, expect.stringContaining('The database has accounts that no seed has made: ')])
    expect((await rowsOf('people')).user).toHaveLength(1)
    const elsewhere = await seed('none', [...tiny, '--database', 'postgres://pinstack@db.invalid/pinstack'])
    expect([elsewhere.exitCode, elsewhere.stderr]).toEqual([2, expect.stringContaining('The database is on another machine: ')])
  }, 60_000)

  it.each([
    ['--users many', '--users must be a whole number, not "many".'],
    ['--users 5 --follows-per-user 5', '--follows-per-user must be a whole number from 0 to 4.'],
    ['--until 2026-02-30', '--until takes a day, as 2026-01-31, not "2026-02-30".'],
    ['--password short', '--password must have 8 to 128 characters.'],
  ])('takes no %s', async (args, sentence) => {
    expect(await seed('wrong', args.split(' '))).toMatchObject({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringContaining(`pinstack: ${sentence}`),
    })
  })

  it('lets a server on the same file write between its batches, and log the new people in', async () => {
    const server = start(['up', '--port', '0', '--metrics-port', '0', '--data', 'served', '--set', 'rateLimits.enabled=false'])
    const [, url] = await saysUntil(server, /API {7}(\S+)/)
    const call = async (method: string, path: string, body?: unknown, token?: string) => {
      const response = await fetch(`${url}${path}`, {
        method,
        headers: token ? { authorization: `Bearer ${token}` } : {},
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return { status: response.status, data: ((await response.json()) as { data: any }).data }
    }
    const seeding = start(['seed', '--data', 'served', '--users', '1000'])
    await saysUntil(seeding, /posts {3}0 of/)
    const login = { login: 'u7@seed-1.example', password: 'pinstack' }
    const { data } = await call('POST', '/api/v1/auth/login', login)
    const ids: number[] = []
    const post = { title: 'While it is being seeded', content: 'A post like any other.' }
    while (seeding.process.exitCode === null) {
      const made = await call('POST', '/api/v1/posts', post, data.access_token)
      expect(made.status).toBe(201) // a writer that never gets its turn is told 503
      ids.push(made.data.id)
      await sleep(5)
    }
    expect(await seeding.ended).toBe(0)
    server.process.kill('SIGTERM')
    await server.ended
    const posts = (await rowsOf('served')).post!
    expect(posts).toHaveLength(20_000 + ids.length)
    // Seeded posts on both sides of the first one: it did not wait for the end.
    const lastSeeded = Math.max(...posts.map(({ id }) => id as number).filter((id) => !ids.includes(id)))
    expect(ids[0]).toBeLessThan(lastSeeded)
  }, 60_000)
})

describe('its words', () => {
  it('are the same for the same number, and keep the limits of what they are for', async () => {
    const [one, again, other] = [await seedWords(1), await seedWords(1), await seedWords(2)]
    expect(one).toEqual(again)
    expect(one.titles).not.toEqual(other.titles)
    for (const { firstNames, lastNames, bios, titles, sentences, tags, avatarUrls, media } of [one, other]) {
      expect(
        [firstNames, lastNames, bios, titles, sentences]
          .flat()
          .filter((text) => text.trim() === '' || /\p{Extended_Pictographic}/u.test(text)),
      ).toEqual([])
      expect([...firstNames, ...lastNames].filter((name) => name.length > 49)).toEqual([])
      expect([titles.filter(({ length }) => length < 3 || length > 255), sentences.filter(({ length }) => length < 10)]).toEqual([[], []])
      expect([tags.length, new Set(tags).size, tags.filter((tag) => tag.length < 2 || tag.length > 50)]).toEqual([200, 200, []])
      expect([...avatarUrls, ...media.map(({ url }) => url)].filter((url) => !url.startsWith('https://'))).toEqual([])
    }
  })
})
