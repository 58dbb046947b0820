import { spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

const scripts = import.meta.dirname

/** Counts the signals it gets and takes its time to stop, as a server does that has requests in flight. */
const server = `
  let signals = 0
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {
    console.log('signal', ++signals)
    setTimeout(() => process.exit(7), 800)
  })
  setInterval(() => {}, 1_000)
  console.log('up', process.argv.slice(2).join(' '))`

describe.skipIf(process.platform === 'win32')('the entry script — Windows has no such signals', () => {
  let dir: string
  const log = () => readFileSync(join(dir, 'npx.log'), 'utf8').trim().split('\n')

  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'pinstack-enter-'))
    for (const folder of ['scripts', 'bin', 'packages/cli/bin', 'packages/cli/node_modules', 'node_modules/node/bin'])
      mkdirSync(join(dir, folder), { recursive: true })
    for (const name of ['enter.cjs', 'tether.mjs']) cpSync(join(scripts, name), join(dir, 'scripts', name))
    writeFileSync(join(dir, 'scripts/build.ts'), '')
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ packageManager: 'pnpm@1.2.3' }))
    writeFileSync(join(dir, 'pnpm-lock.yaml'), 'one')
    writeFileSync(join(dir, 'packages/cli/bin/pinstack.js'), server)
    symlinkSync(process.execPath, join(dir, 'node_modules/node/bin/node'))
    installBy('echo "$@" >> npx.log')
  })
  afterEach(() => rmSync(dir, { recursive: true, force: true, maxRetries: 5 }))

  /** The registry stays out of this: what stands for the package manager only notes how it was called. */
  function installBy(script: string): void {
    writeFileSync(join(dir, 'bin/npx'), `#!/bin/sh\n${script}\n`)
    chmodSync(join(dir, 'bin/npx'), 0o755)
  }

  function enter(...args: string[]) {
    const env = { ...process.env, PATH: [join(dir, 'bin'), process.env.PATH].join(delimiter), npm_lifecycle_event: '' }
    const child = spawn(process.execPath, [join(dir, 'scripts/enter.cjs'), ...args], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk))
    const code = new Promise<number | null>((resolve) => child.once('close', resolve))
    return { child, code, output: () => output, up: () => expect.poll(() => output, { timeout: 5_000 }).toContain('up') }
  }

  test('installs once, and again when what is to be installed has changed', async () => {
    for (const lockfile of ['one', 'one', 'two']) {
      writeFileSync(join(dir, 'pnpm-lock.yaml'), lockfile)
      const { code, output } = enter('build')
      expect(await code, output()).toBe(0)
    }
    expect(log()).toHaveLength(2)
    expect(log()[0]).toContain('pnpm@1.2.3 install --frozen-lockfile')
  })

  test('a failed installation shows what it said, fails, and is tried again', async () => {
    installBy('echo no such registry; exit 3')
    const first = enter('build')
    expect(await first.code).toBe(3)
    expect(first.output()).toContain('no such registry')
    installBy('echo "$@" >> npx.log')
    expect(await enter('build').code).toBe(0)
    expect(log()).toHaveLength(1)
  })

  test('two commands at once install one after the other, so only one does', async () => {
    installBy('sleep 1; echo "$@" >> npx.log')
    const both = [enter('build'), enter('build')]
    expect(await Promise.all(both.map(({ code }) => code))).toEqual([0, 0])
    expect(log()).toHaveLength(1)
    expect(both.map(({ output }) => output()).join('')).toContain('Waiting for process')
  })

  test('the lock of a process that was killed holds nobody up', async () => {
    mkdirSync(join(dir, '.cache'))
    writeFileSync(join(dir, '.cache/setup.lock'), '999999999')
    expect(await enter('build').code).toBe(0)
  })

  test('hands arguments on, a signal to the whole group once, and the exit code back', async () => {
    const { child, code, output, up } = enter('up', '--port', '9000')
    await up()
    process.kill(-child.pid!, 'SIGINT') // as a terminal does
    child.kill('SIGINT') // as npm does too
    expect(await code).toBe(7)
    expect(output()).toContain('up up --port 9000')
    expect(output().match(/signal/g)).toHaveLength(1)
  })

  test('killed, it takes the server along', async () => {
    const { child, code, output, up } = enter('up')
    await up()
    child.kill('SIGKILL')
    await code // closes when the last writer is gone
    expect(output().match(/signal/g)).toHaveLength(1)
  })
})
