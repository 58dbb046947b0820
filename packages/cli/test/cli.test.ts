import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createProgram } from '../src/program.ts'
import { runHere, type Run } from './run-here.ts'

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
/** The environment of these tests, without settings that would reach the command. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^(PINSTACK_|PORT$|DATABASE_URL$|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$)/.test(name)),
)

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinstack-cli-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

interface Running extends Run {
  process: ChildProcess
  ended: Promise<Run>
}

function start(args: readonly string[], { env = {}, cwd = dir }: { env?: Record<string, string>; cwd?: string } = {}): Running {
  const child = spawn(process.execPath, ['--conditions=@pinstack/source', main, ...args], {
    cwd,
    env: { ...clean, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const running: Running = { process: child, exitCode: null, stdout: '', stderr: '', ended: Promise.resolve() as never }
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    running.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    running.stderr += text
  })
  running.ended = new Promise((resolve) => child.once('close', (exitCode) => resolve(Object.assign(running, { exitCode }))))
  onTestFinished(() => void child.kill('SIGKILL'))
  return running
}

/** As its own process, for what reads standard input or ends by itself. */
function spawned(args: readonly string[], { stdin = '', ...options }: Parameters<typeof start>[1] & { stdin?: string } = {}): Promise<Run> {
  const running = start(args, options)
  running.process.stdin!.end(stdin)
  return running.ended
}

/** In this process, without settings that would reach the command. */
function run(args: readonly string[], { env = {} }: { env?: Record<string, string> } = {}): Promise<Run> {
  const others = Object.keys(process.env).filter((name) => !(name in clean))
  return runHere(args, { ...Object.fromEntries(others.map((name) => [name, undefined])), ...env })
}

/** Waits for the banner, and returns where the API is. */
async function up(args: readonly string[] = [], options: Parameters<typeof start>[1] = {}): Promise<Running & { url: string }> {
  const running = start(['up', '--port', '0', '--metrics-port', '0', ...args], options)
  const until = performance.now() + 10_000
  while (!running.stderr.includes('Next:')) {
    if (running.process.exitCode !== null || performance.now() > until) throw new Error(`not up: ${running.stderr}${running.stdout}`)
    await sleep(10)
  }
  return Object.assign(running, { url: /API {7}(\S+)/.exec(running.stderr)![1]! })
}

async function call(url: string, body: unknown): Promise<{ status: number; data: any }> {
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  return { status: response.status, data: ((await response.json()) as { data: unknown }).data }
}

describe('wrong use ends with 2 and a sentence that helps', () => {
  const cases: [args: string, sentence: string][] = [
    ['sessions revoke', 'pinstack: Name sessions by their ids'],
    ['ip', "pinstack: Unknown command 'ip'\n(Did you mean up?)"],
    ['up --prot 1', "pinstack: Unknown option '--prot'\n(Did you mean --port?)"],
    ['up --port', "pinstack: Option '-p, --port <port>' argument missing"],
    ['up --port http', 'pinstack: http.port must be a port from 0 to 65535, not "http" (--port).'],
    ['up --set http.prot=1', 'pinstack: Unknown key "http.prot" (--set http.prot): did you mean http.port?'],
    ['up --set http.port', 'pinstack: --set takes KEY=VALUE, not "http.port".'],
    ['up --config /none.yaml', 'pinstack: The configuration file /none.yaml does not exist.'],
    ['up here', "pinstack: Too many arguments for 'up'"],
    ['migrate sideways', "pinstack: Unknown command 'sideways'"],
    ['user create', "pinstack: Missing required argument 'username'"],
    ['user create ada', 'pinstack: E-mail address is missing: pass it as --email.'],
    [
      'user create ada --email ada@example.com',
      'pinstack: No terminal to ask for the password on: pass it on standard input, with --password-stdin.',
    ],
    ['migrate down --database sqlite:', 'pinstack: database.url names no file: write sqlite:PATH (--database).'],
    ['admin', 'pinstack: The admin terminal needs a terminal.'],
    ['admin --url localhost', 'pinstack: --url takes an http or https URL, not "localhost".'],
  ]
  it.each(cases)('%s', async (args, sentence) => {
    const { exitCode, stdout, stderr } = await run(args.split(' '))
    expect(stderr).toContain(sentence)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).not.toContain('    at ')
  })

  it('as a process, too', async () => {
    expect(await spawned(['up', '--port', 'http'])).toMatchObject({ exitCode: 2, stdout: '' })
    const { exitCode, stderr } = await spawned(['user', 'create', 'ada', '--email', 'ada@example.com', '--password-stdin'])
    expect([exitCode, stderr]).toEqual([2, 'pinstack: Standard input holds no password.\n'])
  })
})

it('explains each command, with examples', () => {
  const all = (command: Command): Command[] => [command, ...command.commands.flatMap(all)]
  for (const command of all(createProgram())) {
    let help = ''
    command
      .configureOutput({
        writeOut: (text) => {
          help += text
        },
      })
      .outputHelp()
    expect(command.description(), command.name()).not.toBe('')
    if (command.commands.length === 0) expect(help, command.name()).toMatch(/Examples?:\n {2}\S/)
  }
})

describe('a server', () => {
  it('keeps what it was told over a restart, and stops within a second', async () => {
    const data = join(dir, 'kept')
    const first = await up(['--data', data])
    expect(first.stderr).toMatch(/Storage {3}SQLite, .*kept\/pinstack\.db/)
    expect(first.stderr).toMatch(/none yet\. Open http:\/\/127\.0\.0\.1:\d+\/setup#token=[\w-]{40,}/)
    expect(first.stderr).toContain(`npx pinstack admin grant NAME --data ${data}`)
    const curl = /curl (\S+) -H '([^']+)' \\\n\s+-d '([^']+)'/.exec(first.stderr)!
    const registered = await fetch(curl[1]!, { method: 'POST', headers: [curl[2]!.split(': ') as [string, string]], body: curl[3]! })
    expect(registered.status).toBe(201)
    expect((await fetch(`${first.url}/docs`)).status).toBe(200)

    const stoppedMs = performance.now()
    first.process.kill('SIGINT')
    const { exitCode, stdout } = await first.ended
    expect(exitCode).toBe(0)
    expect(performance.now() - stoppedMs).toBeLessThan(1000)
    for (const line of stdout.trim().split('\n'))
      expect(JSON.parse(line)).toMatchObject({ level: expect.any(String), msg: expect.any(String) })
    expect(stdout).not.toMatch(/correct horse|ada@example\.com/)

    const granted = await run(['admin', 'grant', 'ada', '--data', data])
    expect(granted).toMatchObject({ exitCode: 0, stdout: '', stderr: 'ada is an admin now.\n' })
    const second = await up(['--data', data])
    expect(second.stderr).not.toContain('/setup')
    expect((await call(`${second.url}/api/v1/auth/login`, { login: 'ada', password: 'correct horse' })).status).toBe(200)
    second.process.kill('SIGTERM')
    expect((await second.ended).exitCode).toBe(0)
  })

  it('ends at once at a second signal, though a request is under way', async () => {
    const running = await up(['--data', join(dir, 'impatient')])
    const { port } = new URL(running.url)
    const socket = connect(Number(port), '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
    socket.write('POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{')
    await sleep(100) // for the request to arrive
    running.process.kill('SIGINT')
    running.process.kill('SIGINT') // npm passes on what the terminal has sent already: one wish
    await sleep(400) // longer than one wish takes, shorter than requests are waited for
    expect(running.process.exitCode).toBeNull()
    running.process.kill('SIGINT')
    const sentMs = performance.now()
    expect((await running.ended).exitCode).toBe(1)
    expect(performance.now() - sentMs).toBeLessThan(500)
  })

  it('takes its settings from file, environment and options, and says so', async () => {
    const file = join(dir, 'some.yaml')
    await writeFile(file, 'log:\n  level: error\nauth:\n  accessTtl: 5m\n')
    const { stdout } = await run(['config', 'print', '--json', '--config', file, '--set', 'cache.entriesMax=7'], {
      env: { PINSTACK_LOG_LEVEL: 'warn', DATABASE_URL: 'postgres://u:hunter2@h/d' },
    })
    const entries = JSON.parse(stdout) as { key: string; value: unknown; source: string }[]
    const of = (key: string) => entries.find((entry) => entry.key === key)
    expect(of('log.level')).toEqual({ key: 'log.level', value: 'warn', source: 'PINSTACK_LOG_LEVEL' })
    expect(of('auth.accessTtl')).toEqual({ key: 'auth.accessTtl', value: '5m', source: `${file}:4` })
    expect(of('cache.entriesMax')).toEqual({ key: 'cache.entriesMax', value: 7, source: '--set cache.entriesMax' })
    expect(of('database.url')).toEqual({ key: 'database.url', value: 'postgres://u:********@h/d', source: 'DATABASE_URL' })
    expect(stdout).not.toContain('hunter2')
    expect(JSON.parse((await run(['config', 'schema'])).stdout)).toHaveProperty('properties.http.properties.port.default', 8080)
  })
})

describe('what stands in the way ends with 1, one sentence and no stack', () => {
  async function refused(args: readonly string[]): Promise<string> {
    const { exitCode, stderr } = await run(args)
    expect(stderr).toMatch(/^pinstack: [^\n]+\.\n$/)
    expect(exitCode).toBe(1)
    return stderr
  }

  it('a port that is taken', async () => {
    const taker = createTcpServer().listen(0, '127.0.0.1')
    await new Promise((resolve) => taker.once('listening', resolve))
    onTestFinished(() => void taker.close())
    const port = String((taker.address() as AddressInfo).port)
    expect(await refused(['up', '--data', join(dir, 'port'), '--port', port, '--metrics-port', '0'])).toContain(
      `Port ${port} on 127.0.0.1 is taken`,
    )
    expect(await refused(['up', '--data', join(dir, 'port'), '--port', '0', '--metrics-port', port])).toContain('--metrics-port')
  })

  it('data that cannot be written, or is no database', async () => {
    await writeFile(join(dir, 'a-file'), '')
    expect(await refused(['up', '--data', join(dir, 'a-file/data')])).toContain('cannot be written')
    await writeFile(join(dir, 'broken.db'), 'this is not a database, though it is long enough to have been one')
    expect(await refused(['up', '--database', `sqlite:${join(dir, 'broken.db')}`])).toContain('is damaged or is no SQLite database')
  })

  it('data that another server uses', async () => {
    const running = await up(['--data', join(dir, 'used')])
    expect(await refused(['up', '--data', join(dir, 'used'), '--port', '0', '--metrics-port', '0'])).toContain(
      'Another Pinstack server is running on',
    )
    running.process.kill('SIGTERM')
    await running.ended
  })

  it('Postgres away', async () => {
    const away = ['--database', 'postgres://u:hunter2@127.0.0.1:9/d', '--set', 'database.startTimeoutMs=0']
    const { exitCode, stderr } = await run(['config', 'check', ...away])
    expect(exitCode).toBe(1)
    expect(stderr.trim().split('\n').at(-1)).toMatch(/^pinstack: Postgres at postgres:\/\/u:\*+@127\.0\.0\.1:9\/d cannot be used/)
    expect(stderr).not.toContain('hunter2')
  })

  it('Redis away', async () => {
    const away = ['--data', join(dir, 'redis-away'), '--set', 'redis.url=redis://u:hunter2@127.0.0.1:9']
    const { exitCode, stderr } = await run(['config', 'check', ...away])
    expect(exitCode).toBe(1)
    expect(stderr).toBe('pinstack: Redis does not answer at redis://u:********@127.0.0.1:9: start it, or correct redis.url.\n')
  })

  it('a role alone on SQLite', async () => {
    const { exitCode, stderr } = await run(['up', '--role', 'worker', '--data', join(dir, 'role')])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('roles (--role) must be api,worker on SQLite')
  })

  it('Kafka away', async () => {
    const sasl = ['--set', 'kafka.sasl.mechanism=plain', '--set', 'kafka.sasl.username=u', '--set', 'kafka.sasl.password=hunter2']
    const away = ['--data', join(dir, 'kafka-away'), '--set', 'kafka.brokers=127.0.0.1:9', ...sasl]
    const { exitCode, stderr } = await run(['config', 'check', ...away])
    expect(exitCode).toBe(1)
    expect(stderr).toBe('pinstack: Kafka does not answer at 127.0.0.1:9: start it, or correct kafka.brokers and what belongs to it.\n')
  })

  it('accounts that are there already, or are not there', async () => {
    expect(await refused(['user', 'show', 'nobody', '--data', join(dir, 'accounts')])).toContain('There is no account "nobody".')
    expect(await refused(['admin', 'grant', 'nobody', '--data', join(dir, 'accounts')])).toContain('User not found.')
  })
})

it('makes, shows and deletes accounts from a script', async () => {
  const on = ['--data', join(dir, 'script')]
  const made = await spawned(
    ['user', 'create', 'ada', '--email', 'ada@example.com', '--full-name', 'Ada L.', '--admin', '--password-stdin', '--json', ...on],
    { stdin: 'correct horse\n' },
  )
  expect(made).toMatchObject({ exitCode: 0, stderr: '' })
  const user = JSON.parse(made.stdout)
  expect(user).toMatchObject({ id: 1, username: 'ada', email: 'ada@example.com', fullName: 'Ada L.' })
  expect(made.stdout).not.toContain('correct horse')
  expect(JSON.parse((await run(['user', 'show', 'ADA', '--json', ...on])).stdout)).toEqual(user)
  expect(JSON.parse((await run(['admin', 'list', '--json', ...on])).stdout)).toEqual([{ id: 1, username: 'ada', role: 'admin' }])

  const again = await spawned(['user', 'create', 'Ada', '--email', 'other@example.com', '--password-stdin', ...on], {
    stdin: 'correct horse',
  })
  expect(again).toMatchObject({ exitCode: 1, stderr: 'pinstack: Username already exists.\n' })
  const short = await spawned(['user', 'create', 'bob', '--email', 'bob@example.com', '--password-stdin', ...on], { stdin: 'short' })
  expect(short).toMatchObject({ exitCode: 1, stderr: 'pinstack: Not accepted: password (Expected 8 to 128 characters).\n' })

  const server = await up(on)
  expect((await call(`${server.url}/api/v1/auth/login`, { login: 'ada', password: 'correct horse' })).status).toBe(200)
  await spawned(['user', 'reset-password', 'ada', '--password-stdin', ...on], { stdin: 'battery staple\n' })
  expect((await call(`${server.url}/api/v1/auth/login`, { login: 'ada', password: 'correct horse' })).status).toBe(401)
  expect((await call(`${server.url}/api/v1/auth/login`, { login: 'ada', password: 'battery staple' })).status).toBe(200)

  expect(await run(['user', 'delete', 'ada', ...on])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') })
  expect(await run(['user', 'delete', 'ada', '--yes', ...on])).toMatchObject({ exitCode: 0, stderr: 'Deleted ada.\n' })
  expect((await call(`${server.url}/api/v1/auth/login`, { login: 'ada', password: 'battery staple' })).status).toBe(404)
  server.process.kill('SIGTERM')
  await server.ended
})

it('lists and ends sessions, of a running server too', async () => {
  const on = ['--data', join(dir, 'sessions')]
  await spawned(['user', 'create', 'ada', '--email', 'ada@example.com', '--password-stdin', ...on], { stdin: 'correct horse\n' })
  const server = await up(on)
  const login = async (): Promise<string> =>
    (await call(`${server.url}/api/v1/auth/login`, { login: 'ada', password: 'correct horse' })).data.refresh_token
  const refresh = async (token: string) => (await call(`${server.url}/api/v1/auth/refresh`, { refresh_token: token })).status
  const [first, second] = [await login(), await login()]
  const list = async (): Promise<{ id: string }[]> => JSON.parse((await run(['sessions', 'list', 'ada', '--json', ...on])).stdout)
  const [latest, earlier] = await list()
  expect((await run(['sessions', 'list', 'ADA@example.com', ...on])).stdout).toContain(latest!.id)

  const ended = await run(['sessions', 'revoke', earlier!.id, 'nosuch', ...on])
  expect(ended).toMatchObject({ exitCode: 1, stderr: expect.stringMatching(/^1 session has ended\.\n.*There is no session nosuch\.\n$/) })
  expect(await list()).toMatchObject([{ id: latest!.id }])
  expect([await refresh(first), await refresh(second)]).toEqual([401, 200])

  const unsure = await run(['sessions', 'revoke', '--all-of', 'ada', ...on])
  expect(unsure).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') })
  const all = await run(['sessions', 'revoke', '--all-of', 'ada', '--yes', '--json', ...on])
  expect(JSON.parse(all.stdout)).toEqual({ ended: [latest!.id] })
  expect(await run(['sessions', 'list', 'ada', ...on])).toMatchObject({ exitCode: 0, stderr: 'ada is signed in nowhere.\n' })
  expect(await run(['sessions', 'list', 'nobody', ...on])).toMatchObject({ exitCode: 1, stderr: 'pinstack: User not found.\n' })
  server.process.kill('SIGTERM')
  await server.ended
})

it('completes commands, subcommands and what an option takes', async () => {
  const offered = async (...words: string[]) =>
    (await spawned(['complete', '--', ...words])).stdout.split('\n').map((line) => line.split('\t')[0])
  expect(await offered('sess')).toEqual(['sessions', ':4', ''])
  expect(await offered('user', '')).toEqual(['create', 'show', 'delete', 'reset-password', ':4', ''])
  expect(await offered('admin', 'grant', 'ada', '--role', '')).toEqual(['admin', 'moderator', ':4', ''])
  const script = (await spawned(['completion', 'bash'])).stdout
  const checked = spawnSync('bash', ['-c', `${script}\ncomplete -p pinstack`], { encoding: 'utf8' })
  expect(checked).toMatchObject({ status: 0, stdout: 'complete -F __pinstack_complete pinstack\n', stderr: '' })
})

it('takes migrations up and back', async () => {
  const on = ['--data', join(dir, 'migrations')]
  const status = async (): Promise<{ name: string; appliedAt: string | null }[]> =>
    JSON.parse((await run(['migrate', 'status', '--json', ...on])).stdout)
  const names = (await status()).map(({ name }) => name)
  expect((await status()).every(({ appliedAt }) => appliedAt === null)).toBe(true)
  expect(JSON.parse((await run(['migrate', 'up', '--json', ...on])).stdout)).toEqual({ applied: names })
  expect(await run(['migrate', 'down', ...on])).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') })
  expect(JSON.parse((await run(['migrate', 'down', '--yes', '--json', ...on])).stdout)).toEqual({ takenBack: [names.at(-1)] })
  expect(JSON.parse((await run(['config', 'check', '--json', ...on])).stdout).migrationsWaiting).toEqual([names.at(-1)])
  expect(await run(['migrate', 'up', ...on])).toMatchObject({
    exitCode: 0,
    stdout: '',
    stderr: expect.stringContaining(`Applied ${names.at(-1)}`),
  })
})

it('rotates the keys of a running server, and nobody is signed out', async () => {
  const data = join(dir, 'keys')
  const server = await up(['--data', data])
  const { data: tokens } = await call(`${server.url}/api/v1/auth/register`, {
    username: 'ada',
    email: 'ada@example.com',
    password: 'correct horse',
  })
  const { kid, retiredKid } = JSON.parse((await run(['keys', 'rotate', '--json', '--data', data])).stdout)
  expect(JSON.parse(await readFile(join(data, 'keys.json'), 'utf8')).keys.map((key: { kid: string }) => key.kid)).toEqual([kid, retiredKid])
  const me = await fetch(`${server.url}/api/v1/auth/me`, { headers: { authorization: `Bearer ${tokens.access_token}` } })
  expect(me.status).toBe(200)
  server.process.kill('SIGTERM')
  await server.ended
  const byHand = await run(['keys', 'rotate', '--data', data], { env: { PINSTACK_AUTH_SECRET: 'h7Tq0ZJ4rX9bVn2LwKs8YcEu1PgDm6Ai' } })
  expect(byHand).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('auth.previousSecrets') })
})

it('prints the OpenAPI document that the server serves, and touches no data', async () => {
  const { exitCode, stdout } = await spawned(['openapi'], { cwd: await mkdtemp(join(dir, 'openapi-')) })
  expect(exitCode).toBe(0)
  expect(JSON.parse(stdout)).toMatchObject({ openapi: '3.1.0', paths: { '/api/v1/auth/login': { post: {} } } })
})

it('ends quietly when its reader has seen enough', async () => {
  const running = start(['config', 'print'])
  running.process.stdout!.destroy()
  const { exitCode, stderr } = await running.ended
  expect([exitCode, stderr]).toEqual([0, ''])
})

const postgresUrl = process.env['TEST_POSTGRES_URL']
const withoutPostgres = process.env['TEST_POSTGRES_MISSING'] ?? 'TEST_POSTGRES_URL is not set'

describe.skipIf(!postgresUrl)(postgresUrl ? 'the whole way [postgres]' : `the whole way [postgres] — ${withoutPostgres}`, () => {
  it('runs on it, and keeps what it was told', async () => {
    const on = ['--database', await createDatabase(), '--data', join(dir, 'postgres')]
    const check = await run(['config', 'check', ...on])
    expect(check.stdout).toMatch(/Storage {8}Postgres \d.*: connected\nMigrations {5}0001-users, .* wait/)
    const first = await up(on)
    expect(first.stderr).toMatch(/Storage {3}Postgres \d+/)
    const account = { username: 'ada', email: 'ada@example.com', password: 'correct horse' }
    expect((await call(`${first.url}/api/v1/auth/register`, account)).status).toBe(201)
    first.process.kill('SIGTERM')
    expect((await first.ended).exitCode).toBe(0)
    expect(await run(['admin', 'grant', 'ada', ...on])).toMatchObject({ exitCode: 0, stderr: 'ada is an admin now.\n' })
    const second = await up(on)
    expect((await call(`${second.url}/api/v1/auth/login`, { login: 'ada', password: 'correct horse' })).status).toBe(200)
    second.process.kill('SIGTERM')
    await second.ended
    expect((await run(['config', 'check', ...on])).stdout).toContain('Migrations     up to date')
  })
})

/** A new one, dropped when the test has finished. */
async function createDatabase(): Promise<string> {
  const admin = new pg.Client({ connectionString: postgresUrl })
  await admin.connect()
  const name = `test_cli_${randomBytes(6).toString('hex')}`
  await admin.query(`create database ${name} template template0 locale_provider icu icu_locale 'en-US'`)
  onTestFinished(async () => {
    await admin.query(`drop database ${name} with (force)`)
    await admin.end()
  })
  return Object.assign(new URL(postgresUrl!), { pathname: name }).href
}
