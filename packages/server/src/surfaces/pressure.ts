import { monitorEventLoopDelay } from 'node:perf_hooks'
import { getHeapStatistics } from 'node:v8'
import type { FastifyInstance } from 'fastify'

/** What a request waits for its turn, two seconds running. Beyond it each waits longer than it works, and those that are let in make it worse. */
const loopDelayMsMax = 250
const heapShareMax = 0.92
const sampleEveryMs = 1_000
/** @fastify/under-pressure looks each 10 ms, which cannot be changed, and was a quarter of what an idle process cost. */
const resolutionMs = 50

/** Tells when to refuse what would only be answered late, before the process is out of time or memory. */
export function watchPressure(server: FastifyInstance, loopDelayMs = loopDelayMsMax): () => boolean {
  const heapBytesMax = getHeapStatistics().heap_size_limit * heapShareMax
  const delays = monitorEventLoopDelay({ resolution: resolutionMs })
  delays.enable()
  let isUnder = false
  let wasLate = false
  const sample = setInterval(() => {
    // Weighted by how long each lasted, as one meets them who comes at any time: many short turns between long ones hide nothing.
    const { count, mean, stddev } = delays
    const metMs = count > 0 ? (mean + stddev ** 2 / mean) / 1e6 - resolutionMs : 0
    delays.reset()
    const isLate = metMs > loopDelayMs
    isUnder = (isLate && wasLate) || getHeapStatistics().used_heap_size > heapBytesMax // one pause alone is over when it is seen
    wasLate = isLate
  }, sampleEveryMs).unref()
  server.addHook('onClose', async () => {
    clearInterval(sample)
    delays.disable()
  })
  return () => isUnder
}
