import Fastify, { type FastifyInstance } from 'fastify'
import { errorHandler, httpFailures, sendFailure } from './envelope.ts'
import { mountHealth, type Health } from './health.ts'
import type { Logger } from './logging.ts'
import type { Metrics } from './metrics.ts'

export interface MetricsSurface {
  app: FastifyInstance
  /** Resolves to the address, as a URL. */
  listen(where: { host: string; port: number }): Promise<string>
  close(): Promise<void>
}

/** `/metrics` and the health probes, on a port of their own: they answer while the API is closing, and stay out of reach of the internet. */
export async function createMetricsSurface({
  metrics,
  health,
  logger,
}: {
  metrics: Metrics
  health: Health
  logger: Logger
}): Promise<MetricsSurface> {
  const { registry } = metrics
  const app = Fastify({ forceCloseConnections: true })
  app.setErrorHandler(errorHandler({ onCrash: (error) => logger.error({ err: error }, 'metrics failed') }))
  app.setNotFoundHandler((_request, reply) => sendFailure(reply, httpFailures[404]))
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()))
  mountHealth(app, health)
  await app.ready()
  // Its own, also where several processes share the port of the API: each has numbers of its own.
  return { app, listen: (where) => app.listen({ ...where, exclusive: true }), close: () => app.close() }
}
