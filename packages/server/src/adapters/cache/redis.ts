import { randomUUID } from 'node:crypto'
import type { Redis } from 'ioredis'
import { LRUCache } from 'lru-cache'
import type { Cache } from '../../ports/cache.ts'
import { redisCleanliness } from './redis-cleanliness.ts'

export interface RedisCacheOptions {
  client: Redis
  prefix: string
  /** Has each call bounded, and refused while Redis is away. `again` also tries anew what may be done twice. */
  guard: { run<T>(call: () => Promise<T>): Promise<T>; again<T>(call: () => Promise<T>): Promise<T> }
}

/** A read that takes longer than this puts nothing: its lease is gone. */
const leaseMs = 30_000
/** Leases of reads that go past Redis while it is away. They let no one put anything, and tell flights apart. */
const localLeasesMax = 10_000

const missScript = `
local value = redis.call('get', KEYS[1])
if value then return {1, value} end
local lease = redis.call('get', KEYS[2])
if not lease then
  lease = ARGV[1]
  redis.call('set', KEYS[2], lease, 'px', ARGV[2])
end
return {0, lease}`

const putScript = `
if redis.call('get', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('del', KEYS[2])
redis.call('set', KEYS[1], ARGV[2], 'px', ARGV[3])
return 1`

type Scripts = Redis & {
  pinstackMiss(valueKey: string, leaseKey: string, lease: string, ttlMs: number): Promise<[1 | 0, string]>
  pinstackPut(valueKey: string, leaseKey: string, lease: string, value: string, ttlMs: number): Promise<1 | 0>
}

/**
 * One cache for all processes. What is away, slow or not to be trusted is a miss, within the guard's bounds. Values and leases
 * are keys of their own, so that a hit is one GET; what changes both is a script, which Redis runs undivided.
 */
export function redisCache({ client, prefix, guard }: RedisCacheOptions): Cache & { close(): void } {
  client.defineCommand('pinstackMiss', { numberOfKeys: 2, lua: missScript })
  client.defineCommand('pinstackPut', { numberOfKeys: 2, lua: putScript })
  const scripts = client as Scripts
  const valueKey = (key: string) => `${prefix}cache:v:${key}`
  const leaseKey = (key: string) => `${prefix}cache:l:${key}`
  const self = randomUUID()
  let count = 0
  const localLeases = new LRUCache<string, string>({ max: localLeasesMax })
  const cleanliness = redisCleanliness({
    client,
    guard,
    runKey: `${prefix}run`,
    pattern: `${prefix}cache:*`,
    forget: (keys) => forget(keys),
  })

  async function forget(keys: readonly string[]): Promise<void> {
    await guard.again(() => client.unlink(keys.flatMap((key) => [valueKey(key), leaseKey(key)])))
  }
  function missLocally(key: string): { lease: string } {
    let lease = localLeases.get(key)
    if (lease === undefined) localLeases.set(key, (lease = `local ${++count}`))
    return { lease }
  }

  return {
    async get(key) {
      if (!cleanliness.isClean) return missLocally(key)
      try {
        // Not tried again: the database answers sooner.
        const value = await guard.run(() => client.get(valueKey(key)))
        if (value !== null) return { value }
        const [isThere, text] = await guard.run(() => scripts.pinstackMiss(valueKey(key), leaseKey(key), `${self} ${++count}`, leaseMs))
        return isThere ? { value: text } : { lease: text }
      } catch {
        return missLocally(key)
      }
    },
    async put(key, value, { lease, ttlMs }) {
      if (!cleanliness.isClean || lease.startsWith('local ')) return
      await guard.run(() => scripts.pinstackPut(valueKey(key), leaseKey(key), lease, value, ttlMs)).catch(() => {})
    },
    async delete(keys) {
      for (const key of keys) localLeases.delete(key)
      if (keys.length === 0) return
      if (!cleanliness.isClean) return cleanliness.owe(keys)
      await forget(keys).catch(() => cleanliness.owe(keys))
    },
    close: cleanliness.close,
  }
}
