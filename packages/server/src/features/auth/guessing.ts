import { DomainError } from '../../core/errors.ts'
import type { RateLimit, RateLimiter } from '../../ports/rate-limiter.ts'

export type Guessing = ReturnType<typeof createGuessing>

/** Only wrong guesses use the limits up. Points are taken first, so that guesses at the same time cannot get past them. */
export function createGuessing(limiter: RateLimiter) {
  return async <T>(points: readonly (readonly [RateLimit, string])[], guess: () => Promise<T>): Promise<T> => {
    for (const [limit, key] of points) await limiter.consume(limit, key)
    const giveBack = () => Promise.all(points.map(([limit, key]) => limiter.refund(limit, key)))
    try {
      const result = await guess()
      await giveBack()
      return result
    } catch (error) {
      if (!isWrong(error)) await giveBack()
      throw error
    }
  }
}

function isWrong(error: unknown): boolean {
  return error instanceof DomainError && (error.code === 'auth.invalid_credentials' || error.code === 'users.not_found')
}
