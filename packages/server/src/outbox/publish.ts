import { within } from '../core/within.ts'
import type { BusEvent } from '../ports/event-bus.ts'
import type { Database } from '../ports/database.ts'
import type { Doorbell } from '../ports/doorbell.ts'
import { query } from '../query.ts'
import type { Db, Tables } from '../schema.ts'
import type { Lease } from './lease.ts'
import { startLoop, type Loop } from './loop.ts'
import { publishedName, savePosition, selectPosition } from './positions.ts'
import { readBacklog, readEvents, readLastSeq, readPrunedSeq, type Event } from './read.ts'

/** Events that go to the broker in one request. 1,000 are some 250 KB: at 10 ms a round trip no bound on the speed. */
const batchMax = 1_000
/** Brokers refuse batches of more than 1 MiB. An event itself has a few KB at most. */
const batchCharsMax = 400_000
const pauseMsMax = 1_000
/** How long a stop waits for the batch that is under way; whoever leads next sends it again. */
const stopMsMax = 3_000

export interface PublisherDeps {
  database: Database<Tables>
  lease: Lease
  sequenced: Doorbell
  pollMs: number
  /** Rejects without saying how much was taken. It is then given the same events again. */
  publish(events: readonly BusEvent[]): Promise<void>
  onPublished?: (eventType: string) => void
  onFailure: (error: unknown) => void
}

/**
 * The relay to a broker: every numbered event, in the order of the numbers, one batch at a time. What is in doubt is sent again,
 * the very same batch, before anything else; so readers see doubles (which have the same id) and no gap, and the first of each
 * event come in order. Only the holder of the lease sends.
 */
export function startPublisher(deps: PublisherDeps): Loop {
  const { database, lease, sequenced, pollMs, publish, onPublished, onFailure } = deps
  let position: number | undefined
  let batch: { events: Event[]; isSent: boolean } | undefined

  async function turn(signal: AbortSignal): Promise<void> {
    if (!lease.isHeld()) {
      position = batch = undefined // whoever leads meanwhile goes on from where the table says
      return lease.held(signal)
    }
    position ??= await loadPosition()
    const rung = sequenced.wait(pollMs, signal)
    batch ??= { events: upTo(batchCharsMax, await readEvents(database.db, { afterSeq: position, limit: batchMax })), isSent: false }
    const { events } = batch
    if (events.length === 0) {
      batch = undefined
      return rung
    }
    if (!batch.isSent) {
      await publish(events)
      batch.isSent = true
    }
    const { seq } = events.at(-1)!
    await database.transaction(async (tx) => {
      await lease.assertHeld(tx)
      await savePosition.run(tx, { name: publishedName, seq })
    })
    for (const { type } of events) onPublished?.(type)
    position = seq
    batch = undefined
  }

  async function loadPosition(): Promise<number> {
    const seq = (await selectPosition.first(database.db, { name: publishedName }))?.seq ?? 0
    const pruned = await readPrunedSeq(database.db)
    if (pruned > seq) onFailure(new Error(`events ${seq + 1} to ${pruned} were pruned while no broker was configured: it never gets them`))
    return seq
  }

  const loop = startLoop(turn, onFailure, { pauseMsMax })
  return {
    async stop() {
      await within(stopMsMax, loop.stop(), 'the batch under way takes too long').catch(() => {})
    },
  }
}

function upTo(charsMax: number, events: Event[]): Event[] {
  let chars = 0
  const end = events.findIndex(({ payload }, index) => (chars += JSON.stringify(payload).length) > charsMax && index > 0)
  return end === -1 ? events : events.slice(0, end)
}

/** How many events have not reached the broker, and since when the oldest of them waits. */
export async function readUnpublished(db: Db): Promise<{ depth: number; oldestCreatedAt: string | null }> {
  const [position, last, { depth: unnumbered, oldestCreatedAt }] = await Promise.all([
    selectPosition.first(db, { name: publishedName }),
    readLastSeq(db),
    readBacklog(db),
  ])
  const published = Math.min(position?.seq ?? 0, last)
  const oldest = await selectOldest.first(db, { afterSeq: published })
  return { depth: unnumbered + last - published, oldestCreatedAt: oldest?.createdAt ?? oldestCreatedAt }
}

const selectOldest = query<{ afterSeq: number }>()((db: Db, { afterSeq }) =>
  db.selectFrom('outbox').where('seq', '>', afterSeq).orderBy('seq').limit(1).select('createdAt'),
)
