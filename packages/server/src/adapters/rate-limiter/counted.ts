import { RateLimiterRes, type RateLimiterAbstract } from 'rate-limiter-flexible'
import { limitErrors, type RateLimit, type RateLimiter } from '../../ports/rate-limiter.ts'

/** Most names that limits have, with room: a limit is made once and kept. */
const limitsMax = 1_000

/** The port over whatever rate-limiter-flexible counts with. `onExceeded` hears the name of each limit that refused. */
export function countedRateLimiter(
  make: (limit: RateLimit) => RateLimiterAbstract,
  onExceeded: (limitName: string) => void = () => {},
): RateLimiter {
  const limiters = new Map<string, RateLimiterAbstract>()
  function limiterOf(limit: RateLimit): RateLimiterAbstract {
    let limiter = limiters.get(limit.name)
    if (!limiter) {
      if (limiters.size >= limitsMax) throw new Error('a limit has a fixed name: what differs by caller is its key')
      limiters.set(limit.name, (limiter = make(limit)))
    }
    return limiter
  }
  return {
    consume: (limit, key, points = 1) =>
      limiterOf(limit)
        .consume(key, points)
        .then(
          ({ remainingPoints, msBeforeNext }) => ({ limit, remaining: remainingPoints, resetMs: msBeforeNext }),
          (refusal) => {
            if (!(refusal instanceof RateLimiterRes)) throw refusal
            onExceeded(limit.name)
            throw limitErrors.exceeded({ retryAfterMs: refusal.msBeforeNext })
          },
        ),
    async refund(limit, key) {
      await limiterOf(limit).reward(key)
    },
  }
}
