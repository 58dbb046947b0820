import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { CallTimeout, createGuard } from './resilience.ts'

const broken = async () => {
  throw new Error('broken')
}

function watched(options: Partial<Parameters<typeof createGuard>[0]> = {}) {
  const states: string[] = []
  const reasons: string[] = []
  const guard = createGuard({
    name: 'test',
    timeoutMs: 10_000,
    onState: (_, state) => states.push(state),
    onFailure: (_, reason) => reasons.push(reason),
    ...options,
  })
  return { guard, states, reasons }
}

describe('a guard', () => {
  it('gives what the task gives, and fails as it fails', async () => {
    const { guard, reasons } = watched()
    expect(await guard.run(async () => 7)).toBe(7)
    await expect(guard.run(broken)).rejects.toThrow('broken')
    expect(reasons).toEqual(['error'])
  })

  it('waits no longer than it says', async () => {
    const { guard, reasons } = watched({ timeoutMs: 20 })
    await expect(guard.run(() => new Promise(() => {}))).rejects.toThrow(CallTimeout)
    expect(reasons).toEqual(['timeout'])
  })

  it('does not take its own standstill for the other side’s', async () => {
    const { guard, reasons } = watched({ timeoutMs: 50 })
    await new Promise((resolve) => setImmediate(resolve)) // the loop looks at timers next, and at answers after that
    const found = await guard.run(() => {
      const answer = stat('.') // by another thread
      const until = performance.now() + 150
      while (performance.now() < until);
      return answer
    })
    expect(found.isDirectory()).toBe(true)
    expect(reasons).toEqual([])
  })

  it('makes no calls after so many failures in a row, tries one after a while, and goes on when it succeeds', async () => {
    const { guard, states, reasons } = watched({ breaker: { failuresMax: 3, openMs: 100 } })
    let calls = 0
    const failing = () => {
      calls++
      return broken()
    }
    await guard.run(async () => 1)
    for (let i = 0; i < 10; i++) await guard.run(failing).catch(() => {})
    expect([calls, guard.state]).toEqual([3, 'open'])
    expect(reasons).toEqual([...Array(3).fill('error'), ...Array(7).fill('rejected')])
    await sleep(120) // the breaker has a clock of its own
    await guard.run(failing).catch(() => {})
    expect([calls, guard.state]).toEqual([4, 'open'])
    await sleep(120)
    expect(await guard.run(async () => 2)).toBe(2)
    expect(states).toEqual(['closed', 'open', 'half_open', 'open', 'half_open', 'closed'])
  })

  it('counts no failure that says nothing of the other side', async () => {
    const { guard, reasons } = watched({ breaker: { failuresMax: 1 }, isFailure: () => false })
    for (let i = 0; i < 5; i++) await guard.run(broken).catch(() => {})
    expect([guard.state, reasons]).toEqual(['closed', []])
  })

  it('lets no more through at once than it may', async () => {
    const { guard, reasons } = watched({ bulkhead: { runningMax: 2, waitingMax: 1 } })
    const gate = Promise.withResolvers<number>()
    const calls = Array.from({ length: 5 }, () => guard.run(() => gate.promise))
    const settled = Promise.allSettled(calls)
    gate.resolve(1)
    expect((await settled).map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'fulfilled', 'rejected', 'rejected'])
    expect([reasons, guard.state]).toEqual([['rejected', 'rejected'], 'closed'])
  })

  it('tries again what may be done twice, and not while the breaker is open', async () => {
    const { guard } = watched({ retry: { attemptsMax: 2, firstPauseMs: 1 }, breaker: { failuresMax: 3 } })
    let calls = 0
    const second = async () => {
      if (++calls < 2) throw new Error('once')
      return calls
    }
    expect(await guard.again(second)).toBe(2)
    calls = 0
    const failing = () => {
      calls++
      return broken()
    }
    await expect(guard.again(failing)).rejects.toThrow('broken')
    expect([calls, guard.state]).toEqual([3, 'open'])
    await expect(guard.again(failing)).rejects.toThrow()
    expect(calls).toBe(3)
  })
})
