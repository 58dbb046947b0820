import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'
import { loadErrors } from './envelope.ts'

/** Mean over a second. Beyond it each request waits longer than it works, and those that are let in make it worse. */
const loopDelayMsMax = 250
const heapShareMax = 0.92

/** Refuses with 503 what would only be answered late, before the process is out of time or memory. Probes are always answered. */
export async function refuseUnderPressure(server: FastifyInstance): Promise<void> {
  // Only its measuring: its own hook builds an object for each request, and its answer is not the envelope.
  await server.register(underPressure, { sampleInterval: 1_000 })
  const heapBytesMax = getHeapStatistics().heap_size_limit * heapShareMax
  server.addHook('onRequest', (request, _reply, done) => {
    const { eventLoopDelay, heapUsed } = server.memoryUsage()
    if (eventLoopDelay < loopDelayMsMax && heapUsed < heapBytesMax) return done()
    done(request.routeOptions.config.isProbe ? undefined : loadErrors.overloaded())
  })
}
