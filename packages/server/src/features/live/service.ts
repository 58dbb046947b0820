import type { Viewer } from '../../core/viewer.ts'
import { readEvents, readLastSeq, type Event } from '../../outbox/read.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { Notification } from '../notifications/notifications.ts'
import type { Author, Post } from '../posts/posts.ts'
import { inBatches } from './batches.ts'
import { createHub, type HubDeps, type Subscription } from './hub.ts'
import { followeesMax, toSeq, type Topic } from './live.ts'
import { selectFolloweeIds, selectFollowed, selectPostEvents, selectUnreadCounts, selectUsers } from './store.ts'
import { follow, type Mark, type Sent, type Source } from './stream.ts'

export type NotificationItem =
  | { type: 'created'; notification: Notification }
  | { type: 'read'; notificationId: number }
  /** By its recipient, or withdrawn with what it told of. */
  | { type: 'removed'; notificationId: number }

export interface RelationItem {
  /** Whether the other one follows the viewer from now on, or no longer. */
  type: 'followed' | 'unfollowed'
  userId: number
  /** Null once the account is gone. */
  user: Author | null
  at: string
}

export interface PostItem {
  type: 'created'
  post: Post
}

export interface UnreadItem {
  count: number
}

/** How a stream is opened, and how long it goes on. */
export interface Opening {
  /** The id of the last thing that came, to go on after it; a stream without begins now. */
  lastEventId?: string | undefined
  /** Ends the stream. */
  signal?: AbortSignal | undefined
}

/** Things to send as they happen, each with the number to go on from. Rejects for a client that is to come back, see stream.ts. */
export type Stream<Item> = AsyncGenerator<Sent<Item>, void>

export interface LiveDeps extends HubDeps {
  database: Database<Tables>
  findNotifications(ids: readonly number[]): Promise<Notification[]>
  findPosts(ids: readonly number[]): Promise<Post[]>
}

export type Live = ReturnType<typeof createLive>

/** Streams of what happens to a user. Opening one rejects with `live.*` and `auth.unauthenticated`. */
export function createLive(deps: LiveDeps) {
  const { database, findNotifications, findPosts } = deps
  const { db } = database
  const hub = createHub(deps)
  const notification = inBatches(async (ids) => byId(await findNotifications(ids)))
  const post = inBatches(async (ids) => byId(await findPosts(ids)))
  const user = inBatches(async (ids) => byId<Author>(await selectUsers.all(db, ids, {})))
  const unread = inBatches(async (ids) => byId(await selectUnreadCounts.all(db, ids, {})))

  /** What comes first is done at once, so that a stream that may not be opened is refused before anything of it is sent. */
  function subscribe(viewer: Viewer, topic: Topic, { signal }: Opening): Subscription {
    const subscription = hub.subscribe(viewer, topic)
    const leave = () => hub.leave(subscription)
    if (signal?.aborted) leave()
    signal?.addEventListener('abort', leave, { once: true })
    return subscription
  }

  /** A stream of what happens to the viewer: events with the viewer's key. */
  function own<Item>(
    viewer: Viewer,
    topic: Topic,
    { opening, ...source }: { opening: Opening; present: Source<Item>['present'] },
  ): Stream<Item | Mark> {
    const read: Source<Item>['read'] = (range) => readEvents(db, { ...range, key: viewer.id })
    return follow({ db, hub }, subscribe(viewer, topic, opening), { ...source, read, afterSeq: afterSeqOf(opening) })
  }

  const presentNotification = async ({ type, payload }: Event): Promise<NotificationItem | undefined> => {
    if (type === 'notification_read') return { type: 'read', notificationId: payload.notification_id }
    if (type === 'notification_removed') return { type: 'removed', notificationId: payload.notification_id }
    if (type !== 'notification_created') return
    const found = await notification(payload.notification_id)
    return found && { type: 'created', notification: found } // else it is gone by now, as a later event says
  }

  const presentRelation = async ({ type, payload }: Event): Promise<RelationItem | undefined> => {
    if (type !== 'follow_created' && type !== 'follow_deleted') return
    const userId = payload.follower_id
    const found = (await user(userId)) ?? null
    return { type: type === 'follow_created' ? 'followed' : 'unfollowed', userId, user: found, at: payload.timestamptz }
  }

  return {
    /** What is put into the viewer's feed, read there or taken out of it. */
    notifications(viewer: Viewer, opening: Opening = {}): Stream<NotificationItem | Mark> {
      return own(viewer, 'notifications', { opening, present: each(presentNotification) })
    },

    /** The number of unread notifications: at once, and again each time that it may have changed. */
    unreadCount(viewer: Viewer, opening: Opening = {}): Stream<UnreadItem> {
      const present = async (events: readonly Event[]) => {
        const last = (await unread(viewer.id))?.unreadCount ?? 0
        return events.map((_, index) => (index === events.length - 1 ? { count: last } : undefined)) // one for all that came meanwhile
      }
      // Where it stands says all that was missed.
      return counted(own<UnreadItem>(viewer, 'unreadCount', { opening: { ...opening, lastEventId: undefined }, present }), viewer.id)
    },

    /** Who begins and who ceases to follow the viewer. */
    relations(viewer: Viewer, opening: Opening = {}): Stream<RelationItem | Mark> {
      return own(viewer, 'relations', { opening, present: each(presentRelation) })
    },

    /**
     * New posts of those whom the viewer follows, as they stand when they are sent; those that are gone by then are left out. What
     * was missed is told of those whom the viewer follows when it is asked for.
     */
    posts(viewer: Viewer, opening: Opening = {}): Stream<PostItem | Mark> {
      return followedPosts(viewer.id, subscribe(viewer, 'posts', opening), afterSeqOf(opening))
    },

    hear: hub.hear,
    /** Ends all streams, so that their clients come back to a server that goes on, and refuses new ones. */
    close: hub.close,
  }

  async function* counted(stream: Stream<UnreadItem | Mark>, userId: number): Stream<UnreadItem> {
    let told: number | undefined
    for await (const { seq, item } of stream) {
      const count = 'count' in item ? item.count : ((await unread(userId))?.unreadCount ?? 0)
      if (count !== told) yield { seq, item: { count } }
      told = count
    }
  }

  async function* followedPosts(
    viewerId: number,
    subscription: Subscription,
    afterSeq: number | null | undefined,
  ): Stream<PostItem | Mark> {
    try {
      // @NOTE the number first: what is posted while followees are loaded is read from the outbox afterwards.
      const start = afterSeq === null ? (hub.position ?? (await readLastSeq(db))) : afterSeq
      await loadFollowees(subscription)
      const present = async (events: readonly Event[]) => {
        const followed = subscription.followees ?? new Set(await followedOf(viewerId, events))
        return Promise.all(
          events.map(async ({ type, key, payload }): Promise<PostItem | undefined> => {
            if (type !== 'post_created' || !followed.has(key)) return
            const found = await post(payload.post_id)
            return found && { type: 'created', post: found }
          }),
        )
      }
      yield* follow({ db, hub }, subscription, { afterSeq: start, read: (range) => readPosts(viewerId, range), present })
    } finally {
      hub.leave(subscription)
    }
  }

  async function loadFollowees(subscription: Subscription): Promise<void> {
    const changes = new Map<number, boolean>()
    subscription.changes = changes
    const loaded = await selectFolloweeIds.all(db, { viewerId: subscription.userId, limit: followeesMax + 1 })
    subscription.changes = undefined
    if (loaded.length > followeesMax) return
    const followees = new Set(loaded.map(({ followeeId }) => followeeId))
    for (const [id, isFollowed] of changes) {
      if (isFollowed) followees.add(id)
      else followees.delete(id)
    }
    subscription.followees = followees
  }

  async function followedOf(viewerId: number, events: readonly Event[]): Promise<number[]> {
    const authors = [...new Set(events.map(({ key }) => key))]
    return (await selectFollowed.all(db, authors, { viewerId })).map(({ followeeId }) => followeeId)
  }

  async function readPosts(viewerId: number, { afterSeq, limit }: { afterSeq: number; limit: number }): Promise<Event[]> {
    const rows = await selectPostEvents.all(db, { viewerId, afterSeq, limit })
    return rows.map(({ seq, key, payload }) => ({ seq: seq!, key, type: 'post_created', payload: JSON.parse(payload) }) as Event)
  }
}

/** All look-ups of a batch are begun before the first is waited for, so that they become one. */
function each<Item>(present: (event: Event) => Promise<Item | undefined>) {
  return (events: readonly Event[]) => Promise.all(events.map(present))
}

function byId<Row extends { id: number }>(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row.id, row]))
}

/** Null to begin now, undefined for what is nowhere. */
function afterSeqOf({ lastEventId }: Opening): number | null | undefined {
  return lastEventId === undefined || lastEventId === '' ? null : toSeq(lastEventId)
}
