import type { Redis, RedisOptions } from 'ioredis'

export interface RedisConnection {
  /** For commands. One that cannot be sent now fails now: nothing waits for a Redis that is away. */
  client: Redis
  /** For subscriptions: a connection that has one takes few other commands. */
  subscriber: Redis
  /** Ends both connections and all attempts to have them. */
  close(): void
}

export interface OpenRedisOptions {
  url: string
  /** Hears that Redis is lost, and why, or back: once each. */
  onChange?(state: 'lost' | 'back', error?: unknown): void
}

const connectTimeoutMs = 5_000
const retryMsMin = 50
const retryMsMax = 1_000
/** A connection that has commands under way and hears nothing for so long is given up for another. */
const silenceMsMax = 10_000
/** How long a start waits for Redis. Without it the first requests go on as if it were away. */
const firstMsMax = 1_000

/** Opens the connections that all Redis adapters share, and keeps them open. Never fails: a Redis that is away is tried again for good. */
export async function openRedis({ url, onChange }: OpenRedisOptions): Promise<RedisConnection> {
  const { Redis } = await import('ioredis')
  const options = {
    lazyConnect: true,
    connectTimeout: connectTimeoutMs,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false, // @NOTE a point that is taken twice, or a put that comes late, is worse than one that failed
    maxRetriesPerRequest: 0,
    socketTimeout: silenceMsMax,
    keepAlive: silenceMsMax,
    disableClientInfo: true,
    connectionName: 'pinstack',
    // Apart, so that a Redis that is back is not met by all processes at once.
    retryStrategy: (times: number) => Math.round(Math.min(retryMsMax, retryMsMin * 2 ** Math.min(times, 10)) * (0.5 + Math.random() / 2)),
  } satisfies RedisOptions
  const client = new Redis(url, options)
  const subscriber = new Redis(url, { ...options, autoResubscribe: false })
  watch(client, onChange)
  subscriber.on('error', () => {}) // the other one tells of the same outage
  const connected = Promise.all([client, subscriber].map((one) => one.connect().catch(() => {})))
  await Promise.race([connected, new Promise((resolve) => setTimeout(resolve, firstMsMax).unref())])
  return {
    client,
    subscriber,
    close() {
      client.disconnect()
      subscriber.disconnect()
    },
  }
}

function watch(client: Redis, onChange: OpenRedisOptions['onChange']): void {
  let isLost = false
  const lose = (error?: unknown) => {
    if (isLost) return
    isLost = true
    onChange?.('lost', error)
  }
  client.on('error', lose)
  client.on('reconnecting', () => lose())
  client.on('ready', () => {
    if (isLost) onChange?.('back')
    isLost = false
  })
}
