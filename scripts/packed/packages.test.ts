import { existsSync, globSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import { packages } from '../packages.ts'
import { compile, compilers, project, resolutions, run, serverCompilers, type Running } from './project.ts'
import { startPinstack } from './server.ts'
import { appOf, needsOf } from './subpaths.ts'

const made: string[] = []
const packed = inject('packed')
const tarballOf = (name: string) => packed.find((one) => one.name === name)!.tarball
const compilerPackages = Object.entries(compilers).map(([name, range]) => `${name}@npm:typescript@${range}`)

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

describe('all four packages, installed by npm', () => {
  let dir: string
  let server: Running | undefined
  const account = { username: 'ada', email: 'ada@example.com', password: 'correct horse' }

  beforeAll(() => {
    dir = project([...packed.map(({ tarball }) => tarball), ...compilerPackages, ...needsOf(packages()), '@types/node@24'])
    made.push(dir)
  })
  afterAll(() => server?.child.kill('SIGKILL'))

  async function start(): Promise<string> {
    const started = await startPinstack(dir)
    server = started
    return started.url
  }

  async function interrupt(): Promise<void> {
    process.kill(-server!.child.pid!, 'SIGINT') // as a terminal does, to the whole group
    await server!.exit
    expect(server!.output()).toContain('Stopped.')
  }

  const post = (url: string, body: object) =>
    fetch(url, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })

  test('`npx pinstack up` serves accounts, stops at Ctrl-C, and has them still when it is started again', async () => {
    const first = await start()
    const registered = await post(`${first}/api/v1/auth/register`, account)
    expect(registered.status).toBe(201)
    const { data } = (await registered.json()) as { data: { access_token: string } }
    const me = await fetch(`${first}/api/v1/auth/me`, { headers: { authorization: `Bearer ${data.access_token}` } })
    expect(await me.text()).toContain('"username":"ada"')
    expect((await fetch(`${first}/docs`)).status).toBe(200)
    await interrupt()

    const second = await start()
    expect((await post(`${second}/api/v1/auth/login`, { login: 'ada', password: account.password })).status).toBe(200)
    await interrupt()
  })

  test('the server can be imported, and answers a client of the SDK', async () => {
    const script = `
      import { createServer } from '@pinstack/server'
      import { loadConfig } from '@pinstack/server/config'
      import { createPinstack } from '@pinstack/sdk'
      const { config } = loadConfig({ env: {}, flags: { 'http.port': 0, 'metrics.port': 0, 'data.dir': 'library-data', 'log.level': 'silent' } })
      const server = await createServer(config)
      const { apiUrl } = await server.listen()
      const pinstack = createPinstack({ url: apiUrl })
      await pinstack.register(${JSON.stringify(account)})
      console.log((await pinstack.me()).username)
      await server.close()`
    writeFileSync(join(dir, 'library.js'), script)
    const { output, exit } = run(dir, ['node', 'library.js'])
    expect(await exit, output()).toMatchObject({ code: 0 })
    expect(output()).toBe('ada\n')
  })

  test.each([
    ['compose', [], ['compose.yaml', '.env', 'Dockerfile', '.dockerignore', 'caddy/Caddyfile']],
    ['kubernetes', ['--database', 'postgres://u@db/p'], ['base/api.yaml', 'overlays/production/secrets.env']],
    ['systemd', [], ['pinstack.service', 'install.sh', 'pinstack.env']],
  ])('`npx pinstack deploy %s` writes a whole set', async (kind, options, files) => {
    const deployed = run(dir, ['npx', 'pinstack', 'deploy', kind, ...options])
    expect(await deployed.exit, deployed.output()).toMatchObject({ code: 0 })
    for (const file of files) expect(readFileSync(join(dir, `pinstack-${kind}`, file), 'utf8'), file).not.toBe('')
    const again = run(dir, ['npx', 'pinstack', 'deploy', kind, '--dry-run'])
    expect(await again.exit, again.output()).toMatchObject({ code: 0 })
    expect(again.output()).toBe('Nothing would change.\n')
  })

  test.each(serverCompilers.flatMap((compiler) => resolutions.map((resolution) => [compiler, resolution] as const)))(
    'their types compile with %s under %o, libraries checked too',
    (compiler, resolution) => {
      const app = appOf(packages())
      for (const [file, text] of Object.entries(app)) writeFileSync(join(dir, file), text)
      const options = {
        ...resolution,
        target: 'es2023',
        lib: ['es2023', 'esnext.disposable', 'dom', 'dom.iterable', 'dom.asynciterable'],
        jsx: 'react-jsx',
      }
      expect(compile(dir, compiler, Object.keys(app), { ...options, types: ['node'] })).toBe('')
    },
  )

  test.each(packed.map(({ name }) => name))('%s holds what it should and nothing else', (name) => {
    const installed = join(dir, 'node_modules', name)
    const files = globSync('**/*', { cwd: installed, withFileTypes: true, exclude: ['node_modules'] })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const relative = files.map((file) => file.slice(installed.length + 1))
    expect(
      readdirSync(installed)
        .filter((file) => !['dist', 'bin', 'node_modules'].includes(file))
        .sort(),
    ).toEqual(['LICENSE', 'README.md', 'package.json'])
    expect(readFileSync(join(installed, 'LICENSE'), 'utf8')).toContain('MIT License')
    expect(readFileSync(join(installed, 'README.md'), 'utf8')).toMatch(new RegExp(`^# ${name}\\n`))
    // No tests, no sources, no maps, nothing that points to one, nothing that a build has left.
    expect(
      relative.filter((file) => /[.](test|contract|bench)[.]|[.]map$|(^|\/)tsconfig|[.]tsbuildinfo$|^(src|test)\//.test(file)),
    ).toEqual([])
    expect(relative.filter((file) => /[.][cm]?tsx?$/.test(file) && !/[.]d[.]ts$/.test(file))).toEqual([])
    expect(files.filter((file) => /^\/\/[#@] sourceMappingURL=/m.test(readFileSync(file, 'utf8')))).toEqual([])
    const text = readFileSync(join(installed, 'package.json'), 'utf8')
    expect(text).not.toMatch(/workspace:|@pinstack\/source|\.\/src\//)
    const manifest = JSON.parse(text) as { exports: Record<string, string | Record<string, string>>; bin?: Record<string, string> }
    const targets = [...Object.values(manifest.exports), manifest.bin ?? {}].flatMap((one) =>
      typeof one === 'string' ? one : Object.values(one),
    )
    expect(targets.filter((file) => !existsSync(join(installed, file)))).toEqual([])
    const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0)
    console.log(`${name}: ${kib(statSync(tarballOf(name)).size)} packed, ${kib(bytes)} in ${files.length} files`)
  })
})

const kib = (bytes: number) => `${(bytes / 1024).toFixed(1)} KiB`

describe('the SDK alone', () => {
  let dir: string
  beforeAll(() => {
    dir = project([tarballOf('@pinstack/sdk'), ...compilerPackages])
    made.push(dir)
  })

  test('brings no server and no native module', () => {
    const installed = globSync('node_modules/{*,@*/*}/package.json', { cwd: dir }).map((file) => file.split('/').slice(1, -1).join('/'))
    expect(installed.filter((name) => !/^@?typescript/.test(name))).toEqual(['@pinstack/sdk'])
    expect(globSync('node_modules/@pinstack/**/*.node', { cwd: dir })).toEqual([])
    const code = globSync('node_modules/@pinstack/sdk/dist/*.{js,d.ts}', { cwd: dir })
      .map((file) => readFileSync(join(dir, file), 'utf8'))
      .join('\n')
    expect(code).not.toContain('@pinstack/server')
    expect(code).not.toMatch(/from ['"](?![.]{1,2}\/|@pinstack\/sdk['"])/) // but for the examples in the comments
  })

  test.each(Object.keys(compilers).flatMap((compiler) => resolutions.map((resolution) => [compiler, resolution] as const)))(
    'its types compile with %s under %o, libraries checked too',
    (compiler, resolution) => {
      writeFileSync(
        join(dir, 'app.ts'),
        `import { createPinstack, isPinstackError, type User } from '@pinstack/sdk'
         const pinstack = createPinstack({ url: 'http://127.0.0.1:8080' })
         export async function names(): Promise<string[]> {
           const found: string[] = []
           try {
             for await (const user of pinstack.users.search('ada')) found.push(user.username satisfies User['username'])
           } catch (error) {
             if (!isPinstackError(error, 'limit.exceeded')) throw error
           }
           return found
         }
         // @ts-expect-error a typed client knows what it lacks
         void pinstack.nothing`,
      )
      expect(compile(dir, compiler, ['app.ts'], { ...resolution, lib: ['es2022', 'dom', 'dom.asynciterable'] })).toBe('')
    },
  )
})
