import { defineErrors } from '../core/errors.ts'

/** At most `max` points a window for one key. `name` keeps the keys of two limits apart, and labels the metric. */
export interface RateLimit {
  name: string
  max: number
  windowMs: number
}

/** How much of a limit is left for a key. */
export interface Allowance {
  limit: RateLimit
  remaining: number
  /** Until the window ends, and all points are there again. */
  resetMs: number
}

/** Counts points; all replicas that share a store share the count. A store that is away means a local limit, never none. */
export interface RateLimiter {
  /**
   * Takes one point, or `points`, and tells what is left; undefined where nothing is limited. Rejects with `limit.exceeded` and
   * `retryAfterMs` when there are not enough.
   */
  consume(limit: RateLimit, key: string, points?: number): Promise<Allowance | undefined>
  /** The same at once, where the count is at hand: every request is counted, and most of them wait for nothing else. */
  consumeNow?(limit: RateLimit, key: string, points?: number): Allowance
  /** Gives one point back: what was tried turned out to be legitimate. */
  refund(limit: RateLimit, key: string): Promise<void>
}

export const limitErrors = defineErrors('limit', {
  exceeded: ['rate_limited', 'rate limit exceeded'],
})
