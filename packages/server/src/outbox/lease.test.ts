import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, expect, it } from 'vitest'
import { onEachDatabase } from '../../test/matrix.ts'
import { LeaseLost, startLease, type Lease } from './lease.ts'

/** What the issue of a dead holder may take; the rest of these waits is the same bound for "never". */
const takenOverMsMax = 5_000

onEachDatabase('lease', (world) => {
  const leases: Lease[] = []
  afterEach(async () => {
    await Promise.all(leases.splice(0).map((lease) => lease.stop()))
  })
  function start(database = world.database): Lease {
    const lease = startLease({ database, name: 'broker', onFailure() {} })
    leases.push(lease)
    return lease
  }
  const heldOf = async (...all: Lease[]) => {
    await Promise.race(all.map((lease) => lease.held(new AbortController().signal)))
    return all.map((lease) => lease.isHeld())
  }

  it('has one holder, however many start at once', async () => {
    const all = Array.from({ length: 5 }, () => start())
    expect((await heldOf(...all)).filter(Boolean)).toHaveLength(1)
    await sleep(200) // the others have looked, too
    expect(all.filter((lease) => lease.isHeld())).toHaveLength(1)
  })

  it('is handed over by a holder that stops in order, before it could have run out', async () => {
    const first = start()
    await heldOf(first)
    const second = start()
    await sleep(100)
    expect(second.isHeld()).toBe(false)
    await first.stop()
    expect(first.isHeld()).toBe(false)
    const { beat } = await world.database.db.selectFrom('lease').select('beat').executeTakeFirstOrThrow()
    await heldOf(second)
    expect((await world.database.db.selectFrom('lease').select('beat').executeTakeFirstOrThrow()).beat).toBe(beat + 1)
  })

  it('is taken over from a holder that is dead, and from then on the old one writes nothing', async () => {
    let isDead = false
    const dying = {
      ...world.database,
      transaction: ((work) =>
        isDead ? Promise.reject(new Error('gone')) : world.database.transaction(work)) as typeof world.database.transaction,
    }
    const first = start(dying)
    await heldOf(first)
    const second = start()
    isDead = true
    const deadMs = performance.now()
    await second.held(AbortSignal.timeout(takenOverMsMax))
    expect(performance.now() - deadMs).toBeLessThan(takenOverMsMax)
    expect([first.isHeld(), second.isHeld()]).toEqual([false, true])
    isDead = false
    await expect(world.database.transaction((tx) => first.assertHeld(tx))).rejects.toThrow(LeaseLost)
    await world.database.transaction((tx) => second.assertHeld(tx))
  })

  it('is kept by a holder that lives', async () => {
    const first = start()
    await heldOf(first)
    const second = start()
    await sleep(4_500) // longer than the life of a sign
    expect([first.isHeld(), second.isHeld()]).toEqual([true, false])
  })
})
