import { defineErrors } from '../core/errors.ts'

/** At most `max` points a window for one key. `name` keeps the keys of two limits apart, and labels the metric. */
export interface RateLimit {
  name: string
  max: number
  windowMs: number
}

/** Counts points; all replicas that share a store share the count. A store that is away means a local limit, never none. */
export interface RateLimiter {
  /** Takes one point. Rejects with `limit.exceeded` and `retryAfterMs` when none is left. */
  consume(limit: RateLimit, key: string): Promise<void>
  /** Gives one point back: what was tried turned out to be legitimate. */
  refund(limit: RateLimit, key: string): Promise<void>
}

export const limitErrors = defineErrors('limit', {
  exceeded: ['rate_limited', 'rate limit exceeded'],
})
