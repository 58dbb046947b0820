import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible'
import { limitErrors, type RateLimit, type RateLimiter } from '../../ports/rate-limiter.ts'

/** Counts in this process only. */
export function memoryRateLimiter(onExceeded: (limitName: string) => void = () => {}): RateLimiter {
  const limiters = new Map<string, RateLimiterMemory>()
  const limiterOf = ({ name, max, windowMs }: RateLimit) => {
    let limiter = limiters.get(name)
    if (!limiter) limiters.set(name, (limiter = new RateLimiterMemory({ keyPrefix: name, points: max, duration: windowMs / 1000 })))
    return limiter
  }
  return {
    async consume(limit, key) {
      try {
        await limiterOf(limit).consume(key)
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

/** For load tests, and for those who limit elsewhere. */
export const unlimited: RateLimiter = {
  async consume() {},
  async refund() {},
}
