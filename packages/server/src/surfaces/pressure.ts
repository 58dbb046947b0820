import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'

/** Mean over a second. Beyond it each request waits longer than it works, and those that are let in make it worse. */
const loopDelayMsMax = 250
const heapShareMax = 0.92
const sampleEveryMs = 1_000
/** @fastify/under-pressure looks each 10 ms, which cannot be changed, a quarter of what an idle process costs with the metrics doing the same. */
const resolutionMs = 20

/** Tells when to refuse what would only be answered late, before the process is out of time or memory. */
export function watchPressure(server: FastifyInstance, loopDelayMs = loopDelayMsMax): () => boolean {
  const heapBytesMax = getHeapStatistics().heap_size_limit * heapShareMax
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  let isUnder = false
  const sample = setInterval(() => {
    // A loop that was stopped throughout has counted nothing, and its mean is not a number: this very timer was late then.
    const meanMs = delays.count > 0 ? delays.mean / 1e6 - resolutionMs : 0
    delays.reset()
    isUnder = meanMs > loopDelayMs || process.memoryUsage().heapUsed > heapBytesMax
  }, sampleEveryMs).unref()
  server.addHook('onClose', async () => {
    clearInterval(sample)
    delays.disable()
  })
  return () => isUnder
}
