import { randomUUID } from 'node:crypto'
import type { Database } from '../ports/database.ts'
import { query } from '../query.ts'
import type { Db, Tables, Tx } from '../schema.ts'
import { pauseFor, startLoop, type Loop } from './loop.ts'

/** A holder gives a sign of life so often. */
const beatEveryMs = 1_000
/** Without one for so long it counts as dead. With the looks of the others its place is taken within 4.5 s of its last sign. */
const leaseMs = 3_000
const lookEveryMs = 400

export interface Lease extends Loop {
  /** Whether this process may act as the one holder now. It ends by itself when the database does not answer. */
  isHeld(): boolean
  /** Resolves once it is held, or when `signal` aborts. */
  held(signal: AbortSignal): Promise<void>
  /**
   * Rejects with `LeaseLost` when another has taken over: first in a transaction, it keeps a holder that was asleep from writing
   * over what its successor has done.
   */
  assertHeld(tx: Tx): Promise<void>
}

export class LeaseLost extends Error {
  override name = 'LeaseLost'
}

interface LeaseDeps {
  database: Database<Tables>
  name: string
  onFailure: (error: unknown) => void
}

/**
 * Of all processes on one database, one holds the lease `name`: the others take it over when its holder is dead, or at once when
 * it stops in order.
 *
 * The holder counts up; the others take over when the count has stood still for a while by their own clocks. So no two clocks
 * have to agree, the database's neither, it goes through any pooler, and the death of a whole machine is noticed as soon as that
 * of a process (a lock of a connection would live until the network gives the connection up).
 */
export function startLease({ database, name, onFailure }: LeaseDeps): Lease {
  const holder = randomUUID()
  let heldUntilMs = Number.NEGATIVE_INFINITY
  let seen: { holder: string | null; beat: number; atMs: number } | undefined
  const isHeld = () => performance.now() < heldUntilMs

  /** Counted from before the statement: the others count from when they have seen its effect. */
  async function change(statement: (tx: Tx) => Promise<number>): Promise<boolean> {
    const startMs = performance.now()
    const isOurs = (await database.transaction(statement)) > 0
    heldUntilMs = isOurs ? startMs + leaseMs : Number.NEGATIVE_INFINITY
    return isOurs
  }

  async function tryToTake(): Promise<void> {
    const row = await selectLease.first(database.db, { name })
    const nowMs = performance.now()
    if (!row) {
      await change((tx) => insertLease.run(tx, { name, holder }))
      return
    }
    if (seen?.holder !== row.holder || seen.beat !== row.beat) seen = { ...row, atMs: nowMs }
    if (row.holder === null || nowMs - seen.atMs >= leaseMs) await change((tx) => takeLease.run(tx, { name, holder, beat: row.beat }))
  }

  const loop = startLoop(
    async (signal) => {
      if (isHeld() && (await change((tx) => beatLease.run(tx, { name, holder })))) return pauseFor(beatEveryMs, signal)
      await tryToTake()
      await pauseFor(isHeld() ? beatEveryMs : lookEveryMs, signal)
    },
    onFailure,
    { pauseMsMax: lookEveryMs },
  )

  return {
    isHeld,
    async held(signal) {
      while (!isHeld() && !signal.aborted) await pauseFor(50, signal)
    },
    async assertHeld(tx) {
      if ((await beatLease.run(tx, { name, holder })) === 0) {
        heldUntilMs = Number.NEGATIVE_INFINITY
        throw new LeaseLost(`another process holds the lease ${name}`)
      }
    },
    async stop() {
      await loop.stop()
      heldUntilMs = Number.NEGATIVE_INFINITY
      await database.transaction((tx) => releaseLease.run(tx, { name, holder })).catch(() => {}) // it runs out by itself
    },
  }
}

const selectLease = query<{ name: string }>()((db: Db, { name }) =>
  db.selectFrom('lease').where('name', '=', name).select(['holder', 'beat']),
)

const insertLease = query<{ name: string; holder: string }>()((tx: Tx, { name, holder }) =>
  tx
    .insertInto('lease')
    .values({ name, holder, beat: 1 })
    .onConflict((conflict) => conflict.column('name').doNothing()),
)

const takeLease = query<{ name: string; holder: string; beat: number }>()((tx: Tx, { name, holder, beat }) =>
  tx
    .updateTable('lease')
    .where('name', '=', name)
    .where('beat', '=', beat)
    .set((eb) => ({ holder, beat: eb('beat', '+', 1) })),
)

const beatLease = query<{ name: string; holder: string }>()((tx: Tx, { name, holder }) =>
  tx
    .updateTable('lease')
    .where('name', '=', name)
    .where('holder', '=', holder)
    .set((eb) => ({ beat: eb('beat', '+', 1) })),
)

const releaseLease = query<{ name: string; holder: string }>()((tx: Tx, { name, holder }) =>
  tx
    .updateTable('lease')
    .where('name', '=', name)
    .where('holder', '=', holder)
    .set((eb) => ({ holder: null, beat: eb('beat', '+', 1) })),
)
