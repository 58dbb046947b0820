import { expect, it } from 'vitest'
import { cacheContract } from '../../ports/cache.contract.ts'
import { systemClock } from '../../ports/clock.ts'
import { memoryCache } from './memory.ts'

cacheContract('memory', () => memoryCache(systemClock))

it('holds no more than it may, and lets go of what was used least recently', async () => {
  const cache = memoryCache(systemClock, { entriesMax: 2 })
  const found = async (key: string) => 'value' in (await cache.get(key))
  for (const key of ['a', 'b', 'c']) {
    const missed = await cache.get(key)
    if ('lease' in missed) await cache.put(key, '1', { lease: missed.lease, ttlMs: 60_000 })
    await cache.get('a')
  }
  expect([await found('a'), await found('b'), await found('c')]).toEqual([true, false, true])
})

it('holds no more text than it may, and nothing of a value that is longer than all of it', async () => {
  const cache = memoryCache(systemClock, { charsMax: 100 })
  const found = async (key: string) => 'value' in (await cache.get(key))
  for (const [key, chars] of [
    ['a', 40],
    ['b', 40],
    ['c', 40],
    ['d', 200],
  ] as const) {
    const missed = await cache.get(key)
    if ('lease' in missed) await cache.put(key, 'x'.repeat(chars), { lease: missed.lease, ttlMs: 60_000 })
  }
  expect([await found('a'), await found('b'), await found('c'), await found('d')]).toEqual([false, true, true, false])
})
