import { LRUCache } from 'lru-cache'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'

/** Leases on keys that are being read right now; beyond it the oldest lose theirs, which costs a hit and nothing else. */
const leasesMax = 10_000

/** Of all keys and values together: ten thousand long posts would be more than the process has. */
const charsMaxDefault = 32 * 1024 * 1024

/** Holds at most `entriesMax` entries of `charsMax` characters in all; what was used least recently leaves first. */
export function memoryCache(clock: Clock, { entriesMax = 10_000, charsMax = charsMaxDefault } = {}): Cache {
  const entries = new LRUCache<string, string>({
    max: entriesMax,
    maxSize: charsMax,
    sizeCalculation: (value, key) => value.length + key.length,
    perf: { now: () => clock.nowMs() },
    ttlResolution: 0,
  })
  const leases = new LRUCache<string, string>({ max: leasesMax })
  let count = 0
  return {
    get(key) {
      const value = entries.get(key)
      if (value !== undefined) return { value }
      let lease = leases.get(key)
      if (lease === undefined) leases.set(key, (lease = String(++count)))
      return { lease }
    },
    async put(key, value, { lease, ttlMs }) {
      if (leases.get(key) !== lease) return
      leases.delete(key)
      entries.set(key, value, { ttl: ttlMs })
    },
    async delete(keys) {
      for (const key of keys) {
        leases.delete(key)
        entries.delete(key)
      }
    },
  }
}
