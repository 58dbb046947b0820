import type { Logger } from 'pino'
import type { KafkaBus } from './adapters/event-bus/kafka.ts'
import { startBackground, type Background } from './background.ts'
import type { App } from './compose.ts'
import type { Config } from './config.ts'
import { StartError } from './core/start-error.ts'
import { bearerToken, type Viewer } from './core/viewer.ts'
import { checkFeatures } from './extension/check-features.ts'
import type { Feature, RoutersOf, ServicesOf } from './extension/feature.ts'
import { installHooks, type Hooks } from './extension/hooks.ts'
import { openFeatures, type OpenedFeatures } from './extension/open-features.ts'
import { readCertificateExpiry, readDisk } from './process-state.ts'
import { openTracing } from './open-tracing.ts'
import type { Tracer } from './core/correlation.ts'
import { migrationStatus } from './migrations/index.ts'
import { openApp, type OpenedApp } from './open-app.ts'
import { openKafka } from './open-kafka.ts'
import { createEmit } from './outbox/outbox.ts'
import { readUnpublished } from './outbox/publish.ts'
import { readBacklog, readLastSeq } from './outbox/read.ts'
import { createRouter, type AppRouter } from './router.ts'
import { createRoutes } from './routes.ts'
import { mergeRouters, router } from './rpc/procedures.ts'
import { createHealth, type HealthCheck } from './surfaces/health.ts'
import { createHttpSurface, type HttpSurface } from './surfaces/http.ts'
import { createLogger } from './surfaces/logging.ts'
import { createMetrics, type Metrics } from './surfaces/metrics.ts'
import { createMetricsSurface } from './surfaces/metrics-http.ts'
import { mountOn, type Host, type MountOptions } from './surfaces/mount.ts'
import { version } from './version.ts'

export { DomainError, defineErrors, type ErrorKind } from './core/errors.ts'
export { StartError } from './core/start-error.ts'
export type { Role, Viewer } from './core/viewer.ts'
export {
  defineFeature,
  type Feature,
  type FeatureConsumer,
  type FeatureContext,
  type FeatureEvent,
  type FeatureParts,
  type FeatureTx,
} from './extension/feature.ts'
export type { ActionName, Actions, AfterAction, BeforeAction, Hook, Hooks } from './extension/hooks.ts'
export { id, idInPath, pageQuery, text } from './rest/fields.ts'
export { eventRoute, route, type Route, type RouteAuth } from './rest/route.ts'
export type { AppRouter } from './router.ts'
export { admin, authed, open, router } from './rpc/procedures.ts'
export type { MountOptions } from './surfaces/mount.ts'

export interface ServerOptions<Features extends readonly Feature[] = readonly Feature[]> {
  /** What this server does beside what Pinstack does; see `defineFeature`. */
  features?: Features
  /** What comes before and after the actions of users; runs before the hooks of features. */
  hooks?: Hooks
  /** Where logs go; JSON lines on standard output by default. */
  logger?: Logger
  /** Mean delay of the event loop, in milliseconds, beyond which requests are refused with 503; 250 unless told otherwise. */
  loopDelayMsMax?: number
}

export interface Addresses {
  /** `http://127.0.0.1:8080`; empty for a process without the role `api`. */
  apiUrl: string
  metricsUrl: string
}

export interface Server<Features extends readonly Feature[] = readonly []> {
  app: App
  /** What each feature gives as its `service`, by the feature's name. */
  features: ServicesOf<Features>
  /** Never there: the type by which `createPinstack<typeof server>()` of the SDK knows the procedures of the features. */
  readonly $routers?: RoutersOf<Features>
  /** For people: which database, and where. */
  storage: string
  /** One-time token for the page `/setup`, while there is no admin. */
  setupToken: string | undefined
  logger: Logger
  /** @throws {StartError} for a port that cannot be had. */
  listen(): Promise<Addresses>
  /**
   * Instead of `listen`: serves under `prefix` of a Fastify 5 application of yours, beside its own routes, and closes with it. Call it
   * before the application is ready. Metrics are on their own port from then on. docs/library.md says what it takes of the application.
   *
   * @throws {StartError} for an application or a prefix that it cannot be mounted on.
   */
  mount(host: Host, options?: MountOptions): Promise<void>
  /**
   * Who sends a request, by its `Authorization` header, for routes of your own.
   *
   * @throws `auth.unauthenticated`, `auth.invalid_token`, `auth.token_expired`
   */
  viewer(authorization: string | undefined): Promise<Viewer>
  /** Answers what is under way (10 s at most), then stops all else. Calling it again waits for the same end. */
  close(): Promise<void>
}

const dayMs = 86_400_000

/**
 * Opens the storage, brings its schema up to date and puts the server together. It serves from `listen()` on.
 *
 * @throws {StartError} with one sentence for the operator: what is wrong, and the way out.
 */
export async function createServer<const Features extends readonly Feature[] = readonly []>(
  config: Config,
  options: ServerOptions<Features> = {},
): Promise<Server<Features>> {
  const features: readonly Feature[] = options.features ?? []
  checkFeatures(features, config)
  const logger = options.logger ?? createLogger({ level: config.log.level })
  const metrics = createMetrics({ version })
  const warn = (message: string, fields: Record<string, unknown>) => logger.warn(fields, message)
  let opened: OpenedApp | undefined
  let added: OpenedFeatures | undefined
  let background: Background | undefined
  let kafka: KafkaBus | undefined
  let tracer: Tracer | undefined
  try {
    tracer = await openTracing(config, warn)
    opened = await openApp(config, {
      migrate: true,
      features,
      exclusive: true,
      metrics,
      warn,
      onQuery: ({ kind, durationMs, failed }) => metrics.databaseQuery(kindOf(kind), durationMs / 1000, !failed),
      onTransaction: metrics.transaction,
      onPool: (pool) =>
        metrics.databasePool(() => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount, max: pool.options.max })),
      onWaiting: (reason) => logger.warn(reason),
      onConnectionError: (error) => logger.warn({ err: error }, 'a database connection was lost'),
    })
    const { app, database, clock, committed, sequenced, limiter } = opened
    const emit = createEmit({ database, clock, committed })
    added = await openFeatures(features, createRoutes(app), { app, database, clock, limiter, emit, logger })
    installHooks(app, [...(options.hooks === undefined ? [] : [options.hooks]), ...added.hooks], logger)
    const settings = { pollMs: config.outbox.pollMs, retentionMs: config.outbox.retentionDays * dayMs }
    const { roles } = config
    const debug = (message: string, fields: Record<string, unknown>) => logger.debug(fields, message)
    kafka = roles.includes('worker') ? await openKafka(config, { warn, features }) : undefined
    background = await startBackground({ app, database, clock, committed, sequenced, settings, roles, kafka, metrics, tracer, warn, debug })
    const setupToken = roles.includes('api') ? await app.auth.ensureSetupToken() : undefined
    const parts: Parts = { options, features, added, config, logger, metrics, tracer, opened, background, kafka, setupToken }
    return (await withSurfaces(parts)) as Server<Features>
  } catch (error) {
    await background?.close()
    await added?.close()
    await kafka?.close()
    await opened?.close()
    await tracer?.close()
    metrics.close()
    throw error
  }
}

interface Parts {
  options: ServerOptions
  features: readonly Feature[]
  added: OpenedFeatures
  config: Config
  logger: Logger
  metrics: Metrics
  tracer: Tracer | undefined
  opened: OpenedApp
  background: Background
  kafka: KafkaBus | undefined
  setupToken: string | undefined
}

async function withSurfaces(parts: Parts): Promise<Server> {
  const { features, added, config, logger, metrics, tracer, opened, background, kafka, setupToken } = parts
  const { app, storage } = opened
  const isApi = config.roles.includes('api')
  const readBehind = config.kafka.brokers.length > 0 ? readUnpublished : readBacklog
  const health = createHealth({ version, checks: [...healthChecks(opened, { features, readBehind }), ...kafkaCheck(kafka)] })
  metrics.outbox(() => readOutboxState(opened, readBehind))
  metrics.disk(() => readDisk(config.data.dir))
  const { certificateFile } = config.metrics
  if (certificateFile !== undefined) metrics.certificate(() => readCertificateExpiry(certificateFile))
  const api = { router: routerOf(app, added), routes: [...createRoutes(app), ...added.routes] }
  const openHttp = (basePath: string) =>
    createHttpSurface(api, {
      authenticate: app.auth.authenticate,
      logger,
      metrics,
      tracer,
      health,
      version,
      basePath,
      corsOrigins: config.http.cors.origins,
      trustProxy: config.http.trustProxy,
      ...(parts.options.loopDelayMsMax !== undefined && { limits: { loopDelayMs: parts.options.loopDelayMsMax } }),
      heartbeatMs: config.live.heartbeat,
      drainDelayMs: config.http.drainDelayMs,
      ...(config.rateLimits.enabled && { requestLimits: { limiter: opened.limiter, maxima: config.rateLimits } }),
    })
  let http: HttpSurface | undefined
  const monitor = await createMetricsSurface({ metrics, health, logger })
  let closing: Promise<void> | undefined

  /** Its own address, or a host's. */
  async function openOnce(basePath = ''): Promise<HttpSurface> {
    if (http) throw new StartError('The server serves already: listen and mount are called once, and one of them.')
    http = await openHttp(basePath)
    return http
  }
  const listenForMetrics = () => listenOn(monitor, { ...config.metrics, key: 'metrics.port', flag: '--metrics-port' })

  let leaving: Promise<void> | undefined
  async function leave(): Promise<void> {
    await http?.takeLeave()
    app.live.close() // first: a client that comes back at once is sent to another process
    await http?.close()
  }
  const closeSurface = () => (leaving ??= leave())

  async function close(): Promise<void> {
    await closeSurface()
    await background.close()
    await added.close()
    await opened.close()
    await tracer?.close()
    await monitor.close()
    metrics.close()
  }

  const server: Server = {
    app,
    features: added.services as {},
    storage,
    setupToken,
    logger,
    async listen() {
      const apiUrl = isApi ? await listenOn(await openOnce(), { ...config.http, key: 'http.port', flag: '--port' }) : ''
      return { apiUrl, metricsUrl: `${await listenForMetrics()}/metrics` }
    },
    async mount(host, { prefix = '' } = {}) {
      if (!isApi) throw new StartError('A server without the role api has nothing to mount: add api to roles.')
      await mountOn(host, {
        prefix,
        open: openOnce,
        onReady: async () => void (await listenForMetrics()),
        closeSurface,
        close: () => server.close(),
        warn: (message, fields) => logger.warn(fields, message),
      })
    },
    viewer: async (authorization) => app.auth.authenticate(bearerToken(authorization)),
    close: () => (closing ??= close()),
  }
  return server
}

/** Pinstack's, and those of the features beside them. */
function routerOf(app: App, { routers }: OpenedFeatures): AppRouter {
  const own = createRouter(app)
  return Object.keys(routers).length === 0 ? own : (mergeRouters(own, router(routers)) as unknown as AppRouter)
}

interface Address {
  host: string
  port: number
  key: string
  flag: string
}

async function listenOn(
  surface: { listen(address: { host: string; port: number }): Promise<string> },
  { host, port, key, flag }: Address,
): Promise<string> {
  try {
    return await surface.listen({ host, port })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const problem = listenProblems[code ?? '']
    if (!problem) throw error
    const way = `, or choose another with ${flag} (${key}).`
    throw new StartError(problem({ host, port }) + (code === 'EADDRINUSE' || code === 'EACCES' ? way : '.'), { cause: error })
  }
}

const notOurs = ({ host }: Pick<Address, 'host'>) => `${host} is not an address of this machine: correct http.host or metrics.host`

const listenProblems: Record<string, (address: Pick<Address, 'host' | 'port'>) => string> = {
  EADDRINUSE: ({ host, port }) => `Port ${port} on ${host} is taken: stop the program that uses it`,
  EACCES: ({ host, port }) => `Port ${port} on ${host} may not be used by this user: give it the right to`,
  EADDRNOTAVAIL: notOurs,
  ENOTFOUND: notOurs,
}

/** Without Kafka events wait, and nothing else: it is reported, and the server is ready all the same. */
function kafkaCheck(kafka: KafkaBus | undefined): HealthCheck[] {
  return kafka ? [{ name: 'kafka', required: false, check: kafka.ping }] : []
}

function healthChecks(
  { database, clock, shared, guard }: OpenedApp,
  { features, readBehind }: { features: readonly Feature[]; readBehind: typeof readBacklog },
): HealthCheck[] {
  return [
    ...(shared ? [{ name: 'redis', required: false, check: shared.ping, about: () => ({ breaker: shared.guard.state }) }] : []),
    {
      name: 'database',
      required: true,
      check: async () => void (await readLastSeq(database.db)),
      ...(guard && { about: () => ({ breaker: guard.state }) }),
    },
    {
      name: 'migrations',
      required: true,
      async check() {
        const waiting = (await migrationStatus(database, features)).filter(({ appliedAt }) => appliedAt === null).length
        if (waiting > 0) throw new Error(`${waiting} migrations wait`)
      },
    },
    {
      name: 'outbox',
      required: false,
      async check() {
        const { depth, lagSeconds } = await readOutboxState({ database, clock }, readBehind)
        if (lagSeconds > outboxLagSecondsMax) throw new Error('events wait for too long')
        return { depth, lag_seconds: lagSeconds }
      },
    },
  ]
}

/** Beyond it the outbox is reported as down: events should wait for milliseconds. */
const outboxLagSecondsMax = 60

async function readOutboxState(
  { database, clock }: Pick<OpenedApp, 'database' | 'clock'>,
  readBehind: typeof readBacklog,
): Promise<{ depth: number; lagSeconds: number }> {
  const { depth, oldestCreatedAt } = await readBehind(database.db)
  const lagMs = oldestCreatedAt === null ? 0 : clock.nowMs() - Date.parse(oldestCreatedAt)
  return { depth, lagSeconds: Math.max(0, lagMs / 1000) }
}

function kindOf(node: string): 'select' | 'insert' | 'update' | 'delete' | 'other' {
  return queryKinds[node] ?? 'other'
}

const queryKinds: Record<string, 'select' | 'insert' | 'update' | 'delete'> = {
  SelectQueryNode: 'select',
  InsertQueryNode: 'insert',
  UpdateQueryNode: 'update',
  DeleteQueryNode: 'delete',
}
