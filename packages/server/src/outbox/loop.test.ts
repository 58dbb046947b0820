import { setImmediate as othersTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startJob, startLoop } from './loop.ts'

const soon = { timeout: 10_000, interval: 5 }

const fail = (error: unknown) => {
  throw error
}

it('a loop lets others have their turn between its own, also when nothing that it does ever waits', async () => {
  let turns = 0
  const loop = startLoop(async () => void turns++, fail)
  for (let other = 0; other < 10; other++) await othersTurn()
  expect(turns).toBeGreaterThan(5)
  expect(turns).toBeLessThan(20)
  await loop.stop()
})

it('a job with a backlog does, too', async () => {
  let left = 1_000
  const job = startJob(60_000, async () => --left > 0, fail)
  for (let other = 0; other < 10; other++) await othersTurn()
  expect(left).toBeGreaterThan(900)
  await job.stop()
})

/** How often a loop that fails without end has failed and was reported, once it has failed five times. */
async function failFiveTimes(sayAgainMs?: number): Promise<{ failed: number; reported: number }> {
  let [failed, reported] = [0, 0]
  const turn = async () => {
    failed++
    throw new Error('away')
  }
  const loop = startLoop(turn, () => void reported++, { pauseMsMax: 5, ...(sayAgainMs !== undefined && { sayAgainMs }) })
  await expect.poll(() => failed, soon).toBeGreaterThanOrEqual(5)
  await loop.stop()
  return { failed, reported }
}

it('failures in a row are reported once, and again after a while', async () => {
  expect((await failFiveTimes()).reported).toBe(1)
  const { failed, reported } = await failFiveTimes(0)
  expect(reported).toBe(failed)
})

it('what fails again after it has worked is reported anew', async () => {
  let [turns, reported] = [0, 0]
  const turn = async () => {
    if (turns++ % 2 > 0) throw new Error('away')
  }
  const loop = startLoop(turn, () => void reported++, { pauseMsMax: 5 })
  await expect.poll(() => reported, soon).toBeGreaterThan(2)
  await loop.stop()
})
