import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chmodSync, globSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { packAll } from '../pack.ts'
import { freePort } from '../packed/project.ts'
import { createTestDatabase } from './database.ts'
import { pinstack } from './programs.ts'
import { replay, type Replayed } from './replay.ts'

const addedBytesMax = 80e6
const postgresUrl = process.env.TEST_POSTGRES_URL
const withoutPostgres = postgresUrl ? '' : ` — ${process.env.TEST_POSTGRES_MISSING ?? 'TEST_POSTGRES_URL is not set'}`
const isRoot = process.getuid?.() === 0

describe.skipIf(process.platform !== 'linux')('the image, its stages replayed in a clean folder — only on Linux', () => {
  let image: Replayed
  let ports: Record<string, string>

  beforeAll(async () => {
    const to = mkdtempSync(join(tmpdir(), 'pinstack-image-'))
    for (let dir = to; dir !== '/tmp' && dir !== '/'; dir = dirname(dir)) chmodSync(dir, 0o755) // for a user who is not this one
    packAll(join(to, 'packages'))
    pinstack('deploy', 'compose', '--directory', join(to, 'set'), '--packages', join(to, 'packages'))
    image = replay({ context: join(to, 'set'), to: join(to, 'stages'), node: dirname(process.execPath) })
    mkdirSync(join(image.dir, 'tmp'), { mode: 0o1777 })
    chmodSync(join(image.dir, 'tmp'), 0o1777)
    ports = { PINSTACK_HTTP_PORT: String(await freePort()), PINSTACK_METRICS_PORT: String(await freePort()) }
  })

  const env = () => {
    const { PATH, ...rest } = image.env
    const path = PATH!.replace('${PATH}', `${dirname(process.execPath)}:/usr/bin:/bin`)
    return { ...rest, PATH: path, TMPDIR: join(image.dir, 'tmp'), HOME: '/nonexistent' }
  }
  /** As the user of the image, who owns nothing of it but its data. */
  const asUser = (command: string[]): [string, string[]] => {
    const [uid, gid] = image.user.split(':')
    const confined = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups', '--no-new-privs', ...command]
    const [program, ...args] = isRoot ? confined : command
    return [program!, args]
  }
  function run(args: string[], more: Record<string, string> = {}) {
    const [program, rest] = asUser([...image.entrypoint, ...args])
    return spawnSync(program, rest, { cwd: image.dir, encoding: 'utf8', env: { ...env(), ...more } })
  }
  function isHealthy(): boolean {
    const [program, args] = asUser(image.healthcheck)
    return spawnSync(program, args, { env: { ...env(), ...ports } }).status === 0
  }
  async function start(more: Record<string, string> = {}) {
    const [program, args] = asUser([...image.entrypoint, ...image.command])
    const child = spawn(program, args, { cwd: image.dir, env: { ...env(), ...ports, ...more }, stdio: ['ignore', 'pipe', 'pipe'] })
    onTestFinished(() => void child.kill('SIGKILL'))
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    const exit = new Promise<number | null>((resolve) => child.once('close', resolve))
    await expect.poll(() => isHealthy() || output, { timeout: 30_000, interval: 200 }).toBe(true)
    return {
      url: `http://127.0.0.1:${ports.PINSTACK_HTTP_PORT}`,
      async stop() {
        child.kill('SIGTERM')
        expect(await exit, output).toBe(0)
      },
    }
  }

  test('adds less than 80 MB to its base', () => {
    const files = image.copied.flatMap((dir) =>
      readdirSync(dir, { withFileTypes: true, recursive: true }).map((entry) => join(entry.parentPath, entry.name)),
    )
    const bytes = files.map((path) => lstatSync(path)).reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0)
    const blocks = Number(execFileSync('du', ['-s', '--block-size=1', ...image.copied], { encoding: 'utf8' }).split('\t')[0])
    console.log(`the image adds ${(bytes / 1e6).toFixed(1)} MB of files, ${(blocks / 1e6).toFixed(1)} MB on disk`)
    expect(bytes).toBeGreaterThan(5e6)
    expect(blocks).toBeLessThan(addedBytesMax)
  })

  test('has nothing that builds or installs, nothing for another platform, and nothing that its user may change', () => {
    expect(globSync('usr/local/lib/node_modules/*', { cwd: image.dir })).toEqual([])
    expect(globSync('app/node_modules/{typescript,@typescript,node-gyp,node-gyp-build}', { cwd: image.dir })).toEqual([])
    const natives = globSync('app/**/*.node', { cwd: image.dir })
    expect(natives.length).toBeGreaterThan(1)
    for (const path of natives) expect(path).toMatch(new RegExp(`linux-?${process.arch}`))
    expect(globSync('app/**/LICENSE*', { cwd: image.dir }).length).toBeGreaterThan(100)
    expect(image.user).toBe('1000:1000')
    const [program, args] = asUser(['find', join(image.dir, 'app'), '-writable', '-not', '-type', 'l'])
    if (isRoot) expect(execFileSync(program, args, { encoding: 'utf8' })).toBe('')
  })

  test('serves on SQLite: accounts, its documentation, its health', async () => {
    expect(isHealthy()).toBe(false)
    const server = await start()
    const account = { username: 'ada', email: 'ada@example.com', password: 'correct horse' }
    const registered = await fetch(`${server.url}/api/v1/auth/register`, { method: 'POST', body: JSON.stringify(account) })
    expect(registered.status).toBe(201)
    const page = await (await fetch(`${server.url}/docs`)).text()
    const assets = [...page.matchAll(/(?:src|href)="([^"]+[.](?:js|css))"/g)].map(
      ([, path]) => new URL(path!, `${server.url}/docs/`).pathname,
    )
    expect(assets.length).toBeGreaterThan(1)
    for (const path of [...assets, '/api/v1/openapi.json', '/setup'])
      expect([path, (await fetch(`${server.url}${path}`)).status]).toEqual([path, 200])
    expect(run(['admin', 'grant', 'ada'])).toMatchObject({ status: 0, stderr: 'ada is an admin now.\n' })
    expect(run(['keys', 'rotate', '--json'])).toMatchObject({ status: 0 })
    await server.stop()
    expect(isHealthy()).toBe(false)
  })

  test.skipIf(!postgresUrl)(`serves on Postgres${withoutPostgres}`, async () => {
    const database = await createTestDatabase(postgresUrl!)
    expect(run(['migrate', 'up'], { PINSTACK_DATABASE_URL: database })).toMatchObject({
      status: 0,
      stderr: expect.stringContaining('Applied'),
    })
    const server = await start({ PINSTACK_DATABASE_URL: database })
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200)
    await server.stop()
  })

  test('has every other command: what they need was not taken out', () => {
    const data = { PINSTACK_DATA_DIR: join(image.dir, 'data/commands') }
    expect(run(['seed', '--users', '20', '--yes'], data).stderr).not.toContain('unexpected error')
    expect(JSON.parse(run(['openapi']).stdout)).toHaveProperty('openapi', '3.1.0')
    expect(run(['config', 'print', '--json'])).toMatchObject({ status: 0 })
    expect(run(['deploy', 'kubernetes', '--database', 'postgres://u@db/p', '--dry-run'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('+++ base/api.yaml'),
    })
    expect(run(['admin'])).toMatchObject({ status: 2, stderr: expect.stringContaining('needs a terminal') })
    const [program, args] = asUser(['node', '--input-type=module', '--eval', "await import('@pinstack/admin-tui')"])
    expect(spawnSync(program, args, { cwd: join(image.dir, 'app'), encoding: 'utf8', env: env() })).toMatchObject({ status: 0, stderr: '' })
    const named = asUser(['pinstack', '--version'])
    expect(spawnSync(named[0], named[1], { encoding: 'utf8', env: env() })).toMatchObject({ status: 0 })
    rmSync(join(image.dir, 'data/commands'), { recursive: true, force: true })
  })
})
