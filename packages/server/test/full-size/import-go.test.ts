import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import type { ImportSummary } from '../../src/import-go/import-go.ts'
import { restAt, saysUntil, startCommand } from '../command.ts'
import { drivers, onEachDriver } from '../drivers.ts'
import { bcryptPassword, clearPassword, createGoSystem, fill, spoil, type GoSystem } from '../go-system.ts'

/** Many times what it takes on two busy cores. */
const withinMs = 600_000
const largePosts = 200
/** Far more than it takes, and less than it would take with the large posts, a megabyte each, in one page. */
const rssMiBMax = 512

/** The most that the process has held, as Linux counts it; undefined elsewhere. */
function rssMiB(pid: number): number | undefined {
  try {
    const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
    return Number(kib) / 1024
  } catch {
    return undefined
  }
}

onEachDriver('a community of 10,000 with 100,000 posts and 200,000 follows, into', (driver) => {
  let go: GoSystem
  let opened: Awaited<ReturnType<(typeof drivers)['sqlite']>>
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-import-'))
  beforeAll(async () => {
    go = await createGoSystem(process.env.TEST_POSTGRES_URL!)
    await fill(go, { users: 10_000, posts: 100_000, follows: 200_000 })
    await spoil(go)
    await go.run(
      'posts',
      `insert into posts (author_id, title, content, created_at) select 4, 'Large ' || n, repeat(md5(n::text), 32768), '2024-05-01Z' from generate_series(1, ${largePosts}) n`,
    )
    opened = await drivers[driver]()
  })
  afterAll(async () => {
    await opened?.drop()
    await go?.drop()
  })

  it('comes whole through kill -9, and can be lived in', async () => {
    const data = ['--data', dir, '--database', opened.url]
    const importing = () =>
      startCommand(['import', 'go', ...data, ...Object.entries(go.urls).flatMap(([name, url]) => [`--${name}`, url]), '--json'], {
        cwd: dir,
      })
    for (const line of [/users {9}4\d{3} of/, /posts {9}3\d{4} of/, /followers {5}1[0-9]{5} of/]) {
      const running = importing()
      await saysUntil(running, line, { withinMs })
      running.process.kill('SIGKILL')
      await running.ended
    }
    const last = importing()
    let mostMiB: number | undefined
    const watching = setInterval(() => (mostMiB = rssMiB(last.process.pid!) ?? mostMiB), 50)
    await last.ended
    clearInterval(watching)
    const summary = JSON.parse(last.stdout) as ImportSummary
    console.log(`[${driver}] the last of four runs took ${summary.seconds.toFixed(1)} s and ${mostMiB?.toFixed(0)} MiB`)
    if (mostMiB !== undefined) expect(mostMiB).toBeLessThan(rssMiBMax)
    const rows = summary.tables.map(({ table, read, imported, there, skipped }) => {
      expect(imported + there + Object.values(skipped).reduce((sum, count) => sum + count, 0)).toBe(read)
      return [table, read, imported + there]
    })
    expect(rows).toEqual([
      ['users', 10_011, 10_003],
      ['posts', 100_011 + largePosts, 100_008 + largePosts],
      ['post_media', 66_676, 66_671],
      ['tags', 54, 52],
      ['posts_tags', 200_010, 200_003],
      ['followers', 200_007, 200_001],
      ['notifications', 50_011, 50_006],
    ])
    const again = importing()
    await again.ended
    expect((JSON.parse(again.stdout) as ImportSummary).tables.map(({ imported }) => imported)).toEqual([0, 0, 0, 0, 0, 0, 0])

    const doctor = startCommand(['doctor', ...data], { cwd: dir })
    expect([(await doctor.ended).exitCode, doctor.stdout]).toEqual([
      0,
      expect.stringContaining('Those of 2000 users are what their rows say'),
    ])
    const server = startCommand(['up', '--port', '0', '--metrics-port', '0', ...data], { cwd: dir })
    const [, url] = await saysUntil(server, /API {7}(\S+)/, { withinMs })
    const call = restAt(url!)
    const bcrypt = await call('/auth/login', { body: { login: 'user6@example.com', password: bcryptPassword } })
    const clear = await call('/auth/login', { body: { login: 'user7', password: clearPassword } })
    expect([bcrypt.status, clear.status]).toEqual([200, 200])
    const feed = await call('/notification/feed', { token: clear.data.access_token })
    expect(feed.data).toMatchObject({ total: 5, notifications: Array(5).fill({ type: 'follow_created', user_id: 7, origin: 'system' }) })
    expect((await call('/relation/7/followers')).data).toMatchObject({ total: 20 })
    expect((await call('/posts/list?author_id=7&limit=3')).data).toMatchObject({
      total: 10,
      posts: [{ id: 90_006 }, { id: 80_006 }, { id: 70_006 }],
    })
    server.process.kill('SIGTERM')
    await server.ended
  }, 1_800_000)

  it('takes this long from an empty database on', async () => {
    const fresh = await drivers[driver]()
    try {
      const running = startCommand(
        [
          'import',
          'go',
          '--data',
          dir,
          '--database',
          fresh.url,
          ...Object.entries(go.urls).flatMap(([name, url]) => [`--${name}`, url]),
          '--json',
        ],
        { cwd: dir },
      )
      await running.ended
      const { seconds, tables } = JSON.parse(running.stdout) as ImportSummary
      const rows = tables.reduce((sum, { imported }) => sum + imported, 0)
      console.log(`[${driver}] ${rows} rows in ${seconds.toFixed(1)} s`)
      expect(rows).toBe(626_744 + largePosts)
    } finally {
      await fresh.drop()
    }
  }, 1_800_000)
})
