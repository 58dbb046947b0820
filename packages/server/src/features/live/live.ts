import { defineErrors } from '../../core/errors.ts'

/** What a stream tells of. */
export const topics = ['notifications', 'unreadCount', 'relations', 'posts'] as const
export type Topic = (typeof topics)[number]

export const liveErrors = defineErrors('live', {
  too_many_streams: ['rate_limited', 'rate limit exceeded'],
  full: ['unavailable', 'service unavailable'],
  closing: ['unavailable', 'service unavailable'],
})

/** When a stream that was refused may be tried again. */
export const retryFullMs = 10_000
export const retryClosingMs = 1_000

/**
 * A stream that lives for longer is ended, and its client comes back with a token that is good: so what became of the session
 * is asked once in a while, and replicas that were added get their share of the streams.
 */
export const streamAgeMsMax = 3_600_000

/** Events that wait for one stream. With more, its reader takes them from the outbox when it is ready for them. */
export const waitingMax = 500
/** Events that one look into the outbox brings. */
export const pageMax = 100
/** Whoever follows more users than this is asked about each author, instead of being remembered with all of them. */
export const followeesMax = 10_000

/** Why a stream ended that its client did not end. */
export type StreamEnd =
  /** The session was revoked, or the account deleted. */
  | 'revoked'
  /** The account was shut out. */
  | 'suspended'
  /** The server stops. */
  | 'closing'
  /** See `streamAgeMsMax`. */
  | 'aged'

/** Where a stream goes on, as its client says it: the id of the last thing that it got. Undefined for what no stream gave out. */
export function toSeq(lastEventId: string): number | undefined {
  return /^\d{1,15}$/.test(lastEventId) ? Number(lastEventId) : undefined
}
