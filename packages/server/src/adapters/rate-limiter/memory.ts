import { limitErrors, type Allowance, type RateLimit, type RateLimiter } from '../../ports/rate-limiter.ts'

/** Callers whose points one limit knows at most: some 30 MiB. Beyond it those whose windows end first are forgotten. */
const keysMax = 200_000
/** Windows that a new one clears away, so that none has to wait for a sweep. */
const clearedAtOnce = 2

interface Window {
  points: number
  endsMs: number
}

/**
 * Counts in this process only.
 *
 * @NOTE not RateLimiterMemory: it counts every request, and what that one costs by its promises, and by a timer for each address, was
 * a tenth of a cached read.
 */
export function memoryRateLimiter(onExceeded: (limitName: string) => void = () => {}): RateLimiter {
  const limits = new Map<string, Map<string, Window>>()

  function windowOf({ name, windowMs }: RateLimit, key: string, nowMs: number): Window {
    let windows = limits.get(name)
    if (!windows) limits.set(name, (windows = new Map()))
    const known = windows.get(key)
    if (known && known.endsMs > nowMs) return known
    if (known) windows.delete(key) // to its end: windows of one limit end in the order in which they began
    const began = { points: 0, endsMs: nowMs + windowMs }
    windows.set(key, began)
    let cleared = 0
    for (const [key, { endsMs }] of windows) {
      if (cleared++ === clearedAtOnce || (endsMs > nowMs && windows.size <= keysMax)) break
      windows.delete(key)
    }
    return began
  }

  function consumeNow(limit: RateLimit, key: string, points = 1): Allowance {
    const nowMs = Date.now()
    const window = windowOf(limit, key, nowMs)
    const resetMs = window.endsMs - nowMs
    window.points += points
    if (window.points > limit.max) {
      onExceeded(limit.name)
      throw limitErrors.exceeded({ retryAfterMs: resetMs })
    }
    return { limit, remaining: limit.max - window.points, resetMs }
  }

  return {
    consume: async (limit, key, points) => consumeNow(limit, key, points),
    consumeNow,
    async refund(limit, key) {
      const window = windowOf(limit, key, Date.now())
      window.points = Math.max(0, window.points - 1)
    },
  }
}

/** For load tests, and for those who limit elsewhere. */
export const unlimited: RateLimiter = {
  async consume() {
    return undefined
  },
  async refund() {},
}
