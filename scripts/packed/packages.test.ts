import { globSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { packAll } from '../pack.ts'
import { compile, freePort, project, resolutions, run, type Running } from './project.ts'

const folder = mkdtempSync(join(tmpdir(), 'pinstack-packed-'))
const made = [folder]
const packed = packAll(folder)
const tarballOf = (name: string) => packed.find((one) => one.name === name)!.tarball
const compilers = ['typescript@npm:typescript@~5.5.4', 'typescript-7@npm:typescript@^7.0.2']

afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

describe('all four packages, installed by npm', () => {
  let dir: string
  let server: Running | undefined
  const account = { username: 'ada', email: 'ada@example.com', password: 'correct horse' }

  beforeAll(() => {
    dir = project([...packed.map(({ tarball }) => tarball), 'typescript-7@npm:typescript@^7.0.2', '@types/node@24'])
    made.push(dir)
  })
  afterAll(() => server?.child.kill('SIGKILL'))

  async function start(): Promise<string> {
    const [port, metricsPort] = [await freePort(), await freePort()]
    server = run(dir, ['npx', 'pinstack', 'up', '--port', String(port), '--metrics-port', String(metricsPort)])
    const url = `http://127.0.0.1:${port}`
    await expect
      .poll(
        () =>
          fetch(`${url}/readyz`).then(
            (response) => response.status,
            () => server!.output(),
          ),
        { timeout: 15_000 },
      )
      .toBe(200)
    return url
  }

  async function interrupt(): Promise<void> {
    process.kill(-server!.child.pid!, 'SIGINT') // as a terminal does, to the whole group
    const startedMs = Date.now()
    await server!.exit
    expect(Date.now() - startedMs).toBeLessThan(1_500)
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

  test.each(resolutions)('their types compile under $moduleResolution, libraries checked too', (resolution) => {
    writeFileSync(
      join(dir, 'app.ts'),
      `import { createServer, type AppRouter } from '@pinstack/server'
       import { loadConfig } from '@pinstack/server/config'
       import { createPinstack } from '@pinstack/sdk'
       import { openAdmin } from '@pinstack/admin-tui'
       const server = await createServer(loadConfig({ env: {}, flags: {} }).config)
       const id: number = (await createPinstack({ url: 'http://127.0.0.1:8080' }).me()).id
       const router: AppRouter | undefined = undefined
       export { id, openAdmin, router, server }`,
    )
    const options = { ...resolution, target: 'es2024', lib: ['es2024', 'dom', 'dom.iterable'], types: ['node'] }
    expect(compile(dir, 'typescript-7', 'app.ts', options)).toBe('')
  })

  test.each(packed.map(({ name }) => name))('%s holds what it should and nothing else', (name) => {
    const installed = join(dir, 'node_modules', name)
    const files = globSync('**/*', { cwd: installed, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name)
    expect(
      readdirSync(installed)
        .filter((file) => !['dist', 'bin', 'node_modules'].includes(file))
        .sort(),
    ).toEqual(['LICENSE', 'README.md', 'package.json'])
    expect(files.filter((file) => /[.](test|contract)[.]|[.]map$|^tsconfig|[.]tsbuildinfo$/.test(file))).toEqual([])
    const manifest = readFileSync(join(installed, 'package.json'), 'utf8')
    expect(manifest).not.toMatch(/workspace:|@pinstack\/source|\.\/src\//)
  })
})

describe('the SDK alone', () => {
  let dir: string
  beforeAll(() => {
    dir = project([tarballOf('@pinstack/sdk'), ...compilers])
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

  test.each(compilers.flatMap((one) => resolutions.map((resolution) => [one.split('@')[0]!, resolution] as const)))(
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
      expect(compile(dir, compiler, 'app.ts', { ...resolution, lib: ['es2022', 'dom', 'dom.asynciterable'] })).toBe('')
    },
  )
})
