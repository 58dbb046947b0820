import { hashKey, type QueryClient, type QueryKey } from '@tanstack/react-query'
import type { Pinstack } from '../client.ts'
import type { Reset } from '../live.ts'
import type { Notification, NotificationChange, PostChange, RelationChange } from '../procedures.ts'
import { pinstackKeys, type PinstackKeys } from './keys.ts'
import { asRead } from './notifications.ts'
import { prependPost } from './posts.ts'
import { editLists } from './queries.ts'
import { shareStream, type SharedStream } from './shared-stream.ts'

/** What each stream brings. */
export interface Changes {
  notifications: NotificationChange
  posts: PostChange
  relations: RelationChange
}

export type Topic = keyof Changes

/** What is known on this page, and who looks at it. */
interface Page {
  cache: QueryClient
  keys: PinstackKeys
  refresh(queryKey: QueryKey): void
}

/** What a stream is about, and what each of its changes does to what is known. */
const topics: { [One in Topic]: { about(keys: PinstackKeys): QueryKey; take(change: Changes[One], page: Page): void } } = {
  notifications: { about: (keys) => keys.notifications, take: takeNotification },
  posts: { about: (keys) => keys.postLists, take: ({ post }, { cache, keys }) => prependPost(cache, keys, post) },
  relations: { about: (keys) => keys.relations, take: (_, { keys, refresh }) => refresh(keys.relations) },
}

function takeNotification(change: NotificationChange, { cache, keys, refresh }: Page): void {
  editLists<Notification>(cache, keys.feeds, (items, page) => {
    if (change.type === 'removed') return items.filter(({ id }) => id !== change.notificationId)
    if (change.type === 'read') return items.map((item) => (item.id === change.notificationId ? asRead(item) : item))
    const isNew = page === 0 && !items.some(({ id }) => id === change.notification.id)
    return isNew ? [change.notification, ...items] : items
  })
  refresh(keys.unreadCount) // @NOTE asked and not counted: an answer that is on its way may have counted this one already
}

/** The stream of a topic for a user, always the same one. */
export type LiveHub = <One extends Topic>(topic: One, userId: number) => SharedStream<Changes[One] | Reset>

export function createLiveHub(pinstack: Pinstack, cache: QueryClient): LiveHub {
  const streams = new Map<string, SharedStream<any>>()
  const refresh = createRefresh(cache)

  function share<One extends Topic>(topic: One, userId: number): SharedStream<Changes[One] | Reset> {
    const keys = pinstackKeys(userId)
    const { about, take } = topics[topic]
    const refreshAll = () => refresh(about(keys))
    return shareStream<any>({
      open: (onStatus) => pinstack.live[topic]({ onStatus }),
      onItem: (item: Changes[One] | Reset) => (item.type === 'reset' ? refreshAll() : take(item as Changes[One], { cache, keys, refresh })),
      onBegin: refreshAll, // for what came after the page was loaded and before the stream was there
    })
  }

  return (topic, userId) => {
    const name = `${topic} ${userId}`
    const stream = streams.get(name) ?? share(topic, userId)
    streams.set(name, stream)
    return stream
  }
}

/** Asks the server again: once at a time, and once more for all that changed meanwhile. A burst of events is no burst of calls. */
function createRefresh(cache: QueryClient): (queryKey: QueryKey) => void {
  const underWay = new Map<string, { again: boolean }>()
  async function run(queryKey: QueryKey, state: { again: boolean }): Promise<void> {
    do {
      state.again = false
      await cache.invalidateQueries({ queryKey }) // does not reject: what fails is for the hooks to show
    } while (state.again)
    underWay.delete(hashKey(queryKey))
  }
  return (queryKey) => {
    const running = underWay.get(hashKey(queryKey))
    if (running) running.again = true
    else {
      const state = { again: false }
      underWay.set(hashKey(queryKey), state)
      void run(queryKey, state)
    }
  }
}
