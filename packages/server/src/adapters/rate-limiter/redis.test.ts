import { expect, it } from 'vitest'
import { newPrefix, onRedis, unguarded, useRedis } from '../../../test/redis.ts'
import { rateLimiterContract } from '../../ports/rate-limiter.contract.ts'
import { redisRateLimiter } from './redis.ts'

onRedis('rate limiter', (url) => {
  const [here, there] = [useRedis(url), useRedis(url)]
  rateLimiterContract('redis', () => redisRateLimiter({ client: here.client, prefix: newPrefix(), guard: unguarded.run }))

  it('is one for all processes', async () => {
    const prefix = newPrefix()
    const limiters = [here, there].map(({ client }) => redisRateLimiter({ client, prefix, guard: unguarded.run }))
    const limit = { name: 'shared', max: 10, windowMs: 60_000 }
    const outcomes = await Promise.allSettled(Array.from({ length: 60 }, (_, i) => limiters[i % 2]!.consume(limit, 'a')))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(10)
    const ttlMs = await here.client.pttl((await here.client.keys(`${prefix}*`))[0]!)
    expect(ttlMs).toBeGreaterThan(0)
    expect(ttlMs).toBeLessThanOrEqual(60_000)
  })

  it('limits by itself when Redis fails, and by Redis again afterwards', async () => {
    let isAway = true
    const refused: string[] = []
    const limiter = redisRateLimiter({
      client: here.client,
      prefix: newPrefix(),
      guard: async (call) => {
        if (isAway) throw new Error('away')
        return await call()
      },
      onExceeded: (name) => refused.push(name),
    })
    const limit = { name: 'insured', max: 3, windowMs: 60_000 }
    const allowed = async () => {
      const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => limiter.consume(limit, 'a')))
      return outcomes.filter(({ status }) => status === 'fulfilled').length
    }
    expect(await allowed()).toBe(3)
    expect(refused).toEqual(Array(7).fill('insured'))
    isAway = false
    expect([await allowed(), await allowed()]).toEqual([3, 0])
  })
})
