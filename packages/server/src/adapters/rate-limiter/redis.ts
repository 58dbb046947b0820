import type { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import type { RateLimiter } from '../../ports/rate-limiter.ts'
import { countedRateLimiter } from './counted.ts'
import { inMemory } from './memory.ts'

export interface RedisRateLimiterOptions {
  client: Redis
  prefix: string
  /** Has each call bounded, and refused while Redis is away. No call is made twice: it would take two points. */
  guard: <T>(call: () => Promise<T>) => Promise<T>
  onExceeded?(limitName: string): void
}

/** Counts in Redis, one count for all processes. While Redis is away or slow each process counts for itself, from nothing. */
export function redisRateLimiter({ client, prefix, guard, onExceeded }: RedisRateLimiterOptions): RateLimiter {
  const storeClient = guarded(client, guard)
  return countedRateLimiter(
    (limit) =>
      new RateLimiterRedis({
        storeClient,
        rejectIfRedisNotReady: true,
        keyPrefix: `${prefix}limit:${limit.name}`,
        points: limit.max,
        duration: limit.windowMs / 1000,
        insuranceLimiter: inMemory(limit),
      }),
    onExceeded,
  )
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
