import { expect, it } from 'vitest'
import { memoryCache } from './adapters/cache/memory.ts'
import { systemClock } from './ports/clock.ts'
import { createReadThrough } from './read-through.ts'

function setup() {
  const outcomes: string[] = []
  const cache = memoryCache(systemClock)
  return { cache, outcomes, read: createReadThrough(cache, (outcome) => outcomes.push(outcome)) }
}
const ttlMs = 60_000

it('loads once for all who ask at the same time, and counts each look-up once', async () => {
  const { read, outcomes } = setup()
  let loads = 0
  const load = async () => ({ n: ++loads })
  expect(await Promise.all(Array.from({ length: 10 }, () => read('a', { ttlMs, load })))).toEqual(Array(10).fill({ n: 1 }))
  expect(await read('a', { ttlMs, load })).toEqual({ n: 1 })
  expect([outcomes.filter((outcome) => outcome === 'miss').length, outcomes.filter((outcome) => outcome === 'hit').length]).toEqual([10, 1])
})

it('does not share the flight of a read that began before a write', async () => {
  const { cache, read } = setup()
  const old = Promise.withResolvers<string>()
  const begun = Promise.withResolvers<void>()
  const load = () => (begun.resolve(), old.promise)
  const slow = read('a', { ttlMs, load })
  await begun.promise // it has missed by now, and waits for the database
  await cache.delete(['a'])
  expect(await read('a', { ttlMs, load: async () => 'new' })).toBe('new')
  old.resolve('old')
  await slow
  expect(await read('a', { ttlMs, load: async () => 'loaded again' })).toBe('new')
})

it('keeps nothing of a load that failed or found nothing', async () => {
  const { read } = setup()
  await expect(read('a', { ttlMs, load: () => Promise.reject(new Error('away')) })).rejects.toThrow('away')
  expect(await read('a', { ttlMs, load: async () => undefined })).toBeUndefined()
  expect(await read('a', { ttlMs, load: async () => 1 })).toBe(1)
})

it('keeps no long value twice', async () => {
  const { read } = setup()
  const value = async (key: string, text: string) => {
    await read(key, { ttlMs, load: async () => [text] })
    return read(key, { ttlMs, load: async () => [text] })
  }
  const [short, long] = [await value('short', 'x'), await value('long', 'x'.repeat(5_000))]
  expect(await value('short', '')).toBe(short)
  expect(await value('long', '')).not.toBe(long)
  expect(await value('long', '')).toEqual(long)
})
