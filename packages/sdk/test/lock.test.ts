import { afterEach, describe, expect, it, vi } from 'vitest'
import { tabLock } from '../src/lock.ts'
import { storageOf } from './running-server.ts'

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const kinds = {
  'Web Locks': () => tabLock(`lock-${Math.random()}`),
  'a lease in the storage': () => {
    vi.stubGlobal('navigator', {})
    return tabLock('lock', storageOf().storage)
  },
  'turns within the tab': () => {
    vi.stubGlobal('navigator', {})
    return tabLock(`lock-${Math.random()}`)
  },
}

describe.each(Object.entries(kinds))('%s', (_, make) => {
  it('lets one work at a time, and gives each its result or its error', async () => {
    const exclusive = make()
    let working = 0
    const work = async (n: number) => {
      expect(++working).toBe(1)
      await new Promise((resolve) => setTimeout(resolve, 5))
      working--
      if (n === 2) throw new Error('mine')
      return n
    }
    const results = await Promise.allSettled([1, 2, 3].map((n) => exclusive(() => work(n))))
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value : (result.reason as Error).message))).toEqual([
      1,
      'mine',
      3,
    ])
  })
})

it.each(['Web Locks', 'a lease in the storage'] as const)('%s: nobody waits without end when whoever has it hangs', async (name) => {
  const exclusive = kinds[name]()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'Date'] })
  let isHeld = false
  void exclusive(() => {
    isHeld = true
    return new Promise(() => {})
  })
  await vi.waitUntil(() => isHeld)
  let isDone = false
  const second = exclusive(async () => {
    isDone = true
  })
  await vi.advanceTimersByTimeAsync(15_000)
  expect(isDone).toBe(false)
  await vi.advanceTimersByTimeAsync(10_000)
  await second
  expect(isDone).toBe(true)
})
