import { expect, it, vi } from 'vitest'
import { newPrefix, onRedis, unguarded, useRedis } from '../../../test/redis.ts'
import { cacheContract } from '../../ports/cache.contract.ts'
import type { Cache } from '../../ports/cache.ts'
import { redisCache } from './redis.ts'

onRedis('cache', (url) => {
  const connection = useRedis(url)
  const open = async (prefix = newPrefix()) => {
    const cache = redisCache({ client: connection.client, prefix, guard: unguarded })
    await vi.waitFor(async () => expect(await leaseOf(cache, '-')).not.toMatch(/^local/)) // not before it knows whose entries these are
    return cache
  }
  const leaseOf = async (cache: Cache, key: string) => {
    const found = await cache.get(key)
    return 'lease' in found ? found.lease : expect.fail(`${key} is there`)
  }
  cacheContract('redis', () => open())

  it('is one for all processes: what one puts the other gets, and a lease revoked by one is of no use to the other', async () => {
    const prefix = newPrefix()
    const [here, there] = [await open(prefix), await open(prefix)]
    await here.put('a', '1', { lease: await leaseOf(here, 'a'), ttlMs: 60_000 })
    expect(await there.get('a')).toEqual({ value: '1' })
    await there.delete(['a'])
    const slow = await leaseOf(here, 'a')
    await there.delete(['a'])
    await here.put('a', 'old', { lease: slow, ttlMs: 60_000 })
    expect(await leaseOf(there, 'a')).not.toBe(slow)
  })

  it('keeps to its prefix, leaves nothing without an end, and takes nothing of another away when it begins', async () => {
    const prefix = newPrefix()
    await connection.client.set(`${prefix}limit:x`, '7')
    await connection.client.set(`${prefix}cache:v:stale`, 'of a server of before')
    const cache = await open(prefix)
    await cache.put('a', '1', { lease: await leaseOf(cache, 'a'), ttlMs: 60_000 })
    await leaseOf(cache, 'b')
    const keys = (await connection.client.keys(`${prefix}*`)).toSorted()
    expect(keys).toEqual(['cache:l:-', 'cache:l:b', 'cache:v:a', 'limit:x', 'run'].map((key) => prefix + key))
    for (const key of keys.filter((key) => key.includes('cache:'))) expect(await connection.client.pttl(key)).toBeGreaterThan(0)
  })
})
