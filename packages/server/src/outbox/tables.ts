import type { Generated } from 'kysely'
import type { EventType } from '../events.ts'

export interface OutboxTables {
  outbox: {
    /** Order of the inserts, and the event's id. The database counts, because the clocks of two processes disagree. */
    id: Generated<number>
    /** Order in which the world sees the event. Null until the relay gives it out, after the commit. */
    seq: number | null
    type: EventType
    /** The user whom the event concerns; events of one user keep their order on every bus. */
    key: number
    payload: string
    createdAt: string
    /** The trace of the request that caused it (W3C Trace Context); null where none did. */
    traceparent: string | null
  }
  /** How far a group has come. Events that some group has not passed are never pruned. */
  outboxPosition: { name: string; seq: number }
  /** Which process does what only one may do. It counts `beat` up as long as it lives; `holder` is null after an orderly end. */
  lease: { name: string; holder: string | null; beat: number }
  /** What a consumer has done, written in the transaction of the effect: it makes "at least once" exactly once. */
  processedEvent: { consumer: string; eventId: string; processedAt: string }
  /**
   * Events that a consumer could not take. As long as `nextAttemptAt` is set they are tried again, and later events of the
   * same key wait behind them; without it they are dead, and wait for `replay` or `drop`.
   */
  deadLetter: {
    id: Generated<number>
    consumer: string
    eventId: string
    type: string
    key: number
    payload: string
    createdAt: string
    traceparent: string | null
    attempts: number
    error: string
    nextAttemptAt: string | null
  }
}
