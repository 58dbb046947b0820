import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ImportSummary } from '@pinstack/server/import-go'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { restAt, saysUntil, startCommand, type RunningCommand } from '../../server/test/command.ts'
import { bad, bcryptPassword, clearPassword, createGoSystem, fill, spoil, type GoSystem } from '../../server/test/go-system.ts'
import { freePort } from '../../server/test/free-port.ts'

const postgresUrl = process.env['TEST_POSTGRES_URL']
const missing = process.env['TEST_POSTGRES_MISSING'] ?? 'TEST_POSTGRES_URL is not set'
if (!postgresUrl && process.env['CI']) throw new Error('TEST_POSTGRES_URL is required in CI')

const dir = mkdtempSync(join(tmpdir(), 'pinstack-import-'))
afterAll(() => rmSync(dir, { recursive: true, force: true }))

function start(args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  return startCommand(args, { cwd: dir, env })
}

describe.skipIf(!postgresUrl)(`pinstack import go${postgresUrl ? '' : ` — ${missing}`}`, () => {
  let go: GoSystem
  let fromGo: string[]
  beforeAll(async () => {
    go = await createGoSystem(postgresUrl!)
    await fill(go, { users: 1_200, posts: 2_400, follows: 6_000 })
    await spoil(go)
    fromGo = Object.entries(go.urls).flatMap(([name, url]) => [`--${name}`, url])
  })
  afterAll(() => go?.drop())

  const importing = (data: string, args: readonly string[] = [], env?: Record<string, string>) =>
    start(['import', 'go', '--data', data, '--decisions', `${data}.yaml`, '--report', `${data}.jsonl`, ...args], env)
  const json = async (running: RunningCommand) =>
    JSON.parse((await running.ended).stdout) as Omit<ImportSummary, 'waiting'> & { waiting: number[] }

  it('killed at any moment, goes on to rows that add up, and serves them', async () => {
    for (const line of [
      'users {9}500 of',
      'posts {9}1000 of',
      'posts_tags {4}1\\d* of',
      'followers {5}3\\d* of',
      'notifications 5\\d* of',
    ]) {
      const running = importing('killed', fromGo)
      await saysUntil(running, new RegExp(line), { withinMs: 30_000 })
      await sleep(Math.random() * 10) // anywhere in a batch
      running.process.kill('SIGKILL')
      await running.ended
    }
    const last = importing('killed', [...fromGo, '--json'])
    const { tables, waiting } = await json(last)
    expect([last.exitCode, waiting.length]).toEqual([1, 8])
    expect(last.stdout + last.stderr + readFileSync(join(dir, 'killed.jsonl'), 'utf8')).not.toMatch(/clear text horse|\$2b\$/)
    const read = tables.map(({ table, read, imported, there, skipped }) => {
      expect(imported + there + Object.values(skipped).reduce((sum, count) => sum + count, 0)).toBe(read)
      return [table, read, imported + there]
    })
    expect(read).toEqual([
      ['users', 1_211, 1_203],
      ['posts', 2_411, 2_408],
      ['post_media', 1_610, 1_605],
      ['tags', 54, 52],
      ['posts_tags', 4_810, 4_803],
      ['followers', 6_007, 6_001],
      ['notifications', 1_211, 1_206],
    ])
    const doctor = await start(['doctor', '--data', 'killed']).ended
    expect([doctor.exitCode, doctor.stdout]).toEqual([0, expect.stringContaining('Those of 1203 users are what their rows say')])

    const server = start(['up', '--port', '0', '--metrics-port', '0', '--data', 'killed'])
    const [, url] = await saysUntil(server, /API {7}(\S+)/, { withinMs: 30_000 })
    const call = restAt(url!)
    const bcrypt = await call('/auth/login', { body: { login: 'user6@example.com', password: bcryptPassword } })
    const clear = await call('/auth/login', { body: { login: 'User7', password: clearPassword } })
    expect([bcrypt.status, clear.status]).toEqual([200, 200])
    const feed = await call('/notification/feed?limit=1', { token: clear.data.access_token })
    expect(feed.data.notifications).toEqual([
      {
        id: 6,
        user_id: 7,
        type: 'follow_created',
        is_read: false,
        created_at: '2024-03-01T00:00:05.12Z',
        payload: { follower_id: 6, followee_id: 7, timestamptz: '2024-03-01T00:00:00.123456789Z' },
        origin: 'system',
      },
    ])
    const followers = await call('/relation/7/followers?limit=2')
    expect(followers.data).toMatchObject({ total: 5, followers: [{ id: 1178 }, { id: 1185 }] })
    const posts = await call(`/posts/list?author_id=7&limit=10`)
    expect(
      posts.data.posts.map((post: any) => [post.id, post.tags.map(({ id }: any) => id), post.media?.map(({ id }: any) => id)]),
    ).toEqual([
      [1206, [7, 14], [804, 803]],
      [6, [7, 14], [4, 3]],
    ])
    server.process.kill('SIGTERM')
    await server.ended
  }, 120_000)

  it('asks for decisions in a file, and does what it says', async () => {
    const first = await importing('decided', fromGo).ended
    expect(first.exitCode).toBe(1)
    expect(first.stderr).toContain('pinstack: 8 accounts wait for a decision: make it in decided.yaml, then run the same command again.')
    expect(first.stdout).toMatch(/^users +1,211 +1,203 +0 +8$/m)
    expect(first.stdout).toMatch(/^users +8 +it waits for a decision$/m)
    const file = join(dir, 'decided.yaml')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const asked = readFileSync(file, 'utf8')
    expect(asked).toContain(`  "${bad + 2}":
    decision: undecided
    username: aNN
    email: ann2@example.com
    because: its username is that of user ${bad + 1}
`)
    const decide = (text: string, id: number, entry: string) =>
      text.replace(new RegExp(`("${id}":\n    decision: )undecided((?:\n    [^\n]*)*)`), (_, before, rest) => `${before}${entry}${rest}`)
    let decided = decide(asked, bad + 1, 'keep').replace('username: aNN', 'username: ann.two')
    decided = decide(decided, bad + 2, 'rename')
    for (const offset of [3, 5, 7, 8]) decided = decide(decided, bad + offset, 'skip')
    writeFileSync(file, decided)
    const second = await json(importing('decided', [...fromGo, '--json']))
    expect([second.waiting, second.tables[0]]).toMatchObject([
      [],
      { imported: 4, there: 1_203, skipped: { 'it is left out by decision': 4 } },
    ])
    expect(readFileSync(file, 'utf8')).toBe(decided)
    expect(await importing('decided', fromGo).ended).toMatchObject({ exitCode: 0 })
  }, 120_000)

  it('writes nothing when it only tries', async () => {
    const tried = await importing('tried', [...fromGo, '--dry-run']).ended
    expect([tried.exitCode, tried.stdout]).toEqual([1, expect.stringMatching(/^users +1,211 +1,203 +0 +8$/m)])
    expect(tried.stderr).toContain('Nothing was written.')
    expect(existsSync(join(dir, 'tried'))).toBe(false)
    const [run, ...rows] = readFileSync(join(dir, 'tried.jsonl'), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect([run, rows.length > 10]).toEqual([{ run: expect.any(String), dryRun: true }, true])
    expect(rows).toContainEqual({ table: 'posts', id: String(bad + 1), skipped: 'its user is gone' })
  })

  it('does not go among other people unless told', async () => {
    const create = start(['user', 'create', 'ada', '--email', 'ada@example.com', '--password-stdin', '--data', 'people'])
    create.process.stdin!.end('correct horse')
    expect((await create.ended).exitCode).toBe(0)
    const refused = await importing('people', fromGo).ended
    expect([refused.exitCode, refused.stderr]).toEqual([
      2,
      expect.stringContaining(
        'The database has accounts that are not of the Go system (user 1 is the first): if they may be among each other, say so with --yes.',
      ),
    ])
    const told = await json(importing('people', [...fromGo, '--yes', '--json']))
    expect(told.tables[0]!.skipped).toMatchObject({ 'its id is another user’s here': 1 })
  })

  it('says in one sentence what is wrong with where it is to read from', async () => {
    const with_ = (name: string, url: string) => Object.entries({ ...go.urls, [name]: url }).flatMap(([key, value]) => [`--${key}`, value])
    const says = async (args: readonly string[], env?: Record<string, string>) => {
      const { exitCode, stderr, stdout } = await importing('wrong', args, env).ended
      expect(stdout).toBe('')
      expect(stderr).not.toContain('    at ')
      return [exitCode, stderr.replace(/\n\(.*\n$/s, '')]
    }
    expect(await says(fromGo.slice(0, 6))).toEqual([2, expect.stringContaining("Required option '--notifications <url>' not specified")])
    expect(await says([...fromGo, '--users', 'mysql://root:secret@host/x'])).toEqual([
      2,
      'pinstack: --users must be postgres://USER:PASSWORD@HOST:PORT/DATABASE; mysql: is not supported.\n',
    ])
    const nowhere = `postgres://reader:secret@127.0.0.1:${await freePort()}/posts`
    expect(await says(with_('posts', nowhere))).toEqual([
      1,
      expect.stringMatching(
        /^pinstack: The posts database \(--posts\), postgres:\/\/reader:\*+@127\.0\.0\.1:\d+\/posts, cannot be reached \(connect ECONNREFUSED .*\): start it, or correct the URL\.\n$/,
      ),
    ])
    expect(await says(with_('notifications', go.urls.users))).toEqual([
      1,
      expect.stringMatching(
        /^pinstack: The notifications database \(--notifications\), .*, has no table notifications: is it the right database\?\n$/,
      ),
    ])
    await go.run('relations', 'alter table followers rename column created_at to made_at')
    try {
      expect(await says(fromGo)).toEqual([
        1,
        expect.stringMatching(/^pinstack: Table followers of the relations database \(--relations\), .*, has no column created_at\.\n$/),
      ])
    } finally {
      await go.run('relations', 'alter table followers rename column made_at to created_at')
    }
    expect(existsSync(join(dir, 'wrong'))).toBe(false)
    writeFileSync(join(dir, 'wrong.yaml'), 'users: { 5: { decision: sell } }')
    expect(await says(fromGo)).toEqual([
      2,
      'pinstack: Decisions in wrong.yaml: users.5.decision must be one of undecided, keep, rename, skip.\n',
    ])
    const env = Object.fromEntries(Object.entries(go.urls).map(([name, url]) => [`IMPORT_${name.toUpperCase()}_URL`, url]))
    expect((await says([], { ...env, IMPORT_POSTS_URL: nowhere }))[0]).toBe(2) // the decisions are still wrong: the options are all there
  }, 60_000)
})
