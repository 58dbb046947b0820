import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { toPage, type Page } from '../../core/page.ts'
import { isoTime } from '../../core/time.ts'
import { countDeadLetters, dropLetter, listDeadLetters, replayLetter, type DeadLetter } from '../../outbox/dead-letters.ts'
import { selectPosition } from '../../outbox/positions.ts'
import { readBacklog, readLastSeq } from '../../outbox/read.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import { adminErrors } from './admin.ts'
import { countParked } from './store.ts'

export interface ConsumerState {
  name: string
  types: string[]
  /** Events that it has not taken yet. Null where only a broker knows, and this process does not ask it. */
  lag: number | null
  /** Events that are tried again, up to 10,000. */
  retrying: number
  /** Events given up, up to 10,000. */
  dead: number
}

export interface EventsState {
  /** Events that wait for their number, up to 100,000, and how long the oldest has waited. */
  outbox: { depth: number; lagSeconds: number; lastSeq: number }
  consumers: ConsumerState[]
}

export interface ReplayRange {
  /** Of one consumer; of all where absent. */
  consumer?: string | undefined
  /** The id that the call before ended with. */
  cursor?: number | undefined
  /** What one transaction does. */
  limit: number
}

export interface Replayed {
  replayed: number
  /** Pass it back for the next ones; null when there were no more. */
  nextCursor: number | null
  /** How many are dead now, up to 10,000 for each consumer. */
  remaining: number
}

interface Deps {
  database: Database<Tables>
  clock: Clock
  recordAudit: RecordAudit
  authorise: Authorise
  consumers: readonly { name: string; types: readonly string[] }[]
  /** Of a broker, where there is one: undefined for a process that does not ask it. */
  brokerLag(): ((consumer: string) => Promise<number>) | 'elsewhere' | undefined
}

/** What an operator sees and does when a consumer fails. Nothing is replayed twice by one walk: what dies again keeps its id. */
export function createEventDesk({ database, clock, recordAudit, authorise, consumers, brokerLag }: Deps) {
  const { db } = database

  async function lagOf(consumer: string, lastSeq: number): Promise<number | null> {
    const broker = brokerLag()
    if (broker === 'elsewhere') return null
    if (broker) return broker(consumer)
    return Math.max(0, lastSeq - ((await selectPosition.first(db, { name: consumer }))?.seq ?? 0))
  }

  async function remaining(consumer: string | undefined): Promise<number> {
    const names = consumer === undefined ? consumers.map(({ name }) => name) : [consumer]
    return (await Promise.all(names.map((name) => countDeadLetters(db, name)))).reduce((sum, count) => sum + count, 0)
  }

  return {
    async state(): Promise<EventsState> {
      const [lastSeq, { depth, oldestCreatedAt }] = await Promise.all([readLastSeq(db), readBacklog(db)])
      const waitedMs = oldestCreatedAt === null ? 0 : Math.max(0, clock.nowMs() - Date.parse(oldestCreatedAt))
      const states = consumers.map(async ({ name, types }): Promise<ConsumerState> => {
        const [lag, retrying, dead] = await Promise.all([lagOf(name, lastSeq), countParked(db, name), countDeadLetters(db, name)])
        return { name, types: [...types], lag, retrying, dead }
      })
      return { outbox: { depth, lagSeconds: waitedMs / 1000, lastSeq }, consumers: await Promise.all(states) }
    },

    /** The oldest first, each with its error and its payload. */
    async dead({
      consumer,
      cursor = 0,
      limit,
    }: {
      consumer?: string | undefined
      cursor?: number | undefined
      limit: number
    }): Promise<Page<DeadLetter>> {
      return toPage(await listDeadLetters(db, { consumer, afterId: cursor, limit: limit + 1 }), limit)
    },

    /** Has one tried again, as often as at first. `admin.letter_not_found` where there is no such dead letter. */
    replay(actor: Actor, id: number): Promise<void> {
      return database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        if ((await replayLetter.run(tx, { id, nowIso: isoTime(clock.nowMs()) })) === 0) throw adminErrors.letter_not_found()
        await recordAudit(tx, { actor, action: 'event.replay', target: { type: 'dead_letter', id } })
      })
    },

    /** Forgets one for good: its effect never happens. */
    drop(actor: Actor, id: number): Promise<void> {
      return database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        const [letter] = await listDeadLetters(tx, { afterId: id - 1, limit: 1 })
        if (letter?.id !== id || (await dropLetter.run(tx, { id })) === 0) throw adminErrors.letter_not_found()
        const { consumer, event } = letter
        await recordAudit(tx, {
          actor,
          action: 'event.drop',
          target: { type: 'dead_letter', id },
          detail: { consumer, event_id: event.id, type: event.type },
        })
      })
    },

    /**
     * Has the next ones tried again, the oldest first, in one transaction. Whoever calls it goes on with the cursor and sees how far it is:
     * it may stop after each call, and another one may go on.
     */
    async replayNext(actor: Actor, { consumer, cursor = 0, limit }: ReplayRange): Promise<Replayed> {
      const { replayed, last } = await database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        const letters = await listDeadLetters(tx, { consumer, afterId: cursor, limit })
        const nowIso = isoTime(clock.nowMs())
        let replayed = 0
        for (const { id } of letters) replayed += await replayLetter.run(tx, { id, nowIso })
        const last = letters.at(-1)?.id
        if (replayed > 0)
          await recordAudit(tx, {
            actor,
            action: 'event.replay_many',
            target: { type: 'consumer', id: consumer ?? 'all' },
            detail: { replayed, from: letters[0]!.id, to: last! },
          })
        return { replayed, last: letters.length === limit ? last : undefined }
      })
      return { replayed, nextCursor: last ?? null, remaining: await remaining(consumer) }
    },
  }
}
