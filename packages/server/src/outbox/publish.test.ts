import { afterEach, beforeEach, expect, it } from 'vitest'
import { localDoorbell } from '../adapters/doorbell/local.ts'
import { onEachDatabase } from '../../test/matrix.ts'
import type { BusEvent } from '../ports/event-bus.ts'
import { startLease, type Lease } from './lease.ts'
import type { Loop } from './loop.ts'
import { createEmit } from './outbox.ts'
import { publishedName, selectPosition } from './positions.ts'
import { pruneEvents } from './prune.ts'
import { readUnpublished, startPublisher } from './publish.ts'
import { sequenceEvents } from './sequence.ts'

const soon = { timeout: 10_000, interval: 10 }

onEachDatabase('publisher', (world) => {
  const bell = localDoorbell()
  const cleanUps: (Loop | Lease)[] = []
  /** What a broker would have: every attempt, also of those that it then says have failed. */
  let sent: string[][] = []
  let failures = 0
  const problems: unknown[] = []
  beforeEach(() => {
    sent = []
    failures = 0
    problems.length = 0
  })
  afterEach(async () => {
    for (const one of cleanUps.splice(0).reverse()) await one.stop()
  })

  async function start(publish = take): Promise<void> {
    const { database } = world
    const lease = startLease({ database, name: publishedName, onFailure: (error) => problems.push(error) })
    cleanUps.push(lease)
    cleanUps.push(startPublisher({ database, lease, sequenced: bell, pollMs: 50, publish, onFailure: (error) => problems.push(error) }))
  }
  async function take(events: readonly BusEvent[]): Promise<void> {
    sent.push(events.map(({ id }) => id))
    if (failures-- > 0) throw new Error('no broker')
  }
  async function emit(count: number): Promise<string[]> {
    const { database, clock } = world
    const write = createEmit({ database, clock, committed: bell })
    await database.transaction(async (tx) => {
      for (let i = 0; i < count; i++) await write(tx, { type: 'user_registered', key: i % 7, payload: { user_id: i } })
    })
    while ((await sequenceEvents(database)).length > 0);
    bell.ring()
    return (await database.db.selectFrom('outbox').orderBy('seq').select('id').execute()).slice(-count).map(({ id }) => String(id))
  }
  const position = async () => (await selectPosition.first(world.database.db, { name: publishedName }))?.seq ?? 0
  const lastSeq = async () =>
    (await world.database.db.selectFrom('outbox').select('seq').orderBy('seq', 'desc').limit(1).execute())[0]!.seq!

  it('sends each event once, in the order of the numbers, and goes on where it stopped', async () => {
    const early = await emit(1_500)
    await start()
    await expect.poll(position, soon).toBe(await lastSeq())
    for (const one of cleanUps.splice(0).reverse()) await one.stop()
    const late = await emit(30)
    await start()
    await expect.poll(position, soon).toBe(await lastSeq())
    expect(sent.flat()).toEqual([...early, ...late])
    expect(problems).toEqual([])
  })

  it('sends the very same batch again for as long as it fails, and nothing else meanwhile', async () => {
    failures = 4
    const first = await emit(3)
    await start()
    await expect.poll(() => sent.length, soon).toBeGreaterThan(1)
    const more = await emit(2)
    await expect.poll(position, soon).toBe(await lastSeq())
    expect(sent).toEqual([first, first, first, first, first, more])
    expect(problems).toHaveLength(1) // once a series
  })

  it('sends nothing twice because the database was away when it noted how far it is', async () => {
    const { database } = world
    const ids = await emit(3)
    const lease = startLease({ database, name: publishedName, onFailure() {} })
    cleanUps.push(lease)
    await lease.held(new AbortController().signal)
    let isAway = 2
    const sometimesAway = {
      ...database,
      transaction: ((work) =>
        isAway-- > 0 ? Promise.reject(new Error('away')) : database.transaction(work)) as typeof database.transaction,
    }
    cleanUps.push(startPublisher({ database: sometimesAway, lease, sequenced: bell, pollMs: 50, publish: take, onFailure() {} }))
    await expect.poll(position, soon).toBe(await lastSeq())
    expect(sent).toEqual([ids])
  })

  it('leaves it to the holder of the lease', async () => {
    await emit(5)
    await Promise.all([start(), start(), start()])
    await expect.poll(position, soon).toBe(await lastSeq())
    const more = await emit(5)
    await expect.poll(position, soon).toBe(await lastSeq())
    expect(sent).toHaveLength(2)
    expect(sent[1]).toEqual(more)
  })

  it('never moves the position once another has taken the lease', async () => {
    const gate = Promise.withResolvers<void>()
    await emit(3)
    await start(async () => gate.promise)
    await expect.poll(async () => (await world.database.db.selectFrom('lease').select('holder').execute())[0]?.holder, soon).toBeTruthy()
    await world.database.transaction(async (tx) => void (await tx.updateTable('lease').set({ holder: 'another' }).execute()))
    gate.resolve()
    await expect.poll(() => problems.length, soon).toBeGreaterThan(0)
    expect(String(problems[0])).toContain('another process holds the lease')
    expect(await position()).toBe(0)
  })

  it('knows how far behind it is, and holds what it has not sent back from pruning', async () => {
    const { database, clock } = world
    const read = () => readUnpublished(database.db)
    expect(await read()).toEqual({ depth: 0, oldestCreatedAt: null })
    await emit(3)
    expect(await read()).toEqual({ depth: 3, oldestCreatedAt: '2026-01-01T00:00:00.000Z' })
    world.clock.advance(10 * 86_400_000)
    const prune = () => pruneEvents({ database, clock, groups: [publishedName], retentionMs: 86_400_000 })
    expect(await prune()).toBe(0)
    await start()
    await expect.poll(position, soon).toBe(await lastSeq())
    expect(await read()).toEqual({ depth: 0, oldestCreatedAt: null })
    expect(await prune()).toBe(3)
  })

  it('says so when events were pruned that it should have sent', async () => {
    await emit(3)
    world.clock.advance(10 * 86_400_000)
    await pruneEvents({ database: world.database, clock: world.clock, groups: [], retentionMs: 86_400_000 })
    await start()
    await expect
      .poll(() => problems.map(String), soon)
      .toEqual(['Error: events 1 to 3 were pruned while no broker was configured: it never gets them'])
  })
})
