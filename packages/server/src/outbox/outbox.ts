import { currentCorrelation } from '../core/correlation.ts'
import { isoTime } from '../core/time.ts'
import type { Events, EventType } from '../events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import type { Doorbell } from '../ports/doorbell.ts'
import { query } from '../query.ts'
import type { Tables, Tx } from '../schema.ts'

/** An event as the change that causes it states it. */
export interface NewEvent<Type extends EventType = EventType> {
  type: Type
  key: number
  payload: Events[Type]
}

/** Writes the event in the caller's transaction: it exists if and only if the change it reports does. Emit last. */
export type Emit = <Type extends EventType>(tx: Tx, event: NewEvent<Type>) => Promise<void>

/** `committed` is rung after each commit that wrote an event, so that the relay need not wait for its next look. */
export function createEmit({ database, clock, committed }: { database: Database<Tables>; clock: Clock; committed: Doorbell }): Emit {
  return async (tx, { type, key, payload }) => {
    const correlation = currentCorrelation()
    const span = correlation?.span?.child(`publish ${type}`, { kind: 'producer', attributes: { 'messaging.destination.name': 'outbox' } })
    const traceparent = (span ?? correlation)?.traceparent ?? null
    await insertEvent.run(tx, { type, key, payload: JSON.stringify(payload), createdAt: isoTime(clock.nowMs()), traceparent })
    span?.end()
    database.afterCommit(tx, committed.ring)
  }
}

const insertEvent = query<{ type: EventType; key: number; payload: string; createdAt: string; traceparent: string | null }>()(
  (tx: Tx, { type, key, payload, createdAt, traceparent }) =>
    tx.insertInto('outbox').values({ seq: null, type, key, payload, createdAt, traceparent }),
)
