import { expect, it } from 'vitest'
import { rateLimiterContract } from '../../ports/rate-limiter.contract.ts'
import { memoryRateLimiter } from './memory.ts'

rateLimiterContract('memory', () => memoryRateLimiter())

it('holds no more callers than it may, and forgets those whose windows end first', async () => {
  const limiter = memoryRateLimiter()
  const limit = { name: 'many', max: 1, windowMs: 600_000 }
  for (let i = 0; i < 200_001; i++) await limiter.consume(limit, String(i))
  await expect(limiter.consume(limit, '200000')).rejects.toMatchObject({ code: 'limit.exceeded' })
  await expect(limiter.consume(limit, '1')).rejects.toMatchObject({ code: 'limit.exceeded' })
  expect(await limiter.consume(limit, '0')).toMatchObject({ remaining: 0 })
})

it('tells of each refusal by the name of the limit', async () => {
  const refused: string[] = []
  const limiter = memoryRateLimiter((name) => refused.push(name))
  const limit = { name: 'login', max: 1, windowMs: 60_000 }
  await limiter.consume(limit, 'a')
  await limiter.consume(limit, 'a').catch(() => {})
  expect(refused).toEqual(['login'])
})
