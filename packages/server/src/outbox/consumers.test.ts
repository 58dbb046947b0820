import { sql } from 'kysely'
import { beforeEach, expect, it } from 'vitest'
import { onEachDatabase } from '../../test/matrix.ts'
import { currentCorrelation } from '../core/correlation.ts'
import { DatabaseUnavailable } from '../ports/database.ts'
import type { BusEvent } from '../ports/event-bus.ts'
import { consumeBatches, type Consumer, type ConsumerDeps } from './consumers.ts'
import { createDeadLetters } from './dead-letters.ts'
import { retryDue } from './retries.ts'

onEachDatabase('consumers', (world) => {
  /** A table without any uniqueness: what happens twice is there twice. */
  beforeEach(async () => {
    await sql`drop table if exists effect`.execute(world.database.db)
    await sql`create table effect (name text not null)`.execute(world.database.db)
  })
  const effects = async () => (await sql<{ name: string }>`select name from effect`.execute(world.database.db)).rows.map(({ name }) => name)

  let poisoned: Set<string>
  let attempts: string[]
  let outcomes: string[]
  let failures: unknown[]
  beforeEach(() => {
    poisoned = new Set()
    attempts = []
    outcomes = []
    failures = []
  })
  const consumer: Consumer<'user_registered'> = {
    name: 'test',
    types: ['user_registered'],
    async handle(tx, { id }) {
      attempts.push(id)
      await sql`insert into effect (name) values (${id})`.execute(tx)
      if (poisoned.has(id)) throw new Error(`poison in ${id}`)
    },
  }
  const deps = (): ConsumerDeps => ({
    database: world.database,
    clock: world.clock,
    onOutcome: (outcome) => outcomes.push(outcome),
    onFailure: (error) => failures.push(error),
  })
  const take = (events: BusEvent[], by: Consumer<any> = consumer) => consumeBatches(deps(), by)(events)
  const event = (id: string, key = 1, type = 'user_registered'): BusEvent => ({
    id,
    type,
    key,
    payload: { user_id: key },
    createdAt: '2026-01-01T00:00:00.000Z',
  })
  const letters = () => createDeadLetters(world)

  it('takes each event once, however often it is handed over, and only of its types', async () => {
    await take([event('1'), event('2', 2), event('3', 1, 'user_deleted')])
    await take([event('1'), event('2', 2), event('4')])
    expect(await effects()).toEqual(['1', '2', '4'])
    expect(outcomes).toEqual(['consumed', 'consumed', 'consumed'])
  })

  it('works within the trace of its event, also when it is tried again', async () => {
    const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
    const seen: unknown[] = []
    const note = (what: string) => seen.push([what, currentCorrelation()?.traceparent])
    const observing: ConsumerDeps = { ...deps(), onOutcome: note, onFailure: () => note('failure') }
    const failing: Consumer<any> = {
      ...consumer,
      async handle(tx, event) {
        note(`handle ${event.id}`)
        await consumer.handle(tx, event)
      },
    }
    poisoned.add('1')
    await consumeBatches(observing, failing)([{ ...event('1'), traceparent }])
    poisoned.clear()
    world.clock.advance(100)
    await retryDue(observing, failing)
    await consumeBatches(observing, failing)([event('2')])
    expect(seen).toEqual([
      ...['handle 1', 'handle 1', 'failure', 'retried', 'handle 1', 'consumed'].map((what) => [what, traceparent]),
      ['handle 2', undefined],
      ['consumed', undefined],
    ])
  })

  it('keeps two consumers apart', async () => {
    await take([event('1')])
    await take([event('1')], { ...consumer, name: 'other' })
    expect(await effects()).toEqual(['1', '1'])
  })

  it('takes each event once when two processes are handed the same', async () => {
    const events = Array.from({ length: 20 }, (_, i) => event(String(i), i % 3))
    await Promise.all([take(events), take(events), take(events)])
    expect((await effects()).sort()).toEqual(events.map(({ id }) => id).sort())
    expect([await letters().list(), failures]).toEqual([[], []])
  })

  it('lets the neighbours of a poison event pass, and has those of its own user wait', async () => {
    poisoned.add('2')
    await take([event('1', 1), event('2', 2), event('3', 3), event('4', 2), event('5', 1)])
    expect(await effects()).toEqual(['1', '3', '5'])
    await take([event('6', 2), event('7', 3)])
    expect(await effects()).toEqual(['1', '3', '5', '7'])
    expect([await letters().count(), failures.map(String)]).toEqual([0, ['Error: poison in 2']])
  })

  it('tries it five times, further and further apart, then lays it aside with its error, and goes on behind it', async () => {
    poisoned.add('2')
    await take([event('2', 2), event('4', 2)])
    const triedAt: number[] = []
    for (let ms = 0; ms <= 20_000; ms += 100) {
      if ((await retryDue(deps(), consumer)) > 0) triedAt.push(ms)
      world.clock.advance(100)
    }
    expect(attempts.filter((id) => id === '2')).toHaveLength(6) // once more in the first batch, which was tried as a whole
    expect(triedAt).toEqual([100, 500, 2_100, 8_500, 8_600]) // at the last, the event behind it
    expect(await effects()).toEqual(['4'])
    expect(await letters().list()).toMatchObject([
      { consumer: 'test', event: event('2', 2), attempts: 5, error: 'Error: poison in 2', nextAttemptAt: null },
    ])
    expect(outcomes).toEqual(['retried', 'retried', 'retried', 'retried', 'dead', 'consumed'])
  })

  it('replays a dead letter once after the fix, and forgets one that is dropped', async () => {
    for (const id of ['1', '2']) poisoned.add(id)
    await take([event('1', 1), event('2', 2)])
    for (let i = 0; i < 10; i++) {
      world.clock.advance(10_000)
      await retryDue(deps(), consumer)
    }
    const [first, second] = await letters().list()
    expect([first!.event.id, second!.event.id, await letters().count()]).toEqual(['1', '2', 2])
    poisoned.clear()
    expect([await letters().replay(first!.id), await letters().replay(first!.id)]).toEqual([true, false]) // it is on its way
    expect([await letters().drop(second!.id), await letters().drop(second!.id)]).toEqual([true, false])
    await retryDue(deps(), consumer)
    await retryDue(deps(), consumer)
    expect([await effects(), await letters().list()]).toEqual([['1'], []])
    await take([event('1', 1)]) // the bus hands it over once more
    expect(await effects()).toEqual(['1'])
  })

  it('does not count it against an event that the database was away', async () => {
    let away = 3
    const flaky: Consumer<'user_registered'> = {
      ...consumer,
      async handle(tx, given) {
        if (away-- > 0) throw new DatabaseUnavailable(new Error('connection refused'))
        await consumer.handle(tx, given)
      },
    }
    for (let i = 0; i < 3; i++) await expect(take([event('1'), event('2')], flaky)).rejects.toThrow('service unavailable')
    expect([await effects(), await letters().list(), outcomes]).toEqual([[], [], []])
    await take([event('1'), event('2')], flaky)
    expect(await effects()).toEqual(['1', '2'])
  })

  it('keeps effect and mark together: what failed left neither', async () => {
    poisoned.add('1')
    await take([event('1')])
    const { rows } = await sql`select * from ${sql.table('processedEvent')}`.execute(world.database.db)
    expect([rows, await effects()]).toEqual([[], []])
  })
})
