import { execFile } from 'node:child_process'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startServer, type RunningServer } from './running-server.ts'

const run = promisify(execFile)
const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

let server: RunningServer
/** A project that has installed the SDK. */
let project: string
beforeAll(async () => {
  server = await startServer()
  project = await mkdtemp(join(tmpdir(), 'pinstack-example-'))
  await mkdir(join(project, 'node_modules/@pinstack'), { recursive: true })
  await symlink(path('..'), join(project, 'node_modules/@pinstack/sdk'))
})
afterAll(async () => {
  await server.close()
  await rm(project, { recursive: true })
})

const runNode = (file: string, ...args: string[]) => run(process.execPath, ['--conditions=@pinstack/source', join(project, file), ...args])

it('examples/curl', async () => {
  const { stdout } = await run('bash', [path('../../../examples/curl/curl.sh'), server.url])
  const answers = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { status: number; data: any })
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 201, 200])
  expect(answers[0]!.data.email).toBe(`${answers[0]!.data.username}@example.com`)
  expect(answers[1]!.data.total).toBe(1)
})

it('examples/node-sdk', async () => {
  await cp(path('../../../examples/node-sdk'), project, { recursive: true })
  const { stdout } = await runNode('main.js', server.url)
  const lines = stdout.trim().split('\n')
  expect(lines[1]).toMatch(/^Hello ada\d+, you are number \d+\.$/)
  expect(lines.filter((_, index) => index !== 1)).toEqual([
    'auth: signed_in',
    expect.stringMatching(/^found: ada\d+ - Ada Lovelace$/),
    'as expected: username already exists',
    'auth: signed_out',
  ])
})

it('the first program of the README, twice', async () => {
  const readme = await readFile(path('../README.md'), 'utf8')
  const [, program] = /```js\n(import [\s\S]*?)```/.exec(readme)!
  await writeFile(join(project, 'readme.mjs'), program!.replace('http://127.0.0.1:8080', server.url))
  await runNode('readme.mjs')
  const { stdout } = await runNode('readme.mjs')
  expect(stdout).toMatch(/^Hello ada\n/)
  expect(stdout).toContain('ada Ada Lovelace')
})
