import { isoTime } from '../core/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import type { BusEvent } from '../ports/event-bus.ts'
import { query } from '../query.ts'
import type { Db, Tables, Tx } from '../schema.ts'

/** How often an event is tried before it is dead. */
export const attemptsMax = 5

/** After attempt 1, 2, 3 and 4: 100 ms, 400 ms, 1.6 s, 6.4 s. Long enough for a neighbour to recover, short enough to notice. */
export const retryDelayMs = (attempts: number) => 100 * 4 ** (attempts - 1)

/** Distinct keys that may wait at once, for one consumer. Beyond it something is wrong with the consumer itself. */
const parkedKeysMax = 10_000

export interface DeadLetter {
  id: number
  consumer: string
  event: BusEvent
  attempts: number
  error: string
  /** Null when it will not be tried again by itself. */
  nextAttemptAt: string | null
}

/** Keys of which an event is still being tried; later events of the same key wait. */
export async function selectParkedKeys(tx: Tx, consumer: string): Promise<Set<number>> {
  return new Set((await parkedKeys.all(tx, { consumer })).map(({ key }) => key))
}

const parkedKeys = query<{ consumer: string }>()((db: Db, { consumer }) =>
  db
    .selectFrom('deadLetter')
    .where('consumer', '=', consumer)
    .where('nextAttemptAt', 'is not', null)
    .select('key')
    .distinct()
    .limit(parkedKeysMax),
)

type Failure = Pick<DeadLetter, 'attempts' | 'error' | 'nextAttemptAt'>

/** Does nothing when the event lies there already: it was handed over twice. */
export async function parkEvent(tx: Tx, { consumer, event, ...failure }: Failure & { consumer: string; event: BusEvent }): Promise<void> {
  const { id, type, key, payload, createdAt, traceparent = null } = event
  await insertLetter.run(tx, { consumer, eventId: id, type, key, payload: JSON.stringify(payload), createdAt, traceparent, ...failure })
}

const insertLetter = query<
  Failure & { consumer: string; eventId: string; type: string; key: number; payload: string; createdAt: string; traceparent: string | null }
>()((tx: Tx, { consumer, eventId, type, key, payload, createdAt, traceparent, attempts, error, nextAttemptAt }) =>
  tx
    .insertInto('deadLetter')
    .values({ consumer, eventId, type, key, payload, createdAt, traceparent, attempts, error, nextAttemptAt })
    .onConflict((conflict) => conflict.columns(['consumer', 'eventId']).doNothing()),
)

/** When the next one that is not due yet will be. What is due and not tried waits behind another, and needs no look of its own. */
export const selectNextAttempt = query<{ consumer: string; nowIso: string }>()((db: Db, { consumer, nowIso }) =>
  db
    .selectFrom('deadLetter')
    .where('consumer', '=', consumer)
    .where('nextAttemptAt', '>', nowIso)
    .select((eb) => eb.fn.min('nextAttemptAt').as('at')),
)

const columns = [
  'id',
  'consumer',
  'eventId',
  'type',
  'key',
  'payload',
  'createdAt',
  'traceparent',
  'attempts',
  'error',
  'nextAttemptAt',
] as const

/** In the order in which they arrived, the first of each key that is due: what waits behind it comes after it. */
export async function selectDue(
  db: Db,
  { consumer, nowIso, limit }: { consumer: string; nowIso: string; limit: number },
): Promise<DeadLetter[]> {
  return (await dueLetters.all(db, { consumer, nowIso, limit })).map(toLetter)
}

const dueLetters = query<{ consumer: string; nowIso: string; limit: number }>()((db: Db, { consumer, nowIso, limit }) =>
  db
    .selectFrom('deadLetter')
    .where('consumer', '=', consumer)
    .where('nextAttemptAt', '<=', nowIso)
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('deadLetter as earlier')
            .whereRef('earlier.consumer', '=', 'deadLetter.consumer')
            .whereRef('earlier.key', '=', 'deadLetter.key')
            .where('earlier.nextAttemptAt', 'is not', null)
            .whereRef('earlier.id', '<', 'deadLetter.id')
            .select('earlier.id'),
        ),
      ),
    )
    .orderBy('id')
    .limit(limit)
    .select(columns),
)

export const updateFailure = query<Failure & { id: number }>()((tx: Tx, { id, attempts, error, nextAttemptAt }) =>
  tx.updateTable('deadLetter').where('id', '=', id).set({ attempts, error, nextAttemptAt }),
)

export const deleteLetter = query<{ id: number }>()((tx: Tx, { id }) => tx.deleteFrom('deadLetter').where('id', '=', id))

const deadLetters = query<{ afterId: number; limit: number }>()((db: Db, { afterId, limit }) =>
  db.selectFrom('deadLetter').where('nextAttemptAt', 'is', null).where('id', '>', afterId).orderBy('id').limit(limit).select(columns),
)

const deadLettersOf = query<{ consumer: string; afterId: number; limit: number }>()((db: Db, { consumer, afterId, limit }) =>
  db
    .selectFrom('deadLetter')
    .where('nextAttemptAt', 'is', null)
    .where('consumer', '=', consumer)
    .where('id', '>', afterId)
    .orderBy('id')
    .limit(limit)
    .select(columns),
)

/** The oldest first, after the letter `afterId`: of one consumer, or of all. */
export async function listDeadLetters(
  db: Db,
  { consumer, afterId, limit }: { consumer?: string | undefined; afterId: number; limit: number },
): Promise<DeadLetter[]> {
  const rows = consumer === undefined ? deadLetters.all(db, { afterId, limit }) : deadLettersOf.all(db, { consumer, afterId, limit })
  return (await rows).map(toLetter)
}

/** Has a dead letter tried again, as often as at first. Returns 0 when there is none. */
export const replayLetter = query<{ id: number; nowIso: string }>()((tx: Tx, { id, nowIso }) =>
  tx.updateTable('deadLetter').where('id', '=', id).where('nextAttemptAt', 'is', null).set({ attempts: 0, nextAttemptAt: nowIso }),
)

/** Returns 0 when there is no such dead letter. */
export const dropLetter = query<{ id: number }>()((tx: Tx, { id }) =>
  tx.deleteFrom('deadLetter').where('id', '=', id).where('nextAttemptAt', 'is', null),
)

/** Beyond it the metric says no more: something is wrong, and how wrong is not for a scrape to find out. */
const deadCountedMax = 10_000

const countDeadOf = query<{ consumer: string }>()((db: Db, { consumer }) =>
  db
    .selectFrom((eb) =>
      eb
        .selectFrom('deadLetter')
        .where('nextAttemptAt', 'is', null)
        .where('consumer', '=', consumer)
        .limit(deadCountedMax)
        .select('id')
        .as('dead'),
    )
    .select((eb) => eb.fn.countAll<number>().as('count')),
)

/** Dead letters of one consumer, up to 10,000. */
export async function countDeadLetters(db: Db, consumer: string): Promise<number> {
  return (await countDeadOf.first(db, { consumer }))!.count
}

const countDead = query<{}>()((db: Db) =>
  db
    .selectFrom('deadLetter')
    .where('nextAttemptAt', 'is', null)
    .select((eb) => eb.fn.countAll<number>().as('count')),
)

/** What an operator does with events that no consumer could take. */
export function createDeadLetters({ database, clock }: { database: Database<Tables>; clock: Clock }) {
  return {
    /** Oldest first, after the letter `afterId`. */
    list: ({ afterId = 0, limit = 100 } = {}): Promise<DeadLetter[]> => listDeadLetters(database.db, { afterId, limit }),
    count: async (): Promise<number> => (await countDead.first(database.db, {}))!.count,
    /** Has it tried again, as often as at first. False when there is no such dead letter. */
    replay: async (id: number): Promise<boolean> =>
      (await database.transaction((tx) => replayLetter.run(tx, { id, nowIso: isoTime(clock.nowMs()) }))) > 0,
    /** Forgets it for good. False when there is no such dead letter. */
    drop: async (id: number): Promise<boolean> => (await database.transaction((tx) => dropLetter.run(tx, { id }))) > 0,
  }
}

type Row = Failure & {
  id: number
  consumer: string
  eventId: string
  type: string
  key: number
  payload: string
  createdAt: string
  traceparent: string | null
}

function toLetter({ id, consumer, eventId, type, key, payload, createdAt, traceparent, ...failure }: Row): DeadLetter {
  return { id, consumer, event: { id: eventId, type, key, payload: JSON.parse(payload), createdAt, traceparent }, ...failure }
}
