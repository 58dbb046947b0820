import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { maskEnv, mergeEnv, readEnv } from '../src/deploy/env-file.ts'
import { hashOf } from '../src/deploy/plan.ts'
import { runHere } from './run-here.ts'

let base: string
let dir: string
let made = 0
beforeAll(() => {
  base = mkdtempSync(join(tmpdir(), 'pinstack-deploy-'))
})
beforeEach(() => {
  dir = join(base, String(++made))
})
afterAll(() => rmSync(base, { recursive: true, force: true }))

const run = (args: string, env: Record<string, string> = {}) => runHere(args.split(' ').filter(Boolean), env)

const compose = (more = '') => run(`deploy compose -d ${dir} ${more}`)
const text = (path: string) => readFileSync(join(dir, path), 'utf8')
const change = (path: string) => writeFileSync(join(dir, path), `${text(path)}\n# mine\n`)
const env = () => readEnv(text('.env'))

/** As a version with other files had written it: what it noted is not what we write now. */
function pretendOlder(path: string, written: string): void {
  const state = JSON.parse(text('.pinstack.json'))
  state.files[path] = 'of another version'
  writeFileSync(join(dir, '.pinstack.json'), JSON.stringify(state))
  writeFileSync(join(dir, path), written)
}

describe('wrong use ends with 2, a sentence that helps, and nothing on the disk', () => {
  const kubernetes = 'kubernetes --database postgres://u@db/p'
  const cases: [args: string, sentence: string][] = [
    ['swarm', "Unknown command 'swarm'"],
    ['compose here', "Too many arguments for 'compose'"],
    ['compose --domian x', '(Did you mean --domain?)'],
    ['compose --domain https://a.example.com', '--domain takes a name such as social.example.com'],
    ['compose --domain a_b.example.com', '--domain takes a name'],
    ['compose --domain localhost', '--domain takes a name'],
    ['compose --with grafana', '--with takes any of monitoring, elk, tools, or none, not "grafana".'],
    ['compose --bind eth0', '--bind takes an IPv4 address'],
    ['compose --force --keep', '--force and --keep exclude each other.'],
    ['compose --apply --dry-run', '--dry-run and --apply exclude each other.'],
    ['compose --packages /none', 'there is no packed package'],
    ['kubernetes', 'Postgres URL is missing: pass it as --database.'],
    ['kubernetes --database mysql://u:hunter2@db/p', '--database takes a URL that begins with postgres:// or postgresql://'],
    ['kubernetes --database postgres:hunter2', '--database takes a URL'],
    [`${kubernetes} --redis http://:hunter2@r`, '--redis takes a URL that begins with redis:// or rediss://'],
    [`${kubernetes} --kafka kafka`, '--kafka takes brokers as HOST:PORT'],
    [`${kubernetes} --namespace kube-system`, '--namespace takes a name'],
    [`${kubernetes} --namespace Pin_stack`, '--namespace takes a name'],
    [`${kubernetes} --image UPPER/x`, '--image takes a name'],
    ['systemd --database sqlite:x', '--database takes a URL'],
  ]
  it.each(cases)('deploy %s', async (args, sentence) => {
    const { exitCode, stdout, stderr } = await run(`deploy ${args}${args === 'swarm' ? '' : ` -d ${dir}`}`)
    expect(stderr).toContain(sentence)
    expect([exitCode, stdout, existsSync(dir)]).toEqual([2, '', false])
    expect(stderr).not.toMatch(/ {4}at |hunter2/)
  })

  it('asks nobody where nobody is: a script gets the defaults', async () => {
    const { exitCode, stderr } = spawnedDeploy(['compose', '-d', dir])
    expect([exitCode, stderr]).toEqual([0, expect.stringContaining('Next:')])
  })
})

function spawnedDeploy(args: string[], PATH = process.env['PATH']!) {
  const main = fileURLToPath(new URL('../src/main.ts', import.meta.url))
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--conditions=@pinstack/source', main, 'deploy', ...args], {
    encoding: 'utf8',
    env: { ...process.env, PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { exitCode: status, stdout, stderr }
}

describe('a new set', () => {
  it('has its files, secrets of its own that only the owner reads, and the next command', async () => {
    const { exitCode, stdout, stderr } = await compose('--domain Social.example.com --with tools,monitoring')
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(stderr).toMatch(/with new secrets\.\n\nNext:\n {2}cd .*\n {2}docker compose up --build --detach --wait/)
    for (const path of ['compose.yaml', 'Dockerfile', '.dockerignore', 'prune.mjs', 'caddy/Caddyfile']) expect(text(path)).not.toBe('')
    expect(statSync(join(dir, '.env')).mode & 0o777).toBe(0o600)
    expect(text('.gitignore')).toContain('.env\n')
    expect(env().get('COMPOSE_PROFILES')).toBe('core,monitoring,tools')
    expect(env().get('PINSTACK_SITE')).toBe('social.example.com')
    const secrets = [...env()].filter(([key]) => /PASSWORD|SECRET|KEY$/.test(key)).map(([, value]) => value)
    expect(secrets.length).toBeGreaterThan(8)
    expect(new Set(secrets).size).toBe(secrets.length)
    for (const secret of secrets) expect(secret).toMatch(/^[\w-]{43}$/)
    for (const secret of secrets) expect(stderr + text('.pinstack.json')).not.toContain(secret)
  })

  it('two never share a secret', async () => {
    await compose()
    const first = env()
    dir = join(base, String(++made))
    await compose()
    for (const [key, value] of env()) if (/PASSWORD|SECRET|KEY$/.test(key)) expect(value).not.toBe(first.get(key))
  })

  it('goes into no folder that holds other things, unless told to', async () => {
    mkdirSync(dir)
    writeFileSync(join(dir, 'compose.yaml'), 'mine')
    expect(await compose()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('holds other things') })
    expect(text('compose.yaml')).toBe('mine')
    expect((await compose('--force')).exitCode).toBe(0)
    expect([text('compose.yaml') === 'mine', text('compose.yaml.yours')]).toEqual([false, 'mine'])
  })

  it('follows no link out of its folder', async () => {
    await compose()
    const outside = join(base, 'outside')
    writeFileSync(outside, 'not ours')
    rmSync(join(dir, 'prune.mjs'))
    symlinkSync(outside, join(dir, 'prune.mjs'))
    expect(await compose('--force')).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('is no plain file') })
    expect(readFileSync(outside, 'utf8')).toBe('not ours')
  })

  it('--dry-run writes nothing and shows no secret', async () => {
    const { exitCode, stdout } = await compose('--dry-run')
    expect([exitCode, existsSync(dir)]).toEqual([0, false])
    expect(stdout).toContain('+++ compose.yaml')
    expect(stdout).toContain('+POSTGRES_PASSWORD=********')
    expect(stdout).toContain('+COMPOSE_PROFILES=core\n')
  })

  it('--json says what was done', async () => {
    const { stdout, stderr } = await compose('--json')
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ directory: dir, created: expect.arrayContaining(['.env', 'compose.yaml']), conflicts: [] })
  })
})

describe('a set that is there', () => {
  it('is as it was when nothing is new', async () => {
    await compose('--with elk --domain a.example.com')
    const before = text('.env')
    const again = await compose()
    expect(again).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('is up to date.') })
    expect(text('.env')).toBe(before)
    expect(await compose('--dry-run')).toMatchObject({ exitCode: 0, stdout: '', stderr: 'Nothing would change.\n' })
  })

  it('takes new options, and keeps secrets, comments and settings of the user', async () => {
    await compose()
    const secret = env().get('AUTH_SECRET')
    writeFileSync(join(dir, '.env'), `${text('.env')}# ours\nMY_TOKEN=hunter2\nLOG_LEVEL=debug\n`)
    const preview = await compose('--with elk --dry-run')
    expect(preview.stdout).toContain('-COMPOSE_PROFILES=core\n+COMPOSE_PROFILES=core,elk\n')
    expect(preview.stdout).not.toMatch(new RegExp(`hunter2|${secret}`))
    await compose('--with elk')
    expect(env().get('COMPOSE_PROFILES')).toBe('core,elk')
    expect(env().get('AUTH_SECRET')).toBe(secret)
    expect(text('.env')).toContain('# ours\nMY_TOKEN=hunter2\nLOG_LEVEL=debug\n')
    await compose('--with none')
    expect(env().get('COMPOSE_PROFILES')).toBe('core')
  })

  it('gets a secret that it lacks, and its file is private again', async () => {
    await compose()
    writeFileSync(join(dir, '.env'), text('.env').replace(/^PGADMIN_PASSWORD=.*\n/m, ''))
    chmodSync(join(dir, '.env'), 0o644)
    await compose()
    expect(env().get('PGADMIN_PASSWORD')).toMatch(/^[\w-]{43}$/)
    chmodSync(join(dir, '.env'), 0o644)
    await compose()
    expect(statSync(join(dir, '.env')).mode & 0o777).toBe(0o600)
  })

  it('keeps what the user has changed where ours is as it was', async () => {
    await compose()
    change('compose.yaml')
    const { exitCode, stderr } = await compose()
    expect([exitCode, stderr]).toEqual([0, expect.stringMatching(/kept {5}compose\.yaml, which you have changed/)])
    expect(text('compose.yaml')).toMatch(/# mine\n$/)
  })

  it('updates what the user has not changed', async () => {
    await compose()
    const now = text('prune.mjs')
    const state = JSON.parse(text('.pinstack.json'))
    writeFileSync(join(dir, 'prune.mjs'), 'old')
    state.files['prune.mjs'] = hashOf('old')
    writeFileSync(join(dir, '.pinstack.json'), JSON.stringify({ ...state, version: '0.0.0' }))
    const { exitCode, stderr } = await compose()
    expect([exitCode, text('prune.mjs')]).toEqual([0, now])
    expect(stderr).toContain('updated  prune.mjs')
  })

  it('where both have changed it refuses, and --keep or --force decide', async () => {
    await compose()
    pretendOlder('compose.yaml', 'mine')
    const before = text('.env')
    const refused = await compose('--with elk')
    expect(refused).toMatchObject({ exitCode: 1, stdout: '', stderr: expect.stringContaining('you have changed compose.yaml') })
    expect([text('compose.yaml'), text('.env')]).toEqual(['mine', before])
    expect((await compose('--dry-run')).stdout).toContain('--- compose.yaml (changed by you)')
    expect((await compose('--keep')).exitCode).toBe(0)
    expect(text('compose.yaml')).toBe('mine')
    pretendOlder('compose.yaml', 'mine')
    expect((await compose('--force')).exitCode).toBe(0)
    expect([text('compose.yaml').includes('services:'), text('compose.yaml.yours')]).toEqual([true, 'mine'])
  })

  it('a file that this version has no more goes, unless the user has changed it', async () => {
    await compose()
    for (const [path, content] of [
      ['gone.yaml', 'old'],
      ['changed.yaml', 'mine'],
    ] as const)
      pretendOlder(path, content)
    const state = JSON.parse(text('.pinstack.json'))
    state.files['gone.yaml'] = hashOf('old')
    writeFileSync(join(dir, '.pinstack.json'), JSON.stringify(state))
    expect((await compose()).stderr).toContain('removed  gone.yaml')
    expect([existsSync(join(dir, 'gone.yaml')), text('changed.yaml')]).toEqual([false, 'mine'])
  })

  it('is not touched by an older version, nor as a set of another kind, nor without its notes', async () => {
    await compose()
    expect(await run(`deploy systemd -d ${dir}`)).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('holds a set for compose') })
    const state = JSON.parse(text('.pinstack.json'))
    writeFileSync(join(dir, '.pinstack.json'), JSON.stringify({ ...state, version: '99.0.0' }))
    expect(await compose()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('run npx pinstack@99.0.0') })
    writeFileSync(join(dir, '.pinstack.json'), '{')
    expect(await compose()).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('cannot be read') })
  })
})

it('kubernetes: keeps what it was told, and sends secrets to the file of secrets alone', async () => {
  const first = await run(
    `deploy kubernetes -d ${dir} --database postgres://u:hunter2@db:6432/p --kafka a:9092,b:9095 --domain a.example.com --namespace social --service-monitor`,
  )
  expect(first).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('kubectl apply --kustomize overlays/production') })
  const secrets = readEnv(text('overlays/production/secrets.env'))
  expect(secrets.get('PINSTACK_DATABASE_URL')).toBe('postgres://u:hunter2@db:6432/p')
  expect(statSync(join(dir, 'overlays/production/secrets.env')).mode & 0o777).toBe(0o600)
  expect(text('overlays/production/egress.yaml')).toMatch(/port: 6432 }\n.*port: 9092 }\n.*port: 9095 }/)
  const kustomization = text('overlays/production/kustomization.yaml')
  expect(kustomization).toMatch(/namespace: 'social'[^]*components\/ingress\n[^]*components\/service-monitor/)
  const again = await run(`deploy kubernetes -d ${dir}`)
  expect(again).toMatchObject({ exitCode: 0, stderr: expect.stringContaining('is up to date') })
  expect(text('overlays/production/kustomization.yaml')).toBe(kustomization)
  expect(readEnv(text('overlays/production/secrets.env'))).toEqual(secrets)
  const { stdout } = await run(`deploy kubernetes -d ${dir} --redis redis://:hunter3@r:6380 --dry-run`)
  expect(stdout).toContain('+        - { protocol: TCP, port: 6380 }')
  expect(first.stderr + again.stderr + stdout + text('.pinstack.json')).not.toMatch(/hunter/)
})

it('systemd: one process on SQLite, several on Postgres', async () => {
  const one = await run(`deploy systemd -d ${dir}`)
  expect(one).toMatchObject({ exitCode: 0, stderr: expect.stringMatching(/(sudo )?\.\/install\.sh/) })
  expect(statSync(join(dir, 'install.sh')).mode & 0o777).toBe(0o755)
  expect(text('install.sh')).toMatch(/for unit in pinstack\.service; do/)
  await run(`deploy systemd -d ${dir} --database postgres://u:p"w@db/p`)
  expect(readEnv(text('pinstack.env')).get('PINSTACK_DATABASE_URL')).toBe('postgres://u:p"w@db/p')
  expect(text('pinstack.env')).toContain('PINSTACK_DATABASE_URL="postgres://u:p\\"w@db/p"\n')
  expect(text('install.sh')).toMatch(/for unit in pinstack-api@1\.service pinstack-api@2\.service pinstack-worker\.service; do/)
  expect(text('Caddyfile')).toContain('reverse_proxy 127.0.0.1:8081 127.0.0.1:8082 {')
})

describe.skipIf(process.platform === 'win32')('--apply — Windows has no such scripts', () => {
  /** The program is not ours, and not on this machine: what stands in for it notes how it was called. */
  function program(name: string, exitCode = 0): string {
    const bin = join(base, `bin-${name}-${exitCode}`)
    mkdirSync(bin, { recursive: true })
    writeFileSync(join(bin, name), `#!/bin/sh\necho "$PWD $*" >> '${bin}/log'\necho from ${name}\nexit ${exitCode}\n`)
    chmodSync(join(bin, name), 0o755)
    return bin
  }

  it('runs the next command in the folder, and then says where things are', () => {
    const bin = program('docker')
    const { exitCode, stdout, stderr } = spawnedDeploy(['compose', '-d', dir, '--apply'], bin + delimiter + process.env['PATH'])
    expect([exitCode, stdout]).toEqual([0, ''])
    expect(readFileSync(join(bin, 'log'), 'utf8')).toBe(`${dir} compose up --build --detach --wait --remove-orphans\n`)
    expect(stderr).toMatch(/\$ docker compose up[^]*from docker\n[^]*First admin/)
  })

  it('a step that fails ends it with 1', () => {
    const bin = program('kubectl', 7)
    const args = ['kubernetes', '-d', dir, '--database', 'postgres://u@db/p', '--apply']
    const { exitCode, stderr } = spawnedDeploy(args, bin + delimiter + process.env['PATH'])
    expect(exitCode).toBe(1)
    expect(stderr).toContain('failed with exit code 7. The files are written: run it again in')
    expect(readFileSync(join(bin, 'log'), 'utf8').trim().split('\n')).toHaveLength(1)
  })

  it('a program that is not there is named', () => {
    const { exitCode, stderr } = spawnedDeploy(['compose', '-d', dir, '--apply'], join(base, 'nothing'))
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('Docker is not installed here: https://docs.docker.com')])
    expect(existsSync(join(dir, 'compose.yaml'))).toBe(true)
  })
})

describe('files of settings', () => {
  const entries = [
    { key: 'A', initial: () => 'first', comment: 'about A' },
    { key: 'B', initial: () => 'b', secret: true },
  ]
  const plain = (value: string) => value

  it('every line of the user stays where it is, the last of two counts', () => {
    const before = '# top\r\nA=1\n\nexport A = 2\nOTHER=x'
    expect(mergeEnv(before, entries, plain)).toBe('# top\r\nA=1\n\nexport A = 2\nOTHER=x\nB=b\n')
    const given = entries.map((entry) => (entry.key === 'A' ? { ...entry, value: '3' } : entry))
    expect(readEnv(mergeEnv(before, given, plain)).get('A')).toBe('3')
    expect(mergeEnv(before, given, plain)).toContain('A=1\n\nA=3\n')
  })

  it('only what is known to be no secret is shown', () => {
    expect(maskEnv('A=1\nB=2\nC=3\n# C=4', entries)).toBe('A=1\nB=********\nC=********\n# C=4')
  })
})
