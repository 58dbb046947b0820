import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, expect, it } from 'vitest'
import type { FlagValue } from '../src/config.ts'
import { createServer, type Server } from '../src/server.ts'
import type { Tables } from '../src/schema.ts'
import { createLogger } from '../src/surfaces/logging.ts'
import { onEachDriver, useDatabase } from './drivers.ts'
import { openEvents } from './event-stream.ts'
import { freePort } from './free-port.ts'
import { call, newDataDir, quietly, register, testConfig } from './serve.ts'

onEachDriver('a server inside of somebody’s Fastify application', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const dir = newDataDir()
  const cleanUps: (() => Promise<unknown> | void)[] = []
  let names = 0
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  async function create(flags: Record<string, FlagValue> = {}, options = {}): Promise<Server> {
    const server = await createServer(testConfig({ 'database.url': opened.url, 'data.dir': dir, ...flags }), { ...quietly, ...options })
    cleanUps.push(() => server.close())
    return server
  }
  interface Where {
    own?: (host: FastifyInstance, server: Server) => void
    prefix?: string
    host?: FastifyInstance
    flags?: Record<string, FlagValue>
  }
  /** An application that does what its author likes: parses bodies its own way, has errors, hooks and a 404 of its own. */
  async function serve({ prefix = '', host = Fastify({ bodyLimit: 64, requestTimeout: 30_000 }), flags = {}, own }: Where = {}) {
    const server = await create(flags)
    own?.(host, server)
    host.addHook('onRequest', async (_request, reply) => void reply.header('x-host', 'yes').raw.setHeader('x-raw', 'yes'))
    host.addHook('preParsing', async ({ method }) => {
      if (method !== 'GET') throw new Error('the host reads no body')
    })
    host.setErrorHandler((_error, _request, reply) => reply.code(418).send('host'))
    host.setNotFoundHandler((_request, reply) => reply.code(404).send('nothing of the host'))
    host.get('/hello', async (request) => ({ hello: (await server.viewer(request.headers.authorization)).id }))
    await server.mount(host, prefix === '' ? {} : { prefix })
    const url = await host.listen({ host: '127.0.0.1', port: 0 })
    cleanUps.push(() => host.close())
    return { server, host, url, base: url + prefix }
  }
  const newToken = async (base: string) => (await register(base, `user${++names}`)).body.data.access_token as string

  it.each(['', '/social', '/a/b'])(
    'answers under the prefix %o as on an address of its own, beside the routes of the host',
    async (prefix) => {
      const { url, base } = await serve({ prefix })
      const token = await newToken(base)
      const me = await call(base, 'GET', '/api/v1/auth/me', { token })
      expect(me.body.data.id).toBeGreaterThan(0)
      expect(['content-type', 'x-raw', 'x-host'].map((name) => me.headers.get(name))).toEqual(['application/json', 'yes', null])

      const long = 'Words. '.repeat(1_000) // more than the host takes
      const made = await call(base, 'POST', '/api/v1/posts', { token, body: { title: 'A title', content: long } })
      expect([made.status, made.body.data.content]).toEqual([201, long])
      const tooLong = await call(base, 'POST', '/api/v1/posts', { token, body: { title: 'A title', content: 'x'.repeat(1_100_000) } })
      expect([tooLong.status, tooLong.body.code]).toEqual([413, 'http.body_too_large'])
      expect(await call(base, 'GET', '/api/v1/nothing')).toMatchObject({ status: 404, body: { code: 'http.not_found' } })
      expect((await call(base, 'DELETE', '/api/v1/auth/me')).status).toBe(405)
      expect((await fetch(`${base}/livez`)).status).toBe(200)

      const many = Array.from({ length: 20 }, () => 'posts.list')
      const batch = await fetch(
        `${base}/trpc/${many.join(',')}?batch=1&input=${encodeURIComponent(JSON.stringify(Object.fromEntries(many.map((_, i) => [i, {}]))))}`,
      )
      expect(((await batch.json()) as any[]).every(({ result }) => result.data.items.length > 0)).toBe(true)

      expect((await call(base, 'GET', '/api/v1/openapi.json')).body.servers).toEqual([{ url: prefix || '/' }])
      const docs = await (await fetch(`${base}/docs`)).text()
      for (const [, path] of docs.matchAll(/(?:href|src)="([^"]+)"/g)) expect((await fetch(url + path)).status, path).toBe(200)
      const setup = await (await fetch(`${base}/setup`)).text()
      expect(setup).toContain(`fetch('${prefix}/trpc/auth.claimAdmin'`)
      expect((await fetch(`${base}/swagger`, { redirect: 'manual' })).headers.get('location')).toBe(`${prefix}/docs`)

      const hello = await fetch(`${url}/hello`, { headers: { authorization: `Bearer ${token}` } })
      expect([await hello.json(), hello.headers.get('x-host')]).toEqual([{ hello: me.body.data.id }, 'yes'])
      expect([(await fetch(`${url}/hello`)).status, await (await fetch(`${url}/nowhere`)).text()]).toEqual([418, 'nothing of the host'])
      expect((await fetch(`${url}/`)).status).toBe(404) // only its own paths
    },
  )

  it('has all of a prefix, and its front page there', async () => {
    const { base } = await serve({ prefix: '/social' })
    for (const path of ['', '/']) expect((await call(base, 'GET', path)).body).toMatchObject({ name: 'pinstack', docs: '/social/docs' })
    expect((await call(base, 'GET', '/nothing')).body.code).toBe('http.not_found')
  })

  it('keeps its limits by its own idea of who calls, whatever proxies the host trusts', async () => {
    const host = Fastify({ trustProxy: true, requestTimeout: 30_000 })
    const { base } = await serve({
      host,
      flags: { 'rateLimits.enabled': true, 'http.trustProxy': 'none', 'rateLimits.readsPerAddress': 5 },
    })
    const statuses: number[] = []
    for (let i = 0; i < 7; i++) {
      statuses.push((await fetch(`${base}/api/v1/posts/list`, { headers: { 'x-forwarded-for': `9.9.9.${i}` } })).status)
    }
    expect(statuses).toEqual([200, 200, 200, 200, 200, 429, 429])
  })

  it('streams, and closes with the host: streams end, what is under way is answered, and the database goes last', async () => {
    const { host, url, base, server } = await serve({
      own: (host, server) =>
        host.get('/slow', async () => {
          await sleep(300)
          return { found: (await server.app.users.find(1)) !== undefined } // the host's own requests have the database to their end
        }),
    })
    let closedMs = 0
    const token = await newToken(base)
    const stream = await openEvents(`${base}/api/v1/notification/stream`, { token })
    const slow = fetch(`${url}/slow`)
    await sleep(50) // it is under way by then
    const closing = host.close().then(() => void (closedMs = Date.now()))
    expect(await (await slow).json()).toEqual({ found: true })
    await stream.ended
    await closing
    expect(closedMs).toBeGreaterThan(0)
    await expect(fetch(`${base}/livez`)).rejects.toThrow()
    await expect(server.app.relations.counts(1)).rejects.toThrow()
    await server.close() // to the same end
  })

  it('answers 503 once it is closed itself, while the host goes on', async () => {
    const { url, base, server } = await serve()
    await server.close()
    const answer = await call(base, 'GET', '/api/v1/posts/list')
    expect([answer.status, answer.body.code, answer.headers.get('retry-after')]).toEqual([503, 'http.overloaded', '1'])
    expect((await fetch(`${url}/nowhere`)).status).toBe(404)
  })

  it('answers what is cut off in the middle of a body, and goes on', async () => {
    const { url, base } = await serve()
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    await once(socket, 'connect')
    socket.write('POST /api/v1/auth/login HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{"login":')
    await sleep(50) // the half has come in by then
    socket.destroy()
    expect((await call(base, 'GET', '/api/v1/posts/list')).status).toBe(200)
  })

  const refused: [string, (server: Server) => Promise<unknown>, string][] = [
    ['no Fastify', (server) => server.mount({} as never), 'can be mounted on an application of Fastify 5'],
    ['another version', (server) => server.mount({ ...Fastify(), version: '4.28.0', register() {} } as never), 'which 4.28.0 is not'],
    [
      'a prefix that ends in a slash',
      (server) => server.mount(Fastify(), { prefix: '/social/' }),
      'The prefix "/social/" must be like /social',
    ],
    ['a prefix without one in front', (server) => server.mount(Fastify(), { prefix: 'social' }), 'must be like /social'],
    ['http2', (server) => server.mount(Fastify({ http2: true }) as never), 'with http2: let a proxy in front speak it'],
    [
      'an application that has started',
      async (server) => {
        const host = Fastify()
        cleanUps.push(() => host.close())
        await host.listen({ port: 0, host: '127.0.0.1' })
        await server.mount(host)
      },
      'The application has started already',
    ],
    ['a second time', async (server) => (await server.mount(Fastify()), server.mount(Fastify())), 'The server serves already'],
    ['a server that listens', async (server) => (await server.listen(), server.mount(Fastify())), 'The server serves already'],
  ]
  it.each(refused)('is refused with %s', async (_title, mount, sentence) => {
    await expect(mount(await create())).rejects.toMatchObject({ name: 'StartError', message: expect.stringContaining(sentence) })
  })

  it('does not start the host where the metrics’ port is taken, and says so of what the host lacks', async () => {
    const lines: any[] = []
    const logger = createLogger({ level: 'warn', destination: { write: (line: string) => void lines.push(JSON.parse(line)) } })
    const taken = Fastify()
    const port = await freePort()
    await taken.listen({ port, host: '127.0.0.1' })
    cleanUps.push(() => taken.close())
    const host = Fastify({ connectionTimeout: 5_000 })
    const server = await create({ 'metrics.port': port }, { logger })
    await server.mount(host)
    await expect(host.listen({ port: 0, host: '127.0.0.1' })).rejects.toThrow(`Port ${port} on 127.0.0.1 is taken`)
    await host.close()
    const warnings = lines.map(({ msg }) => msg).filter((text: string) => text.startsWith('the application'))
    expect(warnings).toEqual([
      'the application has no requestTimeout: who sends headers slowly keeps a connection',
      'the application has a connectionTimeout: live streams end when it is over',
    ])
  })
})
