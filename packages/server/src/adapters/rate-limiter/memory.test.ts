import { expect, it } from 'vitest'
import { rateLimiterContract } from '../../ports/rate-limiter.contract.ts'
import { memoryRateLimiter } from './memory.ts'

rateLimiterContract('memory', () => memoryRateLimiter())

it('tells of each refusal by the name of the limit', async () => {
  const refused: string[] = []
  const limiter = memoryRateLimiter((name) => refused.push(name))
  const limit = { name: 'login', max: 1, windowMs: 60_000 }
  await limiter.consume(limit, 'a')
  await limiter.consume(limit, 'a').catch(() => {})
  expect(refused).toEqual(['login'])
})
