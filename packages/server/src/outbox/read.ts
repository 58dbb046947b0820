import { sql } from 'kysely'
import type { Events, EventType } from '../events.ts'
import type { Doorbell } from '../ports/doorbell.ts'
import { query } from '../query.ts'
import { prunedName, selectPosition, sequenceName } from './positions.ts'
import type { Db } from '../schema.ts'

/** An event with its place in the public order. */
export type Event<Type extends EventType = EventType> = {
  [Each in Type]: { id: string; seq: number; type: Each; key: number; payload: Events[Each]; createdAt: string; traceparent: string | null }
}[Type]

/** In the order of their numbers, those of one user or, without `key`, all. */
export async function readEvents(db: Db, { afterSeq, key, limit }: { afterSeq: number; key?: number; limit: number }): Promise<Event[]> {
  const rows = key === undefined ? await selectEvents.all(db, { afterSeq, limit }) : await selectEventsOf.all(db, { afterSeq, key, limit })
  return rows.map((row) => ({ ...row, id: String(row.id), seq: row.seq!, payload: JSON.parse(row.payload) }) as Event)
}

const columns = ['id', 'seq', 'type', 'key', 'payload', 'createdAt', 'traceparent'] as const

const selectEvents = query<{ afterSeq: number; limit: number }>()((db: Db, { afterSeq, limit }) =>
  db.selectFrom('outbox').where('seq', '>', afterSeq).orderBy('seq').limit(limit).select(columns),
)

const selectEventsOf = query<{ afterSeq: number; key: number; limit: number }>()((db: Db, { afterSeq, key, limit }) =>
  db.selectFrom('outbox').where('seq', '>', afterSeq).where('key', '=', key).orderBy('seq').limit(limit).select(columns),
)

/** The number that was given out last; 0 when none was. */
export async function readLastSeq(db: Db): Promise<number> {
  return (await selectPosition.first(db, { name: sequenceName }))!.seq
}

/**
 * Events up to this number may be gone; 0 when none is. @NOTE read it after the events: what was pruned before they were read
 * is counted in it, so a reader that stood at or beyond it has missed nothing.
 */
export async function readPrunedSeq(db: Db): Promise<number> {
  return (await selectPosition.first(db, { name: prunedName }))?.seq ?? 0
}

/** A backlog is counted up to here: how much longer it is, is not for a scrape to find out. */
const backlogCountedMax = 100_000

/** How many events wait for their number, up to 100,000, and since when. */
export async function readBacklog(db: Db): Promise<{ depth: number; oldestCreatedAt: string | null }> {
  return (await selectBacklog.first(db, {}))!
}

const selectBacklog = query<{}>()((db: Db) =>
  db
    .selectFrom((eb) =>
      eb.selectFrom('outbox').where('seq', 'is', null).orderBy('id').limit(backlogCountedMax).select('createdAt').as('waiting'),
    )
    .select((eb) => [eb.fn.countAll<number>().as('depth'), sql<string | null>`min(${sql.ref('createdAt')})`.as('oldestCreatedAt')]),
)

/** How long a tail sleeps when no bell rings: what a lost ring costs. */
export const tailPollMs = 1_000

export interface TailOptions {
  afterSeq: number
  key?: number
  signal: AbortSignal
  pollMs?: number
}

/** The table is the letter, the bus is only the doorbell: history and live tail are one loop, with no gap between. */
export async function* tailEvents(db: Db, sequenced: Doorbell, options: TailOptions): AsyncGenerator<Event> {
  const { signal, pollMs = tailPollMs } = options
  let { afterSeq } = options
  while (!signal.aborted) {
    const rung = sequenced.wait(pollMs, signal) // @NOTE listen before looking, or a ring in between is lost
    const events = await readEvents(db, { ...options, afterSeq, limit: 100 })
    for (const event of events) {
      yield event
      afterSeq = event.seq
    }
    if (events.length === 0) await rung
  }
}
