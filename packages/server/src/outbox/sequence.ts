import { sql } from 'kysely'
import type { Database } from '../ports/database.ts'
import { query } from '../query.ts'
import type { Db, Tables, Tx } from '../schema.ts'
import { sequenceName } from './positions.ts'
import { readLastSeq } from './read.ts'

/** How many at once, unless told otherwise. Fewer than that, and all have a number. */
export const sequencedAtOnce = 500

/**
 * Numbers the committed events that have no number yet, and returns their types. `onHeld` hears that another process is at it.
 *
 * The number cannot come from the insert: on Postgres a transaction may take 5, stall, and commit after 6 was
 * read, and a reader that asks for `seq > 6` never sees 5. Only one relay at a time numbers, and only what is committed.
 */
export async function sequenceEvents(
  database: Database<Tables>,
  { batchMax = sequencedAtOnce, onHeld = () => {} } = {},
): Promise<string[]> {
  if (!(await selectWaiting.first(database.db, {}))) return [] // a look costs no write, and no lock
  return database.transaction(async (tx) => {
    if (!(await database.dialect.tryLock(tx, 'outbox'))) {
      onHeld()
      return []
    }
    // Kept apart from the events: pruning may take all of them away, and a number is never given out twice.
    const last = await readLastSeq(tx)
    const numbered = await numberNext.all(tx, { last, batchMax })
    if (numbered.length > 0) await saveLast.run(tx, { last: last + numbered.length })
    return numbered.map(({ type }) => type)
  })
}

const selectWaiting = query<{}>()((db: Db) => db.selectFrom('outbox').where('seq', 'is', null).select('id').limit(1))

const saveLast = query<{ last: number }>()((tx: Tx, { last }) =>
  tx.updateTable('outboxPosition').where('name', '=', sequenceName).set({ seq: last }),
)

const numberNext = query<{ last: number; batchMax: number }>()((tx: Tx, { last, batchMax }) =>
  tx
    .updateTable('outbox')
    .from((eb) =>
      eb
        .selectFrom('outbox')
        .where('seq', 'is', null)
        .orderBy('id')
        .limit(batchMax)
        .select((next) => ['id', sql<number>`${next.val(last)} + row_number() over (order by id)`.as('seq')])
        .as('next'),
    )
    .set((eb) => ({ seq: eb.ref('next.seq') }))
    .whereRef('outbox.id', '=', 'next.id')
    .returning('outbox.type'),
)
