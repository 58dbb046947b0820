/** One server to measure, in a process of its own: `node target.ts NAME DATADIR`. Says where it listens, and ends when its parent does. */
import { fastifyTRPCPlugin } from '@trpc/server/adapters/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { currentCorrelation } from '../src/core/correlation.ts'
import { openApp } from '../src/open-app.ts'
import { createRouter } from '../src/router.ts'
import { createRoutes } from '../src/routes.ts'
import type { Context } from '../src/rpc/procedures.ts'
import { createServer } from '../src/server.ts'
import { createHealth } from '../src/surfaces/health.ts'
import { createHttpSurface } from '../src/surfaces/http.ts'
import { createLogger } from '../src/surfaces/logging.ts'
import type { Metrics } from '../src/surfaces/metrics.ts'
import { mountTrpc } from '../src/surfaces/trpc.ts'
import { rawPosts } from './raw-posts.ts'
import { benchConfig } from './world.ts'

export const user = {
  id: 1,
  username: 'user1',
  full_name: 'User Number 1',
  bio: 'I am one of many users here.',
  created_at: '2026-01-31T18:41:35Z',
  updated_at: '2026-01-31T18:41:35Z',
}

/** One address stands for thousands of people here. */
const countedAndNotRefused = Object.fromEntries(
  ['readsPerAddress', 'readsPerAccount', 'writesPerAddress', 'writesPerAccount'].map((name) => [`rateLimits.${name}`, 1_000_000_000]),
)

const targets: Record<string, (dir: string) => Promise<string>> = {
  /** As `pinstack up` runs it: logs at info, metrics, headers, limits. */
  product: async (dir) => (await (await createServer(benchConfig(dir, countedAndNotRefused))).listen()).apiUrl,
  /** The same without limits, for logins. */
  unlimited: async (dir) => {
    const server = await createServer(benchConfig(dir, { 'rateLimits.enabled': false }))
    const { apiUrl, metricsUrl } = await server.listen()
    return `${apiUrl} ${metricsUrl}`
  },
  /** Says on demand what memory it uses after a full collection of garbage, and how much processor time it has had. */
  streams: async (dir) => {
    answerCpu()
    process.on('message', (what) => {
      if (what !== 'memory') return
      globalThis.gc!()
      const { rss, heapUsed, external } = process.memoryUsage()
      process.send!({ rssBytes: rss, usedBytes: heapUsed + external })
    })
    const server = await createServer(benchConfig(dir, { 'rateLimits.enabled': false }))
    return (await server.listen()).apiUrl
  },
  /** The product, which says how much processor time it has had. */
  observed: async (dir) => {
    answerCpu()
    return (await (await createServer(benchConfig(dir, countedAndNotRefused))).listen()).apiUrl
  },
  /** The same, started without the hooks of tracing: see without-traces.ts. */
  untraced: async (dir) => {
    if (currentCorrelation.toString() !== '() => undefined') throw new Error('the hooks of tracing are still in the path')
    return await targets.observed!(dir)
  },
  /** The product's surface and features, with nobody who counts or logs. */
  unobserved: async (dir) => {
    const config = benchConfig(dir)
    const { app } = await openApp(config)
    const metrics = new Proxy({}, { get: () => () => {} }) as Metrics
    const surface = await createHttpSurface(
      { router: createRouter(app), routes: createRoutes(app) },
      {
        authenticate: app.auth.authenticate,
        logger: createLogger({ level: 'silent' }),
        metrics,
        health: createHealth({ version: '0', checks: [] }),
        version: '0',
        corsOrigins: config.http.cors.origins,
        trustProxy: config.http.trustProxy,
      },
    )
    return await surface.listen({ host: '127.0.0.1', port: 0 })
  },
  /** What Fastify does by itself with the same bytes. */
  bare: async () => {
    const server = Fastify()
    server.get('/api/v1/users/:id', () => ({ status: 200, data: user }))
    return await listen(server)
  },
  /** Posts by Fastify and better-sqlite3, over the product's data. */
  raw: async (dir) => await listen(rawPosts(dir)),
  /** What Fastify does by itself with what the procedure calls. */
  bareRpc: async (dir) => {
    const { app } = await openApp(benchConfig(dir))
    const server = Fastify()
    server.get('/trpc/users.byId', async (request) => {
      const { id } = JSON.parse((request.query as { input: string }).input) as { id: number }
      return { result: { data: await app.users.byId(id, null) } }
    })
    return await listen(server)
  },
  /** tRPC's own Fastify adapter, and nothing around it. */
  adapter: async (dir) => await listenTrpc(dir, (scope, trpcOptions) => void scope.register(fastifyTRPCPlugin, { trpcOptions })),
  /** The short way, and nothing around it. */
  short: async (dir) => await listenTrpc(dir, mountTrpc),
}

function answerCpu(): void {
  process.on('message', (what) => {
    if (what !== 'cpu') return
    const { user, system } = process.cpuUsage()
    process.send!(user + system)
  })
}

async function listenTrpc(dir: string, mount: (scope: FastifyInstance, options: any) => void): Promise<string> {
  const { app } = await openApp(benchConfig(dir))
  const router = createRouter(app)
  const createContext = (): Context => ({
    viewer: async () => {
      throw new Error('not here')
    },
    optionalViewer: async () => null,
    client: { address: '', device: '' },
  })
  const server = Fastify()
  await server.register(async (scope) => mount(scope, { router, createContext }), { prefix: '/trpc' })
  return await listen(server)
}

async function listen(server: FastifyInstance): Promise<string> {
  return await server.listen({ port: 0, host: '127.0.0.1' })
}

const [name = '', dir = ''] = process.argv.slice(2)
if (process.send) {
  process.on('disconnect', () => process.exit())
  process.send(await targets[name]!(dir))
}
