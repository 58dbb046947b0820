import type { Redis } from 'ioredis'
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible'
import { limitErrors, type RateLimit, type RateLimiter } from '../../ports/rate-limiter.ts'

export interface RedisRateLimiterOptions {
  client: Redis
  prefix: string
  /** Has each call bounded, and refused while Redis is away. No call is made twice: it would take two points. */
  guard: <T>(call: () => Promise<T>) => Promise<T>
  onExceeded?(limitName: string): void
}

/** Limits are made once and kept, by names that are fixed: what differs by caller is the key. */
const limitsMax = 1_000

/** Counts in Redis, one count for all processes. While Redis is away or slow each process counts for itself, from nothing. */
export function redisRateLimiter({ client, prefix, guard, onExceeded = () => {} }: RedisRateLimiterOptions): RateLimiter {
  const storeClient = guarded(client, guard)
  const limiters = new Map<string, RateLimiterRedis>()

  function limiterOf({ name, max: points, windowMs }: RateLimit): RateLimiterRedis {
    let limiter = limiters.get(name)
    if (limiter) return limiter
    if (limiters.size >= limitsMax) throw new Error('too many names of limits')
    const duration = windowMs / 1000
    limiter = new RateLimiterRedis({
      storeClient,
      rejectIfRedisNotReady: true,
      keyPrefix: `${prefix}limit:${name}`,
      points,
      duration,
      insuranceLimiter: new RateLimiterMemory({ keyPrefix: name, points, duration }),
    })
    limiters.set(name, limiter)
    return limiter
  }

  return {
    async consume(limit, key, points = 1) {
      try {
        const { remainingPoints, msBeforeNext } = await limiterOf(limit).consume(key, points)
        return { limit, remaining: remainingPoints, resetMs: msBeforeNext }
      } catch (refusal) {
        if (!(refusal instanceof RateLimiterRes)) throw refusal
        onExceeded(limit.name)
        throw limitErrors.exceeded({ retryAfterMs: refusal.msBeforeNext })
      }
    },
    async refund(limit, key) {
      await limiterOf(limit).reward(key)
    },
  }
}

/** What RateLimiterRedis calls of a client: its script, by the name that it gives it. */
function guarded(client: Redis, guard: RedisRateLimiterOptions['guard']) {
  const scripts = client as Redis & { rlflxIncr(args: string[]): Promise<unknown> }
  return {
    get status() {
      return client.status
    },
    defineCommand: client.defineCommand.bind(client),
    rlflxIncr: (args: string[]) => guard(() => scripts.rlflxIncr(args)),
  }
}
