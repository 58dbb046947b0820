import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../../..', import.meta.url))
const require = createRequire(import.meta.url)
const run = promisify(execFile)

describe('examples/embed', () => {
  let project: string
  let child: ChildProcess | undefined
  beforeAll(() => {
    project = mkdtempSync(join(tmpdir(), 'pinstack-embed-'))
    cpSync(join(root, 'examples/embed'), project, { recursive: true, filter: (path) => !path.includes('node_modules') })
    mkdirSync(join(project, 'node_modules/@pinstack'), { recursive: true })
    for (const name of ['server', 'sdk']) symlinkSync(join(root, 'packages', name), join(project, 'node_modules/@pinstack', name))
    for (const name of ['fastify', 'kysely', 'zod']) {
      const [found] = require.resolve
        .paths(name)!
        .map((folder) => join(folder, name))
        .filter((folder) => isPackage(folder))
      symlinkSync(found!, join(project, 'node_modules', name))
    }
  })
  afterAll(() => void child?.kill('SIGKILL'))

  it('serves Pinstack with a feature inside of an application, and the SDK uses both', async () => {
    const env = {
      ...process.env,
      APP_PORT: '0',
      PINSTACK_DATA_DIR: join(project, 'data'),
      PINSTACK_METRICS_PORT: '0',
      PINSTACK_LOG_LEVEL: 'warn',
      NODE_OPTIONS: '--conditions=@pinstack/source',
    }
    child = spawn(process.execPath, ['main.ts'], { cwd: project, env, stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(child.stdout!, 'data')) as [Buffer]
    const [origin] = /http:\/\/\S+/.exec(String(line))!
    const { stdout } = await run(process.execPath, ['client.ts', origin], { cwd: project, env })
    expect(stdout.trim().split('\n')).toEqual([
      'refused: a word in this post is not wanted here',
      'liked: true 1',
      'told: like {"post_id":1,"user_id":2}',
      expect.stringMatching(/^the host: \{"hello":"bob\d+"\} \{"count":1\}$/),
    ])
    const likes = await fetch(`${origin}/social/api/v1/posts/1/likes`, { method: 'POST' })
    expect([likes.status, ((await likes.json()) as any).code]).toEqual([401, 'auth.unauthenticated'])
    child.kill('SIGTERM')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  it('compiles, and its types reach the client', { timeout: 180_000 }, async () => {
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
