import { describe, expect, it, vi } from 'vitest'
import { newPrefix, onRedis, unguarded, useRedis } from '../../../test/redis.ts'
import { cacheContract } from '../../ports/cache.contract.ts'
import type { Cache } from '../../ports/cache.ts'
import { redisCache } from './redis.ts'

onRedis('cache', (url) => {
  const connection = useRedis(url)
  const open = async (prefix = newPrefix(), guard = unguarded) => {
    const cache = redisCache({ client: connection.client, prefix, guard })
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

  describe('a delete that did not reach Redis', () => {
    /** A process that can be cut off. */
    async function cuttable(prefix: string) {
      const cut = { off: false }
      const call = async <T>(task: () => Promise<T>): Promise<T> => {
        if (cut.off) throw new Error('cut off')
        return await task()
      }
      return { cut, cache: await open(prefix, { run: call, again: call }) }
    }
    const isThere = async (cache: Cache, key: string) => 'value' in (await cache.get(key))

    it('is made up for before anything is shown', async () => {
      const prefix = newPrefix()
      const { cut, cache } = await cuttable(prefix)
      const other = await open(prefix)
      for (const key of ['a', 'b']) await cache.put(key, 'old', { lease: await leaseOf(cache, key), ttlMs: 60_000 })
      cut.off = true
      await cache.delete(['a'])
      cut.off = false
      await vi.waitFor(async () => expect(await isThere(cache, 'b')).toBe(true), { timeout: 5_000 })
      expect([await isThere(cache, 'a'), await isThere(other, 'a'), await isThere(other, 'b')]).toEqual([false, false, true])
    })

    it('is made up for by removing everything, where there are more than can be remembered', async () => {
      const prefix = newPrefix()
      const { cut, cache } = await cuttable(prefix)
      for (const key of ['a', 'b']) await cache.put(key, 'old', { lease: await leaseOf(cache, key), ttlMs: 60_000 })
      cut.off = true
      await cache.delete(['a'])
      for (let i = 0; i < 11; i++) await cache.delete(Array.from({ length: 1_000 }, (_, j) => `${i} ${j}`))
      cut.off = false
      await vi.waitFor(async () => expect(await leaseOf(cache, 'a')).not.toMatch(/^local/), { timeout: 5_000 })
      expect(await connection.client.keys(`${prefix}cache:v:*`)).toEqual([])
    })

    it('tells the reads before a write from those after it, while Redis is away', async () => {
      const { cut, cache } = await cuttable(newPrefix())
      cut.off = true
      const before = await leaseOf(cache, 'a')
      expect(await leaseOf(cache, 'a')).toBe(before)
      await cache.delete(['a'])
      expect(await leaseOf(cache, 'a')).not.toBe(before)
      await cache.put('a', 'old', { lease: before, ttlMs: 60_000 })
      expect(await isThere(cache, 'a')).toBe(false)
    })
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
