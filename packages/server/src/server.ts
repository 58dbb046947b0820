import type { Logger } from 'pino'
import type { KafkaBus } from './adapters/event-bus/kafka.ts'
import { startBackground, type Background } from './background.ts'
import type { App } from './compose.ts'
import { describeConfig, type Config, type Sources } from './config.ts'
import { StartError } from './core/start-error.ts'
import { readCertificateExpiry, readDisk } from './process-state.ts'
import { openTracing } from './open-tracing.ts'
import type { Tracer } from './core/correlation.ts'
import { migrationStatus } from './migrations/index.ts'
import { openApp, type OpenedApp } from './open-app.ts'
import { openKafka } from './open-kafka.ts'
import { readUnpublished } from './outbox/publish.ts'
import { readBacklog, readLastSeq } from './outbox/read.ts'
import { createRouter } from './router.ts'
import { createRoutes } from './routes.ts'
import { createHealth, type HealthCheck } from './surfaces/health.ts'
import { createHttpSurface } from './surfaces/http.ts'
import { createLogger } from './surfaces/logging.ts'
import { createMetrics, type Metrics } from './surfaces/metrics.ts'
import { createMetricsSurface } from './surfaces/metrics-http.ts'
import { version } from './version.ts'

export type { AppRouter } from './router.ts'

export interface ServerOptions {
  /** Where logs go; JSON lines on standard output by default. */
  logger?: Logger
  /** Where each setting came from, as `loadConfig` says it: for admins who ask. */
  sources?: Sources
  /** Mean delay of the event loop, in milliseconds, beyond which requests are refused with 503; 250 unless told otherwise. */
  loopDelayMsMax?: number
}

export interface Addresses {
  /** `http://127.0.0.1:8080`; empty for a process without the role `api`. */
  apiUrl: string
  metricsUrl: string
}

export interface Server {
  app: App
  /** For people: which database, and where. */
  storage: string
  /** One-time token for the page `/setup`, while there is no admin. */
  setupToken: string | undefined
  logger: Logger
  /** @throws {StartError} for a port that cannot be had. */
  listen(): Promise<Addresses>
  /** Answers what is under way (10 s at most), then stops all else. Calling it again waits for the same end. */
  close(): Promise<void>
}

const dayMs = 86_400_000

/**
 * Opens the storage, brings its schema up to date and puts the server together. It serves from `listen()` on.
 *
 * @throws {StartError} with one sentence for the operator: what is wrong, and the way out.
 */
export async function createServer(config: Config, options: ServerOptions = {}): Promise<Server> {
  const logger = options.logger ?? createLogger({ level: config.log.level })
  const metrics = createMetrics({ version })
  const warn = (message: string, fields: Record<string, unknown>) => logger.warn(fields, message)
  let opened: OpenedApp | undefined
  let background: Background | undefined
  let kafka: KafkaBus | undefined
  let tracer: Tracer | undefined
  try {
    tracer = await openTracing(config, warn)
    opened = await openApp(config, {
      migrate: true,
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
    const { app, database, clock, committed, sequenced } = opened
    const settings = { pollMs: config.outbox.pollMs, retentionMs: config.outbox.retentionDays * dayMs }
    const { roles } = config
    const debug = (message: string, fields: Record<string, unknown>) => logger.debug(fields, message)
    kafka = roles.includes('worker') ? await openKafka(config, { warn }) : undefined
    background = await startBackground({ app, database, clock, committed, sequenced, settings, roles, kafka, metrics, tracer, warn, debug })
    const setupToken = roles.includes('api') ? await app.auth.ensureSetupToken() : undefined
    return await withSurfaces({ options, config, logger, metrics, tracer, opened, background, kafka, setupToken })
  } catch (error) {
    await background?.close()
    await kafka?.close()
    await opened?.close()
    await tracer?.close()
    metrics.close()
    throw error
  }
}

interface Parts {
  options: ServerOptions
  config: Config
  logger: Logger
  metrics: Metrics
  tracer: Tracer | undefined
  opened: OpenedApp
  background: Background
  kafka: KafkaBus | undefined
  setupToken: string | undefined
}

async function withSurfaces({ options, config, logger, metrics, tracer, opened, background, kafka, setupToken }: Parts): Promise<Server> {
  const { app, storage } = opened
  const readBehind = config.kafka.brokers.length > 0 ? readUnpublished : readBacklog
  const health = createHealth({ version, checks: [...healthChecks(opened, readBehind), ...kafkaCheck(kafka)] })
  app.admin.attach({
    health: health.report,
    config: () => describeConfig(config, options.sources ?? {}),
    brokerLag: background.worker && kafka ? background.worker.bus.lag : config.kafka.brokers.length > 0 ? 'elsewhere' : undefined,
  })
  metrics.outbox(() => readOutboxState(opened, readBehind))
  metrics.disk(() => readDisk(config.data.dir))
  const { certificateFile } = config.metrics
  if (certificateFile !== undefined) metrics.certificate(() => readCertificateExpiry(certificateFile))
  const http = !config.roles.includes('api')
    ? undefined
    : await createHttpSurface(
        { router: createRouter(app), routes: createRoutes(app) },
        {
          authenticate: app.auth.authenticate,
          logger,
          metrics,
          tracer,
          health,
          version,
          corsOrigins: config.http.cors.origins,
          trustProxy: config.http.trustProxy,
          ...(options.loopDelayMsMax !== undefined && { limits: { loopDelayMs: options.loopDelayMsMax } }),
          heartbeatMs: config.live.heartbeat,
          drainDelayMs: config.http.drainDelayMs,
          ...(config.rateLimits.enabled && { requestLimits: { limiter: opened.limiter, maxima: config.rateLimits } }),
        },
      )
  const monitor = await createMetricsSurface({ metrics, health, logger })
  let closing: Promise<void> | undefined

  async function close(): Promise<void> {
    await http?.takeLeave()
    app.live.close() // first: a client that comes back at once is sent to another process
    await http?.close()
    await background.close()
    await opened.close()
    await tracer?.close()
    await monitor.close()
    metrics.close()
  }

  return {
    app,
    storage,
    setupToken,
    logger,
    async listen() {
      const apiUrl = http ? await listenOn(http, { ...config.http, key: 'http.port', flag: '--port' }) : ''
      const metricsUrl = await listenOn(monitor, { ...config.metrics, key: 'metrics.port', flag: '--metrics-port' })
      return { apiUrl, metricsUrl: `${metricsUrl}/metrics` }
    },
    close: () => (closing ??= close()),
  }
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

function healthChecks({ database, clock, shared, guard }: OpenedApp, readBehind: typeof readBacklog): HealthCheck[] {
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
        const waiting = (await migrationStatus(database)).filter(({ appliedAt }) => appliedAt === null).length
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
