import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { loadErrors } from './envelope.ts'
import type { Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How logs and metrics call the route: never with an id or a name in it. Its URL, where absent. */
    pattern?: string | ((request: FastifyRequest) => string)
    /** Asked by a machine every few seconds: logged at debug, and answered under any load. */
    isProbe?: boolean
  }
}

/** From the first byte of a request to the first of its answer. */
export const requestMsMax = 30_000
const sweepsPerTimeout = 30
/** What a proxy would log for a client that left before it had its answer. */
const statusOfTheGone = 499

/**
 * Keeps account of the requests that are under way: logs and counts each when it is over, answers for those whose handler
 * takes too long, and lets those that are left finish when the server closes. Register it before all other hooks.
 */
export function trackRequests(server: FastifyInstance, { logger, metrics, timeoutMs = requestMsMax }: { logger: Logger; metrics: Metrics; timeoutMs?: number | undefined }) {
  const pending = new Map<FastifyReply, number>() // by age, since a Map keeps the order of its inserts
  metrics.httpInFlight(() => pending.size)

  // @NOTE one listener on `close` and not Fastify's onResponse: that one is not told of a client that has left.
  server.addHook('onRequest', (request, reply, done) => {
    const startMs = performance.now()
    pending.set(reply, startMs)
    reply.raw.on('close', () => {
      pending.delete(reply)
      completed(request, reply, performance.now() - startMs)
    })
    done()
  })

  function completed(request: FastifyRequest, reply: FastifyReply, ms: number): void {
    const { config } = request.routeOptions
    const route = request.is404 ? 'unmatched' : typeof config.pattern === 'function' ? config.pattern(request) : config.pattern ?? config.url
    const status = reply.raw.writableFinished ? reply.raw.statusCode : statusOfTheGone
    metrics.httpRequest(request.method, route, status, ms / 1000)
    const line = { request_id: request.id, user_id: request.viewer?.id, method: request.method, route, status, ms: Math.round(ms * 10) / 10 }
    if (config.isProbe) logger.debug(line, 'request')
    else logger.info(line, 'request')
  }

  const sweep = setInterval(() => {
    const latestMs = performance.now() - timeoutMs
    for (const [reply, startMs] of pending) {
      if (startMs > latestMs) break
      if (!reply.raw.headersSent) reply.header('connection', 'close').send(loadErrors.timeout())
    }
  }, timeoutMs / sweepsPerTimeout)
  sweep.unref()
  server.addHook('onClose', async () => clearInterval(sweep))

  return {
    /** Asks clients to come back on another connection: after their answer, or now where it is a stream that has no end of its own. */
    drain(): void {
      for (const reply of pending.keys()) {
        if (!reply.raw.headersSent) reply.header('connection', 'close')
        else if (String(reply.raw.getHeader('content-type')).startsWith('text/event-stream')) reply.raw.end()
      }
    },
    get count(): number {
      return pending.size
    },
  }
}
