import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import { onEachDatabase } from '../../test/matrix.ts'
import { localDoorbell } from '../adapters/doorbell/local.ts'
import type { Tx } from '../schema.ts'
import { createEmit, type Emit } from './outbox.ts'
import { pruneEvents } from './prune.ts'
import { savePosition } from './positions.ts'
import { readBacklog, readEvents, readLastSeq, tailEvents } from './read.ts'
import { startRelay } from './relay.ts'
import { sequenceEvents } from './sequence.ts'
import { startTail } from './tail.ts'

onEachDatabase('outbox', (world, driver) => {
  const committed = localDoorbell()
  let emit: Emit
  beforeEach(() => void (emit = createEmit({ database: world.database, clock: world.clock, committed })))
  const registered = (key: number, name = key) => ({ type: 'user_registered', key, payload: { user_id: name } }) as const
  const write = (key: number, name?: number) => world.database.transaction((tx) => emit(tx, registered(key, name)))
  const read = (afterSeq = 0) => readEvents(world.database.db, { afterSeq, limit: 1_000 })
  const names = async () => (await read()).map(({ payload }) => (payload as { user_id: number }).user_id)

  it('keeps an event if and only if the change commits, and rings after it', async () => {
    const stop = new AbortController()
    let rung = 0
    void committed.wait(60_000, stop.signal).then(() => rung++)
    const failing = world.database.transaction(async (tx) => {
      await emit(tx, registered(1))
      throw new Error('no')
    })
    await expect(failing).rejects.toThrow('no')
    expect([rung, await readBacklog(world.database.db)]).toEqual([0, { depth: 0, oldestCreatedAt: null }])
    await write(2)
    await sleep(0)
    expect([rung, await readBacklog(world.database.db)]).toEqual([1, { depth: 1, oldestCreatedAt: '2026-01-01T00:00:00.000Z' }])
    expect([await sequenceEvents(world.database), await names()]).toEqual([['user_registered'], [2]])
    stop.abort()
  })

  // SQLite is left out: with its one writer, nothing can commit in between.
  if (driver === 'postgres') {
    it('loses no event when a transaction commits after a later one was read', async () => {
      const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const slow = world.database.transaction(async (tx) => {
        await emit(tx, registered(1))
        begun.resolve()
        await release.promise
      })
      await begun.promise
      await write(2)
      await sequenceEvents(world.database)
      expect((await read()).map(({ key, seq }) => [key, seq])).toEqual([[2, 1]])
      release.resolve()
      await slow
      await sequenceEvents(world.database)
      expect((await read(1)).map(({ key, seq }) => [key, seq])).toEqual([[1, 2]])
    })
  }

  it('numbers each event once and for good while many write, number and read at once', async () => {
    const [workers, rounds] = [6, 15]
    const seen = new Map<number, number>()
    await Promise.all(
      Array.from({ length: workers }, async (_, worker) => {
        for (let round = 0; round < rounds; round++) {
          const name = worker * rounds + round
          await world.database.transaction(async (tx) => {
            await emit(tx, registered(1, name))
            await sleep(Math.random() * 4) // so that commits come in another order than inserts
          })
          await sequenceEvents(world.database, { batchMax: 3 })
          for (const { seq, payload } of await read()) {
            const { user_id } = payload as { user_id: number }
            expect(seen.get(seq) ?? user_id).toBe(user_id)
            seen.set(seq, user_id)
          }
        }
      }),
    )
    while ((await sequenceEvents(world.database)).length > 0);
    const events = await read()
    expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: workers * rounds }, (_, i) => i + 1))
    expect(new Set(await names()).size).toBe(workers * rounds)
  })

  it('keeps cause before effect when the clocks of two processes disagree', async () => {
    await write(1)
    world.clock.advance(-60_000)
    await write(2)
    while ((await sequenceEvents(world.database, { batchMax: 1 })).length > 0);
    expect(await names()).toEqual([1, 2])
  })

  it('hears a ring that comes while it is looking', async () => {
    const bell = localDoorbell()
    let first = true
    const db = world.database.db.withPlugin({
      transformQuery: ({ node }) => {
        if (first) {
          first = false
          void write(1)
            .then(() => sequenceEvents(world.database))
            .then(bell.ring)
        }
        return node
      },
      transformResult: async ({ result }) => result,
    })
    const stop = new AbortController()
    for await (const event of tailEvents(db, bell, { afterSeq: 0, signal: stop.signal, pollMs: 60_000 })) {
      expect(event.seq).toBe(1)
      stop.abort()
    }
  })

  it('numbers and tells by itself, within the poll interval also what another process wrote', async () => {
    const sequenced = localDoorbell()
    const heard: number[] = []
    const tail = startTail({ db: world.database.db, sequenced, pollMs: 50, onFailure: (error) => void heard.push(NaN, error as never) })
    tail.listen(({ key }) => heard.push(key))
    const relay = startRelay({
      database: world.database,
      committed,
      sequenced,
      pollMs: 50,
      onFailure: (error) => void heard.push(NaN, error as never),
    })
    await sleep(20) // the tail has found its place
    await write(1)
    await expect.poll(() => heard).toEqual([1])
    const elsewhere = createEmit({ database: world.database, clock: world.clock, committed: localDoorbell() })
    await world.database.transaction((tx) => elsewhere(tx, registered(2)))
    await expect.poll(() => heard).toEqual([1, 2])
    await Promise.all([relay.stop(), tail.stop()])
  })

  it('prunes what is old and passed by every group, and never gives a number out again', async () => {
    const retentionMs = 7 * 86_400_000
    const prune = () => pruneEvents({ database: world.database, clock: world.clock, groups: ['a', 'b'], retentionMs })
    const passed = (name: string, seq: number) => world.database.transaction((tx: Tx) => savePosition.run(tx, { name, seq }))
    for (const key of [1, 2, 3]) await write(key)
    await sequenceEvents(world.database)
    await passed('a', 3)
    await passed('b', 2)
    expect(await prune()).toBe(0) // young
    world.clock.advance(retentionMs + 1)
    await write(4)
    expect([await prune(), await names()]).toEqual([2, [3]]) // 3 waits for b, 4 has no number
    await passed('b', 1) // an old report changes nothing
    await passed('b', 3)
    expect([await prune(), await names()]).toEqual([1, []])
    await sequenceEvents(world.database)
    expect((await read()).map(({ seq, key }) => [seq, key])).toEqual([[4, 4]])
    expect(await readLastSeq(world.database.db)).toBe(4)
  })

  it('holds everything back for a group that never ran', async () => {
    await write(1)
    await sequenceEvents(world.database)
    world.clock.advance(30 * 86_400_000)
    expect(await pruneEvents({ database: world.database, clock: world.clock, groups: ['new'], retentionMs: 1 })).toBe(0)
    expect(await pruneEvents({ database: world.database, clock: world.clock, groups: [], retentionMs: 1 })).toBe(1)
  })
})
