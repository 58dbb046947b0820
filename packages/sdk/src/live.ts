import type { Keeper } from './auth.ts'
import { tokenRefusals, unlessEnded } from './call.ts'
import { isPinstackError, PinstackError } from './errors.ts'
import { connect } from './live-connection.ts'
import type { Mark, NotificationChange, PostChange, RelationChange, Subscriptions } from './procedures.ts'
import type { Session } from './session.ts'
import { sleep } from './sleep.ts'
import type { Fetch } from './transport.ts'

/** For one stream. */
export interface LiveOptions {
  /** Goes on after it: `lastEventId` of an earlier stream. A stream without begins now. */
  lastEventId?: string
  /** Ends the stream, without an error. */
  signal?: AbortSignal
  /** Hears how the connection is doing, for a light on the screen. */
  onStatus?(status: LiveStatus): void
}

/** How the connection of a stream is doing. */
export type LiveStatus =
  | { state: 'connecting' }
  /** All that was missed has come; what comes now has just happened. */
  | { state: 'live' }
  /** The connection was lost, or refused for now. `error` is null when the server ended it as it does now and then. */
  | { state: 'waiting'; retryInMs: number; error: PinstackError | null }
  /** For good. `error` is null when you ended it. */
  | { state: 'closed'; error: PinstackError | null }

/**
 * What happens, as it happens. The connection opens when you iterate or listen, comes back by itself when it is lost, and goes on
 * where it was: nothing is missed, and nothing comes twice. Rejects when nobody is signed in any more.
 */
export interface LiveStream<Item> extends AsyncIterable<Item> {
  /** Of what came last. Keep it to go on another time; null before anything came. */
  readonly lastEventId: string | null
  /** Calls `onItem` with each item. Returns what ends it. */
  listen(onItem: (item: Item) => void, onError?: (error: unknown) => void): () => void
}

/** What was missed is no longer kept: load anew what the stream is about. What comes next has just happened. */
export interface Reset {
  /** Always `reset`. */
  type: 'reset'
}

/** Streams of what happens to whoever is signed in. */
export interface Live {
  /**
   * What is put into one's own feed, read there or taken out of it.
   *
   * @example
   * ```ts
   * for await (const change of pinstack.live.notifications()) {
   *   if (change.type === 'created') show(change.notification)
   *   if (change.type === 'reset') await reloadFeed()
   * }
   *
   * const stop = pinstack.live.notifications({ onStatus: ({ state }) => showLight(state) }).listen((change) => update(change))
   * ```
   */
  notifications(options?: LiveOptions): LiveStream<NotificationChange | Reset>
  /** How many notifications are unread: now, and whenever that changes. */
  unreadCount(options?: Omit<LiveOptions, 'lastEventId'>): LiveStream<number>
  /** Who begins and who ceases to follow one. */
  relations(options?: LiveOptions): LiveStream<RelationChange | Reset>
  /** New posts of those whom one follows. */
  posts(options?: LiveOptions): LiveStream<PostChange | Reset>
}

export interface LiveDeps {
  baseUrl: string
  keeper: Keeper
  fetch: Fetch
  timeoutMs: number
}

type Path = keyof Subscriptions
/** As the server sends it: the item, and the id under which it came where it has one. */
type Received = { item: unknown; id: string | undefined }

export function createLive(deps: LiveDeps): Live {
  const tracked =
    <Item>(path: Path) =>
    (options: LiveOptions = {}) =>
      createStream<Item>(deps, path, { options, toItem: (item) => item as Item })
  return {
    notifications: tracked<NotificationChange | Reset>('live.notifications'),
    unreadCount: (options = {}) =>
      createStream(deps, 'live.unreadCount', { options, toItem: (item) => (item as Subscriptions['live.unreadCount']).count }),
    relations: tracked<RelationChange | Reset>('live.relations'),
    posts: tracked<PostChange | Reset>('live.posts'),
  }
}

interface Definition<Item> {
  options: LiveOptions
  toItem(received: unknown): Item
}

function createStream<Item>(deps: LiveDeps, path: Path, { options, toItem }: Definition<Item>): LiveStream<Item> {
  let lastEventId = options.lastEventId ?? null
  const stream = {
    get lastEventId() {
      return lastEventId
    },
    [Symbol.asyncIterator](): AsyncIterator<Item, undefined> {
      const ended = new AbortController()
      const { signal } = options
      const end = () => ended.abort()
      if (signal?.aborted) end()
      signal?.addEventListener('abort', end, { once: true })
      const tell = (status: LiveStatus) => options.onStatus?.(status)
      const items = (async function* (): AsyncGenerator<Item, undefined> {
        try {
          for await (const { item, id } of receive(deps, path, { signal: ended.signal, tell, lastEventId: () => lastEventId })) {
            if (id !== undefined) lastEventId = id
            if (isReady(item)) tell({ state: 'live' })
            else yield toItem(item)
          }
          tell({ state: 'closed', error: null })
        } catch (error) {
          tell({ state: 'closed', error: error as PinstackError })
          throw error
        } finally {
          end()
          signal?.removeEventListener('abort', end)
        }
      })()
      return {
        next: () => items.next(),
        return() {
          end() // @NOTE first: a generator that waits for what comes next would wait on
          return items.return(undefined)
        },
      }
    },
    listen(onItem: (item: Item) => void, onError?: (error: unknown) => void): () => void {
      const items = stream[Symbol.asyncIterator]()
      void (async () => {
        for (let next = await items.next(); !next.done; next = await items.next()) onItem(next.value)
      })().catch((error: unknown) => {
        void items.return?.()
        if (!onError) throw error // as it would be without a listener: unhandled
        onError(error)
      })
      return () => void items.return?.()
    },
  }
  return stream
}

function isReady(item: unknown): item is Mark {
  return (item as Partial<Mark>).type === 'ready'
}

const waitMsMin = 1_000
const waitMsMax = 30_000

interface Receiving {
  signal: AbortSignal
  tell(status: LiveStatus): void
  lastEventId(): string | null
}

/** One connection after the other, until there is no point in another. */
async function* receive(deps: LiveDeps, path: Path, { signal, tell, lastEventId }: Receiving): AsyncGenerator<Received, void> {
  const { keeper } = deps
  let failures = 0
  let userId: number | undefined
  let refused: Session | undefined
  while (!signal.aborted) {
    tell({ state: 'connecting' })
    let session: Session | null = null
    let error: PinstackError | null = null
    let retryMs = waitMsMin + Math.random() * waitMsMin
    try {
      session = await unlessEnded(keeper.fresh(), { signal, timeoutMs: deps.timeoutMs })
      userId ??= session?.userId
      if (session?.userId !== userId) throw signedOut() // it would go on with what happens to somebody else
      const opening = {
        path,
        accessToken: session?.accessToken,
        lastEventId: lastEventId(),
        signal,
        onRetry: (ms: number) => void (retryMs = ms),
      }
      for await (const { event, data, id } of connect(deps, opening)) {
        if (event === 'connected') {
          failures = 0
          refused = undefined
        } else yield { item: JSON.parse(data), id: id || undefined }
      }
    } catch (cause) {
      if (signal.aborted) return
      if (!(cause instanceof PinstackError)) throw cause
      error = cause
      if (session && refused !== session && isPinstackError(cause, ...tokenRefusals)) {
        refused = (await unlessEnded(keeper.renew(session), { signal, timeoutMs: deps.timeoutMs })) ?? undefined
        if (!refused) throw keeper.readOnly ? cause : signedOut(cause)
        continue
      }
      if (!isTemporary(cause)) throw cause
      retryMs = Math.max(cause.retryAfterMs ?? 0, backoffMs(failures++))
    }
    if (signal.aborted) return
    tell({ state: 'waiting', retryInMs: Math.round(retryMs), error })
    await sleep(retryMs, signal)
  }
}

function signedOut(cause?: unknown): PinstackError {
  return new PinstackError('auth.unauthenticated', 'signed out', { status: 401, cause })
}

/** Doubles from 1 s to 30 s, and is spread, so that clients that were cut off together do not come back together. */
function backoffMs(failures: number): number {
  return Math.min(waitMsMax, waitMsMin * 2 ** failures) * (0.5 + Math.random() / 2)
}

/** Trying again may help: nothing answered, or the server has no room or time for now. */
function isTemporary({ status }: PinstackError): boolean {
  return status < 400 || status >= 500 || [408, 425, 429].includes(status)
}
