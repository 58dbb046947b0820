import { RateLimiterMemory } from 'rate-limiter-flexible'
import type { RateLimit, RateLimiter } from '../../ports/rate-limiter.ts'
import { countedRateLimiter } from './counted.ts'

/** Counts in this process only. */
export function memoryRateLimiter(onExceeded?: (limitName: string) => void): RateLimiter {
  return countedRateLimiter(inMemory, onExceeded)
}

export function inMemory({ name, max, windowMs }: RateLimit): RateLimiterMemory {
  return new RateLimiterMemory({ keyPrefix: name, points: max, duration: windowMs / 1000 })
}

/** For load tests, and for those who limit elsewhere. */
export const unlimited: RateLimiter = {
  async consume() {
    return undefined
  },
  async refund() {},
}
