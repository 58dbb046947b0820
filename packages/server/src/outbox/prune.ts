import { isoTime } from '../core/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import { query } from '../query.ts'
import type { Tables, Tx } from '../schema.ts'
import { prunedName, savePosition, selectPosition } from './positions.ts'

const batchMax = 1_000

/**
 * Deletes events that are older than `retentionMs` and that every group has passed, a batch at a time, and returns how many.
 * `groups` are those who read the table: the consumers of this version, or the way to the broker that hands events to them. One
 * that never ran holds everything back, as it is to see everything.
 */
export async function pruneEvents(deps: {
  database: Database<Tables>
  clock: Clock
  groups: readonly string[]
  retentionMs: number
  /** How long it is known which events a consumer has had: as long as anything may hand one over again. */
  marksMs?: number
}): Promise<number> {
  const { database, clock, groups, retentionMs, marksMs = retentionMs } = deps
  const passedSeq = Math.min(Number.MAX_SAFE_INTEGER, ...(await Promise.all(groups.map((name) => positionOf(database, name)))))
  const before = isoTime(clock.nowMs() - retentionMs)
  return database.transaction(async (tx) => {
    const pruned = await deleteEvents.all(tx, { before, passedSeq, limit: batchMax })
    // Readers who come back learn from it that something is missing: the table alone does not say so.
    if (pruned.length > 0) await savePosition.run(tx, { name: prunedName, seq: Math.max(...pruned.map(({ seq }) => seq!)) })
    return pruned.length + (await deleteMarks.run(tx, { before: isoTime(clock.nowMs() - marksMs), limit: batchMax }))
  })
}

async function positionOf(database: Database<Tables>, name: string): Promise<number> {
  return (await selectPosition.first(database.db, { name }))?.seq ?? 0
}

const deleteEvents = query<{ before: string; passedSeq: number; limit: number }>()((tx: Tx, { before, passedSeq, limit }) =>
  tx
    .deleteFrom('outbox')
    .where('id', 'in', (eb) =>
      eb.selectFrom('outbox').where('seq', '<=', passedSeq).where('createdAt', '<', before).orderBy('seq').limit(limit).select('id'),
    )
    .returning('seq'),
)

/** @NOTE a mark must outlive its event, or a late redelivery would find none: marks are younger than the events they are of. */
const deleteMarks = query<{ before: string; limit: number }>()((tx: Tx, { before, limit }) =>
  tx
    .deleteFrom('processedEvent')
    .where('eventId', 'in', (eb) => eb.selectFrom('processedEvent').where('processedAt', '<', before).limit(limit).select('eventId'))
    .where('processedAt', '<', before),
)
