import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { RateLimit, RateLimiter } from './rate-limiter.ts'

/** What every driver must do. `name` is new for each test, so that a shared store need not be emptied. */
export function rateLimiterContract(driver: string, open: () => Promise<RateLimiter> | RateLimiter) {
  describe(`rate limiter port [${driver}]`, () => {
    let limiter: RateLimiter
    let count = 0
    beforeAll(async () => void (limiter = await open()))
    const limitOf = (max: number, windowMs = 60_000): RateLimit => ({ name: `test_${process.pid}_${++count}`, max, windowMs })
    const allowed = async (limit: RateLimit, key: string) =>
      limiter.consume(limit, key).then(
        () => true,
        () => false,
      )

    it('lets through as many as allowed, counts each key and each limit for itself, and says when to come again', async () => {
      const [limit, other] = [limitOf(2), limitOf(1)]
      expect([await allowed(limit, 'a'), await allowed(limit, 'a'), await allowed(limit, 'a')]).toEqual([true, true, false])
      expect([await allowed(limit, 'b'), await allowed(other, 'a')]).toEqual([true, true])
      const refusal = await limiter.consume(limit, 'a').catch((error: unknown) => error)
      expect(refusal).toMatchObject({
        kind: 'rate_limited',
        code: 'limit.exceeded',
        message: 'rate limit exceeded',
        retryAfterMs: expect.any(Number),
      })
      expect((refusal as { retryAfterMs: number }).retryAfterMs).toBeGreaterThan(0)
    })
    it('never lets more through when all come at once', async () => {
      const limit = limitOf(5)
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => allowed(limit, 'a')))
      expect(outcomes.filter(Boolean)).toHaveLength(5)
    })
    it('takes several points at once, and says how many are left and until when', async () => {
      const limit = limitOf(5)
      expect(await limiter.consume(limit, 'a', 3)).toEqual({ limit, remaining: 2, resetMs: expect.any(Number) })
      const { remaining, resetMs } = (await limiter.consume(limit, 'a'))!
      expect(remaining).toBe(1)
      expect(resetMs).toBeGreaterThan(0)
      expect(resetMs).toBeLessThanOrEqual(60_000)
      await expect(limiter.consume(limit, 'a', 2)).rejects.toMatchObject({ code: 'limit.exceeded' })
    })
    it('gives a point back', async () => {
      const limit = limitOf(1)
      await limiter.consume(limit, 'a')
      await limiter.refund(limit, 'a')
      expect([await allowed(limit, 'a'), await allowed(limit, 'a')]).toEqual([true, false])
    })
    it('begins again after the window', async () => {
      const limit = limitOf(1, 1_000)
      expect([await allowed(limit, 'a'), await allowed(limit, 'a')]).toEqual([true, false])
      await sleep(1_100) // real time: a store of its own counts by its own clock, in whole seconds
      expect(await allowed(limit, 'a')).toBe(true)
    })
  })
}
