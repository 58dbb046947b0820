import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Cache } from './cache.ts'

/** What every driver must do. `lacks` names the tests a driver cannot pass, each with the reason; it is printed. */
export function cacheContract(driver: string, open: () => Promise<Cache> | Cache, lacks: Record<string, string> = {}) {
  describe(`cache port [${driver}]`, () => {
    let cache: Cache
    beforeAll(async () => void (cache = await open()))
    const promises = (name: string, test: () => Promise<void>) => (lacks[name] ? it.skip(`${name} — ${lacks[name]}`, test) : it(name, test))

    const miss = async (key: string): Promise<string> => {
      const found = await cache.get(key)
      if ('value' in found) throw new Error(`${key} is there already`)
      return found.lease
    }
    const fill = async (key: string, value: string, ttlMs = 60_000) => cache.put(key, value, { lease: await miss(key), ttlMs })
    const valueOf = async (key: string) => {
      const found = await cache.get(key)
      return 'value' in found ? found.value : undefined
    }

    promises('returns what was put, and a lease for what was not', async () => {
      await fill('a', '1')
      expect(await valueOf('a')).toBe('1')
      expect(await miss('b')).toEqual(expect.any(String))
    })
    promises('forgets after ttlMs', async () => {
      await fill('short', '1', 20)
      await sleep(60) // real time: a store of its own counts by its own clock
      expect(await valueOf('short')).toBeUndefined()
    })
    promises('keeps an entry whose ttl is longer than a timer can be', async () => {
      await fill('long', '1', 30 * 86_400_000)
      await sleep(20)
      expect(await valueOf('long')).toBe('1')
    })
    promises('forgets what is deleted, and only that', async () => {
      for (const key of ['x', 'y', 'z']) await fill(key, key)
      await cache.delete(['x', 'y', 'never there'])
      expect([await valueOf('x'), await valueOf('y'), await valueOf('z')]).toEqual([undefined, undefined, 'z'])
    })
    promises('refuses the slow read that missed before a delete', async () => {
      const slow = await miss('user')
      await cache.delete(['user'])
      await cache.put('user', 'old', { lease: slow, ttlMs: 60_000 })
      expect(await valueOf('user')).toBeUndefined()
      const fresh = await miss('user')
      await cache.put('user', 'old', { lease: slow, ttlMs: 60_000 })
      await cache.put('user', 'new', { lease: fresh, ttlMs: 60_000 })
      expect(await valueOf('user')).toBe('new')
    })
    promises('refuses a second put under a lease that has been used, also after a delete', async () => {
      const [first, second] = [await miss('twice'), await miss('twice')]
      await cache.put('twice', 'right', { lease: first, ttlMs: 60_000 })
      await cache.delete(['twice'])
      await cache.put('twice', 'wrong', { lease: second, ttlMs: 60_000 })
      expect(await valueOf('twice')).toBeUndefined()
    })
    promises('refuses a lease that was never given', async () => {
      await cache.put('forged', '1', { lease: 'none', ttlMs: 60_000 })
      expect(await valueOf('forged')).toBeUndefined()
    })
  })
}
