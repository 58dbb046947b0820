import { getHeapStatistics } from 'node:v8'
import underPressure from '@fastify/under-pressure'
import type { FastifyInstance } from 'fastify'

/** Mean over a second. Beyond it each request waits longer than it works, and those that are let in make it worse. */
const loopDelayMsMax = 250
const heapShareMax = 0.92

/** Tells when to refuse what would only be answered late, before the process is out of time or memory. */
export async function watchPressure(server: FastifyInstance, loopDelayMs = loopDelayMsMax): Promise<() => boolean> {
  // Only its measuring: its own hook builds an object for each request, and its answer is not the envelope.
  await server.register(underPressure, { sampleInterval: 1_000 })
  const heapBytesMax = getHeapStatistics().heap_size_limit * heapShareMax
  return () => {
    const { eventLoopDelay, heapUsed } = server.memoryUsage()
    return eventLoopDelay > loopDelayMs || heapUsed > heapBytesMax
  }
}
