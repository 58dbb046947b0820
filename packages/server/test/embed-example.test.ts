import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const require = createRequire(import.meta.url)
const run = promisify(execFile)

describe('examples/embed and docs/library.md', () => {
  let project: string
  const children = new Set<ChildProcess>()
  const environment = () => ({
    ...process.env,
    APP_PORT: '0',
    PINSTACK_METRICS_PORT: '0',
    PINSTACK_LOG_LEVEL: 'warn',
    NODE_OPTIONS: '--conditions=@pinstack/source',
  })
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'pinstack-embed-'))
    cpSync(join(root, 'examples/embed'), project, { recursive: true, filter: (path) => !path.includes('node_modules') })
    const docs = readFileSync(join(root, 'docs/library.md'), 'utf8')
    for (const [, name, program] of docs.matchAll(/```ts file="(\S+)"\n([\s\S]*?)```/g)) writeFileSync(join(project, name!), program!)
    mkdirSync(join(project, 'node_modules/@pinstack'), { recursive: true })
    for (const name of ['server', 'sdk']) symlinkSync(join(root, 'packages', name), join(project, 'node_modules/@pinstack', name))
    for (const name of ['fastify', 'kysely', 'zod']) {
      const folders = require.resolve.paths(name)!.map((folder) => join(folder, name))
      symlinkSync(folders.find(isPackage)!, join(project, 'node_modules', name))
    }
  })
  afterAll(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  /** Starts a program on data of its own, and returns the address that it prints. */
  async function start(file: string): Promise<{ origin: string; env: NodeJS.ProcessEnv; stop(): Promise<unknown> }> {
    const env = { ...environment(), PINSTACK_DATA_DIR: join(project, `data-${file}`) }
    const child = spawn(process.execPath, [file], { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] })
    children.add(child)
    const [line] = (await once(child.stdout, 'data')) as [Buffer]
    const [origin] = /http:\/\/\S+/.exec(String(line))!
    return { origin, env, stop: () => (child.kill('SIGTERM'), once(child, 'exit')) }
  }

  it('the example serves Pinstack with a feature inside of an application, and the SDK uses both', async () => {
    const { origin, env, stop } = await start('main.ts')
    const { stdout } = await run(process.execPath, ['client.ts', origin], { cwd: project, env })
    expect(stdout.trim().split('\n')).toEqual([
      'refused: a word in this post is not wanted here',
      'liked: true 1',
      'told: like {"post_id":1,"user_id":2}',
      expect.stringMatching(/^the host: \{"hello":"bob\d+"\} \{"count":1\}$/),
    ])
    const likes = await fetch(`${origin}/social/api/v1/posts/1/likes`, { method: 'POST' })
    expect([likes.status, ((await likes.json()) as any).code]).toEqual([401, 'auth.unauthenticated'])
    expect(await stop()).toEqual([0, null])
  })

  it.each([
    ['start.ts', ''],
    ['host.ts', '/social'],
  ])('the program %s of the page serves, and ends when it is told', async (file, prefix) => {
    const { origin, stop } = await start(file)
    expect((await fetch(`${origin}${prefix}/readyz`)).status).toBe(200)
    expect(await stop()).toEqual([0, null])
  })

  it('the feature and the hooks of the page do what it says', async () => {
    const program = `
      import { createServer } from '@pinstack/server'
      import { loadConfig } from '@pinstack/server/config'
      import { createPinstack } from '@pinstack/sdk'
      import { bookmark } from './bookmark.ts'
      import { hooks } from './hooks.ts'
      const { config } = loadConfig({ env: process.env, flags: { 'http.port': 0 } })
      const server = await createServer(config, { features: [bookmark], hooks })
      const pinstack = createPinstack<typeof server>({ url: (await server.listen()).apiUrl })
      const account = { username: 'ada', email: 'ada@elsewhere.com', password: 'correct horse' }
      console.log(await pinstack.register(account).catch((error) => error.code))
      await pinstack.register({ ...account, email: 'ada@example.com' })
      const post = await pinstack.posts.create({ title: ' A title ', content: 'Words that are enough' })
      console.log(post.title)
      for (let i = 0; i < 2; i++) console.log((await pinstack.features.bookmark.add.mutate({ postId: post.id })).added)
      await server.close()
    `
    writeFileSync(join(project, 'run-page.ts'), program)
    const env = { ...environment(), PINSTACK_DATA_DIR: join(project, 'data-page') }
    const { stdout } = await run(process.execPath, ['run-page.ts'], { cwd: project, env })
    expect(stdout.trim().split('\n')).toEqual(['house.invited_only', 'A title', 'true', 'false'])
  })

  it('all of it compiles, and the types of a feature reach the client', { timeout: 180_000 }, async () => {
    const options = { typeRoots: [join(root, 'node_modules/@types')], lib: ['es2024', 'dom'] }
    const config = { extends: join(root, 'tsconfig.base.json'), compilerOptions: options, include: ['*.ts'] }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify(config))
    const wrong = `import { createPinstack } from '@pinstack/sdk'
import type { Pinstack } from './app.ts'
await createPinstack<Pinstack>({ url: '' }).features.like.add.mutate({ postId: 'one' })
await createPinstack<Pinstack>({ url: '' }).features.dislike.add.mutate({ postId: 1 })
`
    writeFileSync(join(project, 'wrong.ts'), wrong)
    const compiling = run(process.execPath, [join(root, 'node_modules/typescript-7/bin/tsc'), '-p', project, '--pretty', 'false'])
    const { stdout } = await compiling.catch((error: { stdout: string }) => error)
    expect(stdout.match(/^\S+: error/gm)).toEqual([expect.stringContaining('wrong.ts(3,'), expect.stringContaining('wrong.ts(4,')])
    expect(stdout).toMatch(/'string' is not assignable to type 'number'[\s\S]*'dislike' does not exist/)
  })
})

function isPackage(folder: string): boolean {
  try {
    require.resolve(join(folder, 'package.json'))
    return dirname(folder).endsWith('node_modules')
  } catch {
    return false
  }
}
