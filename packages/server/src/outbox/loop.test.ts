import { setImmediate as othersTurn } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { startJob, startLoop } from './loop.ts'

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
