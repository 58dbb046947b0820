import type { FastifyContextConfig, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { correlated, newTraceparent, readTraceparent, traceIdOf, type Correlation, type Tracer } from '../core/correlation.ts'
import { loadErrors } from './envelope.ts'
import { requestLog, type Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How logs and metrics call the route: never with an id or a name in it. Its URL, where absent. */
    pattern?: string | ((request: FastifyRequest) => string)
    /** Asked by a machine every few seconds: logged at debug, and answered under any load. */
    isProbe?: boolean
  }
  interface FastifyRequest {
    about: RouteAbout | null
    /** What ties its logs, events and spans together. Null for a read of which nobody keeps a trace. */
    correlation: Correlation | null
  }
}

/** What a route's requests have in common, worked out once. @NOTE `request.routeOptions` builds an object each time it is asked. */
interface RouteAbout {
  pattern: string | ((request: FastifyRequest) => string)
  json: string
  level: 'info' | 'debug'
}

const unmatched = aboutRoute({ url: 'unmatched' })

function aboutRoute({ pattern, isProbe, url }: FastifyContextConfig & { url: string }): RouteAbout {
  return { pattern: pattern ?? url, json: JSON.stringify(pattern ?? url) ?? '', level: isProbe ? 'debug' : 'info' }
}

function isStream({ raw }: FastifyReply): boolean {
  const type = raw.getHeader('content-type')
  return typeof type === 'string' && type.startsWith('text/event-stream')
}

/** From the first byte of a request to the first of its answer. */
export const requestMsMax = 30_000
const sweepsPerTimeout = 30
/** What a proxy would log for a client that left before it had its answer. */
const statusOfTheGone = 499

interface Pending {
  reply: FastifyReply
  startMs: number
}

/**
 * Holds values that come and go by the ten thousand a second. @NOTE not a Map: one that is deleted from as much as it is set is made
 * anew all the time, and each that the garbage collector has not come to yet keeps the next alive, with all requests in it.
 */
function createSlots<T>() {
  const slots: (T | undefined)[] = []
  const free: number[] = []
  return {
    put(value: T): number {
      const slot = free.pop() ?? slots.length
      slots[slot] = value
      return slot
    },
    clear(slot: number): void {
      slots[slot] = undefined
      free.push(slot)
    },
    all: () => slots.filter((value) => value !== undefined),
    get count(): number {
      return slots.length - free.length
    },
  }
}

/**
 * Keeps account of the requests that are under way: logs and counts each when it is over, answers for those whose handler
 * takes too long, and lets those that are left finish when the server closes.
 */
export function trackRequests(
  server: FastifyInstance,
  {
    logger,
    metrics,
    tracer,
    limit,
    timeoutMs = requestMsMax,
  }: {
    logger: Logger
    metrics: Metrics
    tracer?: Tracer | undefined
    /** Counts a request before its route does anything. Undefined when it is done already; throws or rejects to refuse it. */
    limit?: ((request: FastifyRequest, reply: FastifyReply, config: FastifyContextConfig) => Promise<void> | undefined) | undefined
    timeoutMs?: number | undefined
  },
) {
  const pending = createSlots<Pending>()
  const log = requestLog(logger)
  metrics.httpInFlight(() => pending.count)
  server.decorateRequest('about', null)
  server.decorateRequest('correlation', null)

  server.addHook('onRoute', (options) => {
    let about: RouteAbout | undefined // not before a request comes: other hooks have their say on the options after this one
    options.onRequest = [
      (request, reply, done) => {
        request.about = about ??= aboutRoute({ ...options.config, url: options.url })
        let counting: Promise<void> | undefined
        try {
          counting = limit?.(request, reply, options.config ?? {})
        } catch (error) {
          return done(error as Error)
        }
        if (counting) counting.then(() => goOn(request, done), done)
        else done()
      },
      ...[options.onRequest ?? []].flat(),
    ]
    // @NOTE once the body has been read, since what reads it does not hand the correlation on. A read that nobody traces needs none, and pays nothing.
    if (tracer || [options.method].flat().some((method) => method !== 'GET' && method !== 'HEAD'))
      options.preValidation = [(request, _reply, done) => goOn(request, done), ...[options.preValidation ?? []].flat()]
  })

  function correlationOf(request: FastifyRequest): Correlation | null {
    const given = readTraceparent(request.raw.headers.traceparent)
    if (tracer) {
      const span = tracer.start(request.method, { kind: 'server', traceparent: given })
      return { traceparent: span.traceparent, requestId: request.id, span }
    }
    if (given === undefined && request.method === 'GET') return null
    return { traceparent: given ?? newTraceparent(), requestId: request.id }
  }

  function goOn(request: FastifyRequest, done: () => void): void {
    if (request.correlation) correlated(request.correlation, done)
    else done()
  }

  function completed(request: FastifyRequest, reply: FastifyReply, ms: number): void {
    const { pattern, json, level } = request.about ?? (request.is404 ? unmatched : aboutRoute(request.routeOptions.config)) // where a hook has answered
    const isFixed = typeof pattern === 'string'
    const route = isFixed ? pattern : pattern(request)
    const status = reply.raw.writableFinished ? reply.raw.statusCode : statusOfTheGone
    metrics.httpRequest(request.method, route, status, isStream(reply) ? undefined : ms / 1000) // how long one listens says nothing of how fast one is served
    const { correlation } = request
    correlation?.span?.end({
      name: `${request.method} ${route}`,
      failed: status >= 500,
      attributes: { 'http.request.method': request.method, 'http.route': route, 'http.response.status_code': status },
    })
    log({
      level,
      request_id: request.id,
      trace_id: correlation ? traceIdOf(correlation.traceparent) : undefined,
      user_id: request.viewer?.id,
      method: request.method,
      routeJson: isFixed ? json : JSON.stringify(route),
      status,
      ms: Math.round(ms * 10) / 10,
    })
  }

  let isLeaving = false
  const sweep = setInterval(() => {
    const latestMs = performance.now() - timeoutMs
    for (const { reply, startMs } of pending.all()) {
      if (startMs <= latestMs && !reply.raw.headersSent) reply.header('connection', 'close').send(loadErrors.timeout())
    }
  }, timeoutMs / sweepsPerTimeout)
  sweep.unref()
  server.addHook('onClose', async () => clearInterval(sweep))

  return {
    begin(request: FastifyRequest, reply: FastifyReply): void {
      const startMs = performance.now()
      const slot = pending.put({ reply, startMs })
      if (isLeaving) reply.header('connection', 'close')
      request.correlation = correlationOf(request)
      // @NOTE one listener on `close` and not Fastify's onResponse: that one is not told of a client that has left.
      reply.raw.on('close', () => {
        pending.clear(slot)
        completed(request, reply, performance.now() - startMs)
      })
    },
    /** From now on each answer is the last on its connection. */
    takeLeave(): void {
      isLeaving = true
    },
    /** Whatever `done` causes belongs to the request. */
    goOn,
    /** Asks clients to come back on another connection: after their answer, or now where it is a stream that has no end of its own. */
    drain(): void {
      for (const { reply } of pending.all()) {
        if (!reply.raw.headersSent) reply.header('connection', 'close')
        else if (isStream(reply)) reply.raw.end()
      }
    },
    get count(): number {
      return pending.count
    },
  }
}
