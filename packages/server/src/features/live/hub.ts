import { viewerErrors, type Viewer } from '../../core/viewer.ts'
import type { EventType } from '../../events.ts'
import type { Event } from '../../outbox/read.ts'
import { liveErrors, retryClosingMs, retryFullMs, streamAgeMsMax, waitingMax, type StreamEnd, type Topic } from './live.ts'

/** Longer than a look at a session is remembered: see `viewerTtlMs` of the auth feature. */
const revokedMsMax = 60_000
const sweepEveryMs = 15_000

export interface HubDeps {
  limits: { streamsPerUserMax: number; streamsMax: number; ageMsMax?: number }
  record?: { liveStreams(read: () => Record<Topic, number>): void; liveStreamEnded(reason: StreamEnd | 'left'): void }
}

/** One stream, as the hub knows it. A plain object: there are thousands of them, and nearly all are idle. */
export interface Subscription {
  readonly userId: number
  readonly sessionId: string
  readonly topic: Topic
  readonly expiresMs: number
  /** Events that came since `listen` and were not taken yet. Undefined while it does not listen: those are in the outbox. */
  waiting: Event[] | undefined
  /** Whose posts it is told of; null for all, where they are too many to remember. */
  followees: Set<number> | null
  /** What became of followees while they were loaded. */
  changes: Map<number, boolean> | undefined
  end: StreamEnd | 'left' | undefined
  /** Of one that ended as `suspended`; null where there is no end to it. */
  suspendedUntil: string | null
  wake: (() => void) | undefined
}

export type Hub = ReturnType<typeof createHub>

/**
 * Rings the streams of this process. It hears each event once, from the process's tail, and finds those whom it concerns by their
 * user: a stream that waits costs no query and no time.
 */
export function createHub({ limits, record }: HubDeps) {
  const { streamsPerUserMax, streamsMax, ageMsMax = streamAgeMsMax } = limits
  const byUser = new Map<number, Set<Subscription>>()
  const ofPosts = new Set<Subscription>()
  const open: Record<Topic, number> = { notifications: 0, unreadCount: 0, relations: 0, posts: 0 }
  /** Sessions and users that ended or were shut out lately: a stream of theirs may still be about to open, by a look at the session from before. */
  const refused = new Map<string | number, { sinceMs: number; refuse(): void }>()
  let position: number | undefined
  let count = 0
  let isClosing = false
  let sweep: NodeJS.Timeout | undefined
  record?.liveStreams(() => open)

  function subscribe(viewer: Viewer, topic: Topic): Subscription {
    if (isClosing) throw liveErrors.closing({ retryAfterMs: retryClosingMs })
    refused.get(viewer.sessionId)?.refuse()
    refused.get(viewer.id)?.refuse()
    if (count >= streamsMax) throw liveErrors.full({ retryAfterMs: retryFullMs })
    const own = byUser.get(viewer.id)
    if (own && own.size >= streamsPerUserMax) throw liveErrors.too_many_streams({ retryAfterMs: retryFullMs })
    const subscription: Subscription = {
      userId: viewer.id,
      sessionId: viewer.sessionId,
      topic,
      expiresMs: performance.now() + ageMsMax * (0.9 + Math.random() / 10), // those that opened together do not end together
      waiting: undefined,
      followees: null,
      changes: undefined,
      end: undefined,
      suspendedUntil: null,
      wake: undefined,
    }
    if (own) own.add(subscription)
    else byUser.set(viewer.id, new Set([subscription]))
    if (topic === 'posts') ofPosts.add(subscription)
    open[topic]++
    count++
    sweep ??= setInterval(endAged, Math.min(sweepEveryMs, ageMsMax)).unref()
    return subscription
  }

  function leave(subscription: Subscription): void {
    const own = byUser.get(subscription.userId)
    if (!own?.delete(subscription)) return
    if (own.size === 0) byUser.delete(subscription.userId)
    ofPosts.delete(subscription)
    open[subscription.topic]--
    if (--count === 0) sweep = void clearInterval(sweep)
    end(subscription, 'left')
  }

  function end(subscription: Subscription, reason: StreamEnd | 'left'): void {
    if (subscription.end) return
    subscription.end = reason
    subscription.waiting = undefined
    record?.liveStreamEnded(reason)
    subscription.wake?.()
  }

  function endAll(userId: number, reason: StreamEnd, sessionId?: string): void {
    for (const subscription of byUser.get(userId) ?? []) {
      if (sessionId === undefined || subscription.sessionId === sessionId) end(subscription, reason)
    }
  }

  function endAged(): void {
    const nowMs = performance.now()
    for (const own of byUser.values()) for (const subscription of own) if (subscription.expiresMs <= nowMs) end(subscription, 'aged')
  }

  function remember(id: string | number, refuse: () => void): void {
    const nowMs = performance.now()
    for (const [known, { sinceMs }] of refused) {
      if (nowMs - sinceMs < revokedMsMax) break // a Map keeps the order of its inserts
      refused.delete(known)
    }
    refused.delete(id) // else it would keep its old place
    refused.set(id, { sinceMs: nowMs, refuse })
  }

  function offer(subscription: Subscription, event: Event): void {
    const { waiting } = subscription
    if (!waiting) return
    if (waiting.length < waitingMax) waiting.push(event)
    else subscription.waiting = undefined // what it does not take must not pile up: the outbox has it
    subscription.wake?.()
  }

  function follow(followerId: number, followeeId: number, isFollowed: boolean): void {
    for (const { topic, followees, changes } of byUser.get(followerId) ?? []) {
      if (topic !== 'posts') continue
      changes?.set(followeeId, isFollowed)
      if (isFollowed) followees?.add(followeeId)
      else followees?.delete(followeeId)
    }
  }

  /** For the process's tail, in the order of the numbers. */
  function hear(event: Event): void {
    if (position !== undefined && event.seq <= position) return
    position = event.seq
    if (event.type === 'session_revoked') {
      remember(event.payload.session_id, refuseEnded)
      endAll(event.key, 'revoked', event.payload.session_id)
    } else if (event.type === 'user_deleted') {
      remember(event.key, refuseEnded)
      endAll(event.key, 'revoked')
    } else if (event.type === 'user_suspended') {
      const { until } = event.payload
      remember(event.key, () => {
        if (until === null || Date.parse(until) > Date.now()) throw viewerErrors.suspended({ details: { until } })
      })
      for (const subscription of byUser.get(event.key) ?? []) subscription.suspendedUntil = until
      endAll(event.key, 'suspended')
    } else if (event.type === 'user_restored') {
      refused.delete(event.key)
    } else if (event.type === 'post_created') {
      for (const subscription of ofPosts) {
        if (!subscription.followees || subscription.followees.has(event.key)) offer(subscription, event)
      }
    } else {
      if (event.type === 'follow_created') follow(event.payload.follower_id, event.key, true)
      if (event.type === 'follow_deleted') follow(event.payload.follower_id, event.key, false)
      for (const subscription of byUser.get(event.key) ?? []) {
        if (eventsOf[subscription.topic].has(event.type)) offer(subscription, event)
      }
    }
  }

  return {
    subscribe,
    leave,
    hear,
    /** The number of the last event that was heard; undefined before the first. */
    get position(): number | undefined {
      return position
    },
    /** From now on events are kept for the subscription. What was kept before is dropped. */
    listen(subscription: Subscription): void {
      if (!subscription.end) subscription.waiting = []
    },
    /** Resolves when there is something to do: an event, too many of them, or the end. */
    wait(subscription: Subscription): Promise<void> {
      return new Promise((resolve) => {
        subscription.wake = () => {
          subscription.wake = undefined
          resolve()
        }
      })
    },
    /** Ends all streams, and opens no more. */
    close(): void {
      isClosing = true
      for (const own of byUser.values()) for (const subscription of own) end(subscription, 'closing')
    },
  }
}

function refuseEnded(): never {
  throw viewerErrors.unauthenticated()
}

const notificationEvents: ReadonlySet<EventType> = new Set(['notification_created', 'notification_read', 'notification_removed'])

/** What each topic hears of its own user. */
export const eventsOf: Readonly<Record<Topic, ReadonlySet<EventType>>> = {
  notifications: notificationEvents,
  unreadCount: notificationEvents,
  relations: new Set(['follow_created', 'follow_deleted']),
  posts: new Set(),
}
