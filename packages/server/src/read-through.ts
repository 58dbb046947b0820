import type { Cache } from './ports/cache.ts'

export interface ReadThroughOptions<T> {
  ttlMs: number
  /** Reads the value where it is kept. `undefined` means that there is none, which is not cached. */
  load(): Promise<T | undefined>
}

export type ReadThrough = <T>(key: string, options: ReadThroughOptions<T>) => Promise<T | undefined>

/**
 * Reads JSON values through the cache. Reads of one key that miss at the same time share one `load`, unless a write came
 * between: the write revoked the lease of the flight, so who comes after it starts another.
 */
export function createReadThrough(cache: Cache, onLookup: (outcome: 'hit' | 'miss') => void = () => {}): ReadThrough {
  const flights = new Map<string, Promise<unknown>>()
  return async <T>(key: string, { ttlMs, load }: ReadThroughOptions<T>) => {
    const found = await cache.get(key)
    onLookup('value' in found ? 'hit' : 'miss')
    if ('value' in found) return JSON.parse(found.value) as T
    const { lease } = found
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
}
