import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { project, run } from './project.ts'
import { runtimes, type Runtimes } from './runtimes.ts'
import { startPinstack, type RunningPinstack } from './server.ts'

const packed = inject('packed')
let server: RunningPinstack
let app: string
let programs: Runtimes
const made: string[] = []

beforeAll(async () => {
  const host = project(packed.map(({ tarball }) => tarball))
  app = project([packed.find(({ name }) => name === '@pinstack/sdk')!.tarball])
  programs = runtimes('node20', 'node22', 'node24', 'deno', 'bun')
  made.push(host, app, programs.dir)
  writeFileSync(join(app, 'app.mjs'), program)
  server = await startPinstack(host)
})
afterAll(async () => {
  await server?.interrupt()
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

/** Uses a bit of everything: a session that is renewed, errors, lists, a stream. Ends by itself. */
const program = `
  import { createPinstack, isPinstackError, memoryStore } from '@pinstack/sdk'
  const [url, name] = globalThis.Deno?.args ?? process.argv.slice(2)
  const person = (username, store) => {
    const pinstack = createPinstack({ url, store })
    return pinstack.register({ username, email: username + '@example.com', password: 'correct horse' }).then(() => pinstack)
  }
  const store = memoryStore()
  const [ada, bob] = await Promise.all([person(name + 'ada', store), person(name + 'bob')])
  const session = await store.load()
  await store.save({ ...session, renewAtMs: 0, accessExpiresAtMs: 0 })
  const { id } = await ada.me()
  const isRenewed = (await store.load()).refreshToken !== session.refreshToken
  await ada.posts.create({ title: 'Hello', content: 'The first of many.', tags: [name] })
  const titles = []
  for await (const post of bob.posts.list({ tag: name })) titles.push(post.title)
  const code = await bob.relations.follow((await bob.me()).id).catch((error) => isPinstackError(error) && error.code)
  let heard
  const stream = ada.live.notifications({ onStatus: ({ state }) => state === 'live' && bob.relations.follow(id) })
  for await (const change of stream) {
    heard = change.type
    break
  }
  const gone = new AbortController()
  gone.abort()
  const aborted = await ada.me({ signal: gone.signal }).catch((error) => error.code)
  await ada.logout()
  const out = await ada.session()
  console.log(JSON.stringify({ isRenewed, titles, code, heard, aborted, out }))
`

test.each([
  ['Node 20', 'node20', ['node']],
  ['Node 22', 'node22', ['node']],
  ['Node 24', 'node24', ['node']],
  ['Deno', 'deno', ['deno', 'run', '--allow-net', '--allow-read', '--allow-env']],
  ['Bun', 'bun', ['bun', 'run']],
] as const)('the SDK works, and lets its process end, on %s', async (_, name, [command, ...options]) => {
  const args = [join(programs.bin(name), command), ...options, 'app.mjs', server.url, name]
  const { output, exit } = run(app, args, { DENO_NO_UPDATE_CHECK: '1', DENO_DIR: join(app, '.deno') })
  expect(await exit, output()).toMatchObject({ code: 0 })
  expect(JSON.parse(output())).toEqual({
    isRenewed: true,
    titles: ['Hello'],
    code: 'relations.self_follow',
    heard: 'created',
    aborted: 'aborted',
    out: null,
  })
})
