import { execFile, spawn } from 'node:child_process'
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

it('examples/curl.sh', async () => {
  const { stdout } = await run('bash', [path('../../../examples/curl.sh'), server.url])
  const answers = stdout
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as { status: number; data: any })
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
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
  const [program] = await programs()
  await writeFile(join(project, 'readme.mjs'), program!)
  await runNode('readme.mjs')
  const { stdout } = await runNode('readme.mjs')
  expect(stdout).toMatch(/^Hello ada\n/)
  expect(stdout).toContain('ada Ada Lovelace')
})

it('from an empty folder to a live follow, in ten lines', async () => {
  const [, program] = await programs()
  const lines = program!.split('\n').filter((line) => line.trim() !== '').length
  console.log(`${lines} lines to a live follow notification`)
  expect(lines).toBeLessThanOrEqual(10)
  expect(await saidBy(program!, /^live: follow_created \{.*\}$/ms)).toMatch(/follower/i)
})

/** The rest of the README, each piece for someone who is signed in, while somebody else does this and that. */
const pieces: Record<string, RegExp> = {
  'pinstack.posts.list().all': /^News\n[\s\S]*\d+ of \d+\n[\s\S]*\d+ posts\n/m,
  'leave.signal': /^reader\d+\n/m,
  'for await (const change of pinstack.live.notifications())': /^follow_created \{/m,
  'onStatus: ({ state })': /^light: connecting\nlight: live\n(heard: \w+\n)+light: closed\n$/m,
  isPinstackError: /^That is you\.\n/m,
}

it('every other piece of the README', async () => {
  const rest = (await programs()).slice(2)
  expect(rest).toHaveLength(Object.keys(pieces).length)
  for (const [index, [mark, expected]] of Object.entries(pieces).entries()) {
    expect(rest[index]).toContain(mark)
    await saidBy(`${prelude(index)}\n${rest[index]}`, expected)
  }
}, 120_000)

const prelude = (index: number) => `
import { createPinstack, isPinstackError } from '@pinstack/sdk'
const newUser = (name) => ({ username: name, email: name + '@example.com', password: 'correct horse' })
const [pinstack, somebody] = [createPinstack({ url: '${server.url}' }), createPinstack({ url: '${server.url}' })]
const { id } = await pinstack.register(newUser('reader${index}'))
await somebody.register(newUser('somebody${index}'))
await somebody.posts.create({ title: 'News', content: 'There is always something.' })
const doing = setInterval(async () => (await somebody.relations.follow(id)) || somebody.relations.unfollow(id), 100)
doing.unref()
`

async function programs(): Promise<string[]> {
  const readme = (await readFile(path('../README.md'), 'utf8')).replaceAll('http://127.0.0.1:8080', server.url)
  return [...readme.matchAll(/```js\n([\s\S]*?)```/g)].map(([, program]) => program!)
}

let files = 0

/** Runs it until it has said what it should. */
async function saidBy(program: string, expected: RegExp): Promise<string> {
  const file = join(project, `piece${++files}.mjs`)
  await writeFile(file, program)
  const child = spawn(process.execPath, ['--conditions=@pinstack/source', file])
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (said += String(text)))
  try {
    await expect.poll(() => said, { timeout: 30_000 }).toMatch(expected)
    return said
  } finally {
    child.kill('SIGKILL')
  }
}
