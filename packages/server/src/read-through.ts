import { LRUCache } from 'lru-cache'
import type { Cache } from './ports/cache.ts'

/** Values that are kept read, beside their text; the ones used last. Long ones are read each time: they would be kept twice. */
const parsedMax = 1_000
const parsedCharsMax = 4_096

export interface ReadThroughOptions<T> {
  ttlMs: number
  /** Reads the value where it is kept. `undefined` means that there is none, which is not cached. */
  load(): Promise<T | undefined>
}

export type ReadThrough = <T>(key: string, options: ReadThroughOptions<T>) => Promise<T | undefined>

/**
 * Reads JSON values through the cache. Reads of one key that miss at the same time share one `load`, unless a write came
 * between: the write revoked the lease of the flight, so who comes after it starts another. What it returns is shared: it is
 * frozen on top, and not to be changed below.
 */
export function createReadThrough(cache: Cache, onLookup: (outcome: 'hit' | 'miss', seconds: number) => void = () => {}): ReadThrough {
  const flights = new Map<string, Promise<unknown>>()
  // Parsing costs more than all else of a hit. The text decides: what another process has put is read anew.
  const parsed = new LRUCache<string, { text: string; value: unknown }>({ max: parsedMax })
  function parse(key: string, text: string): unknown {
    const known = parsed.get(key)
    if (known?.text === text) return known.value
    const value = Object.freeze(JSON.parse(text))
    if (text.length <= parsedCharsMax) parsed.set(key, { text, value })
    return value
  }
  async function missed<T>(key: string, lease: string, { ttlMs, load }: ReadThroughOptions<T>): Promise<T | undefined> {
    const flightKey = `${lease} ${key}`
    const running = flights.get(flightKey) as Promise<T | undefined> | undefined
    if (running) return running
    const flight = (async () => {
      const value = await load()
      if (value !== undefined) await cache.put(key, JSON.stringify(value), { lease, ttlMs })
      return value
    })().finally(() => flights.delete(flightKey))
    flights.set(flightKey, flight)
    return flight
  }
  return async <T>(key: string, options: ReadThroughOptions<T>) => {
    const startMs = performance.now()
    const looked = cache.get(key)
    const isWaited = looked instanceof Promise
    const found = isWaited ? await looked : looked
    const isHit = 'value' in found
    onLookup(isHit ? 'hit' : 'miss', isWaited ? (performance.now() - startMs) / 1000 : 0) // too short to be told, and not worth a look at the clock
    return isHit ? (parse(key, found.value) as T) : missed(key, found.lease, options)
  }
}
