import { viewerErrors } from '../../core/viewer.ts'
import { readLastSeq, readPrunedSeq, type Event } from '../../outbox/read.ts'
import type { Db } from '../../schema.ts'
import type { Hub, Subscription } from './hub.ts'
import { pageMax } from './live.ts'

/** A thing to send, under the number from which its receiver can go on. */
export interface Sent<Item> {
  seq: number
  item: Item
}

/** Told between the events of a stream. */
export type Mark =
  /** All that had been missed has been sent. What comes from here on is live. */
  | { type: 'ready' }
  /** What was missed is no longer kept, and is not sent: load anew what the stream is about. */
  | { type: 'reset' }

export interface Source<Item> {
  /** Events of the stream after `afterSeq`, `limit` at most, in their order; some may be of types that it does not tell of. */
  read(range: { afterSeq: number; limit: number }): Promise<Event[]>
  /** What is sent of each event; undefined for nothing. */
  present(events: readonly Event[]): Promise<(Item | undefined)[]>
  /** Where it goes on. Begins now where that is null, and with a `reset` where it is nowhere that a stream has been. */
  afterSeq: number | null | undefined
}

/** Ends a stream whose client is to come back. By its name tRPC knows that there is nothing to report. */
export class StreamOver extends Error {
  override name = 'AbortError'
}

/**
 * First what came after `afterSeq`, from the outbox, then what comes, from the hub: nothing is missed in between, and nothing
 * comes twice. For whom too much waits, because his reader is slow, it goes back to the outbox.
 *
 * @throws {StreamOver} for a client that is to come back; `auth.unauthenticated` when the session has ended, `auth.suspended` when the account is shut out.
 */
export async function* follow<Item>(
  { db, hub }: { db: Db; hub: Hub },
  subscription: Subscription,
  { afterSeq, read, present }: Source<Item>,
): AsyncGenerator<Sent<Item | Mark>, void> {
  let seq = 0
  const mark = (type: Mark['type']): Sent<Mark> => ({ seq, item: { type } })

  /** @NOTE it listens before it asks where it is: what is numbered in between comes in any case. */
  async function startNow(): Promise<number> {
    hub.listen(subscription)
    return hub.position ?? (await readLastSeq(db))
  }

  /** A number that was not given out yet is from another database, or from this one before a backup was put back. */
  async function isKnown(seq: number): Promise<boolean> {
    return seq <= (hub.position ?? 0) || seq <= (await readLastSeq(db))
  }

  async function* send(events: readonly Event[]): AsyncGenerator<Sent<Item>, void> {
    const fresh = events.filter((event) => event.seq > seq) // the outbox may have had some of those that waited, too
    const items = fresh.length > 0 ? await present(fresh) : []
    for (const [index, event] of fresh.entries()) {
      const item = items[index]
      seq = event.seq
      if (item !== undefined) yield { seq, item }
    }
  }

  try {
    let isBehind = typeof afterSeq === 'number' && (await isKnown(afterSeq))
    let isReady = false
    seq = isBehind ? afterSeq! : await startNow()
    if (!isBehind && afterSeq !== null) yield mark('reset')
    for (;;) {
      assertOpen(subscription)
      if (isBehind || !subscription.waiting) {
        hub.listen(subscription)
        const heardSeq = hub.position ?? 0
        const events = await read({ afterSeq: seq, limit: pageMax })
        if ((await readPrunedSeq(db)) > seq) {
          seq = await startNow()
          isBehind = false
          yield mark('reset')
          continue
        }
        yield* send(events)
        isBehind = events.length === pageMax
        if (!isBehind) seq = Math.max(seq, heardSeq) // all up to there is either sent or none of its business
      } else if (!isReady) {
        isReady = true
        yield mark('ready')
      } else if (subscription.waiting.length === 0) {
        await hub.wait(subscription)
      } else {
        const events = subscription.waiting
        subscription.waiting = []
        yield* send(events)
      }
    }
  } finally {
    hub.leave(subscription)
  }
}

export function assertOpen({ end, suspendedUntil }: Subscription): void {
  if (end === 'suspended') throw viewerErrors.suspended({ details: { until: suspendedUntil } })
  if (end === 'revoked') throw viewerErrors.unauthenticated()
  if (end) throw new StreamOver(end)
}
