import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { run } from './project.ts'
import { runtimes, type Runtimes } from './runtimes.ts'
import { startPinstack } from './server.ts'

const packed = inject('packed')
const made: string[] = []
let programs: Runtimes
/** A PATH of a machine without a compiler: a shell, and what it takes to start a program. */
let bare: string

beforeAll(() => {
  programs = runtimes('node18', 'node20', 'node22', 'node24', 'npm')
  bare = folder('path')
  for (const name of ['sh', 'env']) symlinkSync(existsSync(`/bin/${name}`) ? `/bin/${name}` : `/usr/bin/${name}`, join(bare, name))
  made.push(programs.dir)
})
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

function folder(name: string): string {
  const dir = mkdtempSync(join(tmpdir(), `pinstack-npx-${name}-`))
  made.push(dir)
  return dir
}

/** `npx pinstack`, of the packed packages instead of the registry's, with nothing of it installed yet in `home`. */
function npx(node: 'node18' | 'node20' | 'node22' | 'node24', home: string) {
  const tarballs = packed.map(({ tarball }) => `--package=${tarball}`)
  const path = [programs.bin(node), bare].join(delimiter)
  return {
    command: [join(programs.bin(node), 'node'), programs.npm('bin/npx-cli.js'), '--yes', '--loglevel=error', ...tarballs, '--', 'pinstack'],
    env: { PATH: path, HOME: home },
  }
}

test.each(['node22', 'node24'] as const)('`npx pinstack up` in an empty folder serves, without a compiler, on %s', async (node) => {
  const [dir, home] = [folder('up'), folder('home')]
  const asked = { ...npx(node, home), readyWithinMs: 100_000 }
  const first = await startPinstack(dir, asked)
  expect((await fetch(`${first.url}/docs`)).status).toBe(200)
  expect(first.output()).toContain('admin')
  await first.interrupt()
  expect(existsSync(join(dir, 'pinstack-data'))).toBe(true)
  rmSync(join(home, '.npm/_npx'), { recursive: true }) // what is installed; what has been fetched from the registry stays
  const anew = await startPinstack(dir, asked)
  await anew.interrupt()
  const next = await startPinstack(dir, asked)
  await next.interrupt()
  const [cold, warm, again] = [first, anew, next].map(({ readyMs }) => `${(readyMs / 1000).toFixed(1)} s`)
  console.log(`${node}: ready after ${cold} with nothing fetched yet, ${warm} with nothing installed yet, ${again} the next time`)
})

test.each(['node18', 'node20'] as const)('`npx pinstack up` says in one sentence what to do on %s', async (node) => {
  const [dir, home] = [folder('old'), folder('home')]
  const { command, env } = npx(node, home)
  const { output, exit } = run(dir, [...command, 'up'], env)
  expect(await exit, output()).toMatchObject({ code: 1 })
  const lines = output()
    .split('\n')
    .filter((line) => line && !line.startsWith('npm '))
  expect(lines).toEqual([
    expect.stringMatching(/^pinstack needs Node 22[.]22 or newer, .* and this is v(18|20)[.].*: install a current one/),
  ])
  expect(existsSync(join(dir, 'pinstack-data'))).toBe(false)
})
