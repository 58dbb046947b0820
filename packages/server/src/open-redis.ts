import { redisCache } from './adapters/cache/redis.ts'
import { redisDoorbell } from './adapters/doorbell/redis.ts'
import { redisRateLimiter } from './adapters/rate-limiter/redis.ts'
import { openRedis } from './adapters/redis/connection.ts'
import type { Config } from './config.ts'
import type { Cache } from './ports/cache.ts'
import type { Doorbell } from './ports/doorbell.ts'
import type { RateLimiter } from './ports/rate-limiter.ts'
import { createGuard, type Guard } from './resilience.ts'
import type { Metrics } from './surfaces/metrics.ts'

/** Of calls under way. A Redis that answers takes thousands in a millisecond; more of them are waiting for one that does not. */
const callsMax = 2_000

export interface SharedStores {
  cache: Cache
  limiter: RateLimiter
  /** One bell for each name, in all processes. */
  doorbell(name: string): Doorbell
  /** Stands before every call. */
  guard: Guard
  /** Rejects when Redis does not answer, or is left out. Whoever asks now and then finds out that it is back. */
  ping(): Promise<void>
  close(): void
}

interface Options {
  metrics?: Metrics | undefined
  warn(message: string, fields: Record<string, unknown>): void
}

/** What processes share by Redis, behind one guard: it is one server, whatever it is asked for. The driver is loaded here and not before. */
export async function openSharedStores({ redis }: Config, { metrics, warn }: Options): Promise<SharedStores | undefined> {
  const { url, prefix, timeoutMs } = redis
  if (url === undefined) return undefined
  const connection = await openRedis({
    url,
    onChange: (state, error) =>
      state === 'lost'
        ? warn('redis is away: nothing is cached, and each process limits for itself', { err: error })
        : warn('redis is back', {}),
  })
  const { client, subscriber } = connection
  const guard = createGuard({
    name: 'redis',
    timeoutMs,
    bulkhead: { runningMax: callsMax },
    retry: { attemptsMax: 1 },
    onState(name, state, before) {
      metrics?.breaker(name, state)
      if (before === 'closed') warn('redis fails: calls to it are left out until one succeeds', { timeoutMs })
    },
    ...(metrics && { onFailure: metrics.dependencyFailure }),
  })
  const cache = redisCache({ client, prefix, guard })
  return {
    cache,
    limiter: redisRateLimiter({ client, prefix, guard: guard.run, ...(metrics && { onExceeded: metrics.rateLimited }) }),
    doorbell: (name) => redisDoorbell({ client, subscriber, channel: `${prefix}${name}`, guard: guard.run }),
    guard,
    ping: async () => void (await guard.run(() => client.ping())),
    close() {
      cache.close()
      connection.close()
    },
  }
}
