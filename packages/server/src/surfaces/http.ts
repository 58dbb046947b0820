import { setTimeout as sleep } from 'node:timers/promises'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import type { Tracer } from '../core/correlation.ts'
import type { Authenticate } from '../core/viewer.ts'
import type { Route } from '../rest/route.ts'
import type { AppRouter } from '../router.ts'
import { answerMalformed } from './client-error.ts'
import { createCors } from './cors.ts'
import { mountDocs } from './docs.ts'
import { errorHandler, loadErrors, type Listeners } from './envelope.ts'
import { setCommonHeaders } from './headers.ts'
import { mountHealth, type Health } from './health.ts'
import { createRequestLimits, type RequestLimitsOptions } from './limits.ts'
import type { Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'
import { answerUnknownPaths } from './not-found.ts'
import { openApi } from './openapi.ts'
import { mountPages } from './pages.ts'
import { watchPressure } from './pressure.ts'
import { requestIds } from './request-ids.ts'
import { requestMsMax, trackRequests } from './requests.ts'
import { mountRest } from './rest.ts'
import { mountRpc } from './rpc.ts'
import type { Streaming } from './sse.ts'
import { createViewers } from './viewers.ts'

export const bodyBytesMax = 1024 * 1024
/** How long requests that are under way may take to finish once the server closes. */
export const drainMsMax = 10_000
const pathParameterCharsMax = 4096 // the names of a whole tRPC batch are one
const drainLookMs = 20
/** A request whose first half has come in gets this long for the second. */
const quietMs = 200

export interface HttpDeps {
  authenticate: Authenticate
  logger: Logger
  metrics: Metrics
  tracer?: Tracer | undefined
  health: Health
  version: string
  /** Web origins that may call; `*` for any, none for no CORS at all. Tokens travel in headers, so that no origin gets credentials. */
  corsOrigins: string[]
  /** Whose `X-Forwarded-For` is believed: addresses, CIDR ranges, `loopback`, `linklocal`, `uniquelocal`. */
  trustProxy: string[]
  /** How often a stream that is idle says that it is there, in milliseconds. */
  heartbeatMs?: number
  /** How long requests are still taken in once it closes. */
  drainDelayMs?: number
  /** How much one address and one account may ask for; no limit without it. */
  requestLimits?: RequestLimitsOptions
  /** Where all of it stands in the paths of a host: `/social`. Nothing for a server of its own. */
  basePath?: string
  /** For tests. */
  limits?: { requestMs?: number; drainMs?: number; loopDelayMs?: number; stallMs?: number }
}

export interface HttpSurface {
  app: FastifyInstance
  /** The first segments of all of its paths: `api`, `trpc`, `docs` … */
  roots: string[]
  /** Resolves to the address, as a URL. Rejects with Node's own error, for example `EADDRINUSE`. */
  listen(where: { host: string; port: number }): Promise<string>
  /** Comes before `close`: not ready any more, it goes on serving for `drainDelayMs`. */
  takeLeave(): Promise<void>
  /** Whether it has answered its last request. */
  isClosed(): boolean
  /** Stops taking connections, lets requests finish for up to `drainMsMax`, ends streams. Resolves when all are gone; again and again to the same end. */
  close(): Promise<void>
}

/** Everything that speaks HTTP: REST v1, tRPC, health, the documentation and the pages. */
export async function createHttpSurface(api: { router: AppRouter; routes: Route[] }, deps: HttpDeps): Promise<HttpSurface> {
  const { logger, metrics, health, version, limits = {} } = deps
  const listeners: Listeners = {
    onCrash: (error, request) => logger.error({ err: error, request_id: request.id, user_id: request.viewer?.id }, 'request failed'),
    onForbidden: () => metrics.authorization('forbidden'),
  }
  const onError = errorHandler(listeners)
  const cors = deps.corsOrigins.length > 0 ? createCors(deps.corsOrigins) : undefined
  const app = Fastify({
    bodyLimit: bodyBytesMax,
    requestTimeout: requestMsMax,
    trustProxy: deps.trustProxy.length > 0 && deps.trustProxy,
    return503OnClosing: false, // what has come in over an open connection is still answered
    genReqId: requestIds(),
    routerOptions: { maxParamLength: pathParameterCharsMax },
    frameworkErrors(error: Error, request: FastifyRequest, reply: FastifyReply) {
      setCommonHeaders(reply) // no hook has run yet
      if (!cors?.(request, reply)) onError(error, request, reply)
    },
    clientErrorHandler: answerMalformed,
  })
  app.decorateRequest('viewer', null)
  app.setErrorHandler(onError)
  const requestLimits = deps.requestLimits && createRequestLimits(deps.requestLimits)
  app.decorateRequest('limited', null)
  const requests = trackRequests(app, {
    logger,
    metrics,
    tracer: deps.tracer,
    limit: requestLimits?.countAddress,
    timeoutMs: limits.requestMs,
  })
  const isUnderPressure = watchPressure(app, limits.loopDelayMs)
  const answerUnknownPath = answerUnknownPaths(app)
  const roots = new Set<string>()
  app.addHook('onRoute', ({ url }) => void roots.add(url.split('/', 2)[1]!))
  // One hook for all that comes before a route: Fastify's way from hook to hook costs more than most of them do.
  app.addHook('onRequest', (request, reply, done) => {
    requests.begin(request, reply)
    setCommonHeaders(reply)
    if (cors?.(request, reply)) return
    if (request.is404) return answerUnknownPath(request, reply) // before its body is read, or a token asked for
    if (isUnderPressure() && !request.routeOptions.config.isProbe) return done(loadErrors.overloaded())
    requests.goOn(request, done)
  })
  const viewers = createViewers(deps.authenticate, metrics.authorization, requestLimits?.countAccount)
  const streaming: Streaming = { heartbeatMs: deps.heartbeatMs, stallMs: limits.stallMs, onCrash: listeners.onCrash }
  await app.register(async (scope) => mountRest(scope, api.routes, viewers, streaming), { prefix: '/api/v1' })
  await app.register(async (scope) => mountRpc(scope, api.router, { viewers, listeners, bodyBytesMax, streaming }), { prefix: '/trpc' })
  mountHealth(app, health)
  const basePath = deps.basePath ?? ''
  await mountDocs(app, openApi(api.routes, '/api/v1', { version, basePath }), basePath)
  mountPages(app, { version, basePath })
  await app.ready()

  async function drainAndClose(): Promise<void> {
    health.close()
    requests.drain()
    let isClosed = false
    const closed = app.close().then(() => {
      isClosed = true
    })
    const deadlineMs = performance.now() + (limits.drainMs ?? drainMsMax)
    let busyAtMs = performance.now()
    while (!isClosed && performance.now() < Math.min(deadlineMs, busyAtMs + quietMs)) {
      await sleep(drainLookMs)
      if (requests.count > 0) busyAtMs = performance.now()
    }
    // @NOTE Node's own close() waits for connections that a browser has opened ahead and sent nothing over.
    app.server.closeAllConnections()
    await closed
    hasClosed = true
  }
  /** Every answer asks its client to come back on another connection, which leads elsewhere. */
  async function takeLeave(): Promise<void> {
    health.close()
    requests.takeLeave()
    await sleep(deps.drainDelayMs ?? 0)
  }
  let closing: Promise<void> | undefined
  let hasClosed = false
  return {
    app,
    roots: [...roots].filter(Boolean),
    listen: (where) => app.listen(where),
    takeLeave,
    isClosed: () => hasClosed,
    close: () => (closing ??= drainAndClose()),
  }
}
