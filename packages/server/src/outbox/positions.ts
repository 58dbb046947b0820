import { query } from '../query.ts'
import type { Db, Tx } from '../schema.ts'

/** The row of `outboxPosition` that is no group's: the number that was given out last. */
export const sequenceName = 'sequence'
/** Nor is this one: up to this number, events may have been pruned. */
export const prunedName = 'pruned'

/** Up to this number all events have reached the broker, where one is configured. */
export const publishedName = 'broker'

/** Undefined for a group that never took anything. */
export const selectPosition = query<{ name: string }>()((db: Db, { name }) =>
  db.selectFrom('outboxPosition').where('name', '=', name).select('seq'),
)

/** Never moves back: two processes that served one group for a moment may report in either order. */
export const savePosition = query<{ name: string; seq: number }>()((tx: Tx, { name, seq }) =>
  tx
    .insertInto('outboxPosition')
    .values({ name, seq })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet((eb) => ({ seq: eb.ref('excluded.seq') }))
        .whereRef('outboxPosition.seq', '<', 'excluded.seq'),
    ),
)
