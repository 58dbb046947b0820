import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import kafkajs, { type Admin, type Consumer, type EachBatchPayload, type ISocketFactory, type Producer, type SASLOptions } from 'kafkajs'
import { within } from '../../core/within.ts'
import type { BusEvent, EventBus } from '../../ports/event-bus.ts'
import { fromMessage, toMessage, type EventMessage } from './kafka-messages.ts'
import { explained, KafkaRefusal, witness } from './kafka-refusals.ts'
import { beating, isFulfilled, tracked } from './waiting.ts'

export interface KafkaTopic {
  name: string
  /** How the header `created_at` is written. */
  times: 'iso' | 'go'
}

export interface KafkaBusOptions {
  brokers: string[]
  clientId: string
  tls?: ConnectionOptions
  sasl?: SASLOptions
  topicOf(type: string): KafkaTopic
  /** Every topic that there is to be. */
  topics: readonly string[]
  /** A member of a group that says nothing for so long has its partitions taken away; 10 s unless told otherwise. */
  sessionMs?: number
  /** A consumer whose client has not even tried anything for so long has lost its way, and is replaced; 60 s unless told otherwise. */
  silentMs?: number
  /** Makes those that are missing, with messages kept for so long. Undefined: they are somebody else's to make. */
  createTopics?: { retentionMs: number } | undefined
  /** Hears of what failed and is tried again, once a series. */
  warn(message: string, fields: Record<string, unknown>): void
}

export interface KafkaBus extends EventBus {
  /**
   * Resolves when all are in the log of every replica that is in sync, those of one key in their order. When it rejects any part of
   * them may be: hand over the very same events again, before any others. One call at a time.
   */
  publish(events: readonly BusEvent[]): Promise<void>
  /** Rejects when no broker answers; with a `KafkaRefusal` when one does, and does not let us in. */
  ping(): Promise<void>
}

const partitions = 3
const dayMs = 86_400_000
/** Of a consumer's events in one transaction. */
const chunkMax = 100
/** Of a partition in one answer: some 1,000 events. What a consumer holds in memory is a few of these. */
const fetchBytesMax = 256 * 1024
const sendMsMax = 10_000
const connectMsMax = 10_000
const closeMsMax = 4_000
const keepAliveMs = 60_000
const beatEveryMs = 1_000
const silentMsUsual = 60_000
const lookMsMax = 5_000
const pauseMsMax = 1_000
/** The same complaint of the client is passed on once in so long. */
const complaintEveryMs = 60_000

/**
 * Events on Kafka, by kafkajs 2.2.4. Everything that knows the client is in this one file, which is why it is long: another client is another file.
 *
 * What was measured of it, under kill -9, freezes and rebalances, and why it is used as it is: sends that overlap reach the log out
 * of order; a pending send may never settle; its own retries do not cover connecting inside a send; a consumer crashes for good
 * where its retries end; closing while the broker is away may hang.
 */
export function kafkaBus(options: KafkaBusOptions): KafkaBus {
  const { brokers, clientId, topics, topicOf, createTopics, sessionMs = 10_000, silentMs = silentMsUsual, warn } = options
  dropNegativeTimeoutWarning()
  const sockets = new Set<Socket>()
  const kafka = new kafkajs.Kafka({
    socketFactory: keepingIn(sockets),
    clientId,
    brokers,
    ...(options.tls && { ssl: options.tls }),
    ...(options.sasl && { sasl: options.sasl }),
    connectionTimeout: 3_000,
    requestTimeout: 5_000,
    retry: { initialRetryTime: 100, maxRetryTime: pauseMsMax, retries: 3 },
    logLevel: kafkajs.logLevel.ERROR,
    logCreator: () => complaints((message, fields) => ending.signal.aborted || warn(message, fields)),
  })
  const ending = new AbortController()
  const ended = new Promise<void>((resolve) => ending.signal.addEventListener('abort', () => resolve(), { once: true }))
  const subscriptions: { group: string; topics: string[]; done: Promise<void> }[] = []
  let readyTopics: Promise<void> | undefined
  let admin: Promise<Admin> | undefined
  let producer: Promise<Producer> | undefined
  let wasLetIn = false
  const explain = (error: unknown) => explained(error, { hasSignIn: options.sasl !== undefined, wasLetIn })
  const letIn = <T>(answer: T): T => {
    wasLetIn = true
    return answer
  }

  function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    const current = (admin ??= connect(() => kafka.admin()))
    return answeredWithin(connectMsMax, current.then(work)).then(letIn, (error: unknown) => {
      if (admin === current) admin = undefined
      void abandon(current)
      throw explain(error)
    })
  }

  /** Looked at once, and again after whatever failed: somebody may have deleted one. */
  function topicsReady(): Promise<void> {
    return (readyTopics ??= withAdmin(makeTopics).catch((error: unknown) => {
      readyTopics = undefined
      throw error
    }))
  }

  async function makeTopics(admin: Admin): Promise<void> {
    const existing = await admin.listTopics()
    const missing = topics.filter((topic) => !existing.includes(topic))
    if (missing.length === 0) return
    if (!createTopics) throw new Error(`Kafka has no topic ${missing.join(', ')}, and kafka.createTopics is false`)
    const configEntries = [
      { name: 'retention.ms', value: String(createTopics.retentionMs) },
      { name: 'segment.ms', value: String(Math.min(dayMs, createTopics.retentionMs)) }, // only a closed segment is ever deleted
    ]
    await admin.createTopics({ topics: missing.map((topic) => ({ topic, numPartitions: partitions, configEntries })) })
  }

  async function publish(events: readonly BusEvent[]): Promise<void> {
    const byTopic = new Map<string, EventMessage[]>()
    for (const event of events) {
      const { name, times } = topicOf(event.type)
      const messages = byTopic.get(name) ?? []
      byTopic.set(name, messages)
      messages.push(toMessage(event, times))
    }
    const topicMessages = [...byTopic].map(([topic, messages]) => ({ topic, messages }))
    await topicsReady()
    const current = (producer ??= connect(newProducer))
    try {
      const sending = current.then((connected) => connected.sendBatch({ acks: -1, timeout: 5_000, topicMessages }))
      await answeredWithin(sendMsMax, sending)
    } catch (error) {
      readyTopics = undefined
      // As long as it is the same producer, the brokers know a batch that they have already. One that hangs or was refused is given up.
      if (!(error as { retriable?: boolean }).retriable) {
        if (producer === current) producer = undefined
        void abandon(current)
      }
      throw explain(error)
    }
  }

  const newProducer = () =>
    kafka.producer({
      idempotent: true,
      maxInFlightRequests: 1,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner, // murmur2, as other clients have it
      retry: { initialRetryTime: 100, maxRetryTime: pauseMsMax, retries: 4 },
    })

  interface Subscription {
    group: string
    topics: string[]
    handle(events: BusEvent[]): Promise<void>
    /** Batches under way, so that closing can wait for them. */
    handling: Set<Promise<unknown>>
    /** What was said of it since it last worked, and when, so that it is not said each second. */
    toldMs: Map<string, number>
  }

  /** Consumes until it ends or the client breaks. */
  async function consume({ group, topics, handle, handling, toldMs }: Subscription): Promise<void> {
    await Promise.race([topicsReady(), ended])
    let isGivenUp = false
    const consumer = kafka.consumer({
      groupId: `${clientId}.${group}`,
      allowAutoTopicCreation: false,
      sessionTimeout: sessionMs,
      rebalanceTimeout: 30_000,
      heartbeatInterval: Math.min(beatEveryMs, sessionMs / 4),
      maxWaitTimeInMs: 500,
      maxBytesPerPartition: fetchBytesMax,
      retry: {
        initialRetryTime: 100,
        maxRetryTime: pauseMsMax,
        retries: Number.MAX_SAFE_INTEGER,
        restartOnFailure: async () => !isGivenUp,
      },
    })
    let lifeMs = performance.now()
    const isAlive = () => {
      lifeMs = performance.now()
    }
    const broken = Promise.withResolvers<never>()
    broken.promise.catch(() => {})
    consumer.on(consumer.events.CRASH, ({ payload }) => {
      if (!payload.restart) broken.reject(payload.error)
    })
    for (const sign of [consumer.events.FETCH_START, consumer.events.HEARTBEAT, consumer.events.GROUP_JOIN] as const) {
      consumer.on(sign as typeof consumer.events.HEARTBEAT, isAlive)
    }
    consumer.on(consumer.events.GROUP_JOIN, () => {
      // One that is still joining is out of reach of `disconnect`. It would join, take partitions and stay, next to its successor.
      if (isGivenUp) throw new Error('it was given up while it joined its group')
      toldMs.clear()
    })
    const watch = setInterval(
      () => {
        if (handling.size > 0) isAlive()
        if (performance.now() - lifeMs > silentMs) broken.reject(new Error('the Kafka consumer has stopped without a word'))
      },
      Math.min(lookMsMax, silentMs / 4),
    )
    try {
      const running = (async () => {
        await consumer.connect()
        await consumer.subscribe({ topics, fromBeginning: true })
        await consumer.run({
          autoCommit: false,
          eachBatchAutoResolve: false,
          eachBatch: (batch) => takeBatch(batch, { group, handle, handling }),
        })
      })()
      await Promise.race([Promise.all([running, broken.promise]), ended])
    } finally {
      isGivenUp = true
      clearInterval(watch)
      await Promise.allSettled(handling)
      await disconnect(consumer)
    }
  }

  type Batch = Omit<Subscription, 'topics' | 'toldMs'>

  async function takeBatch(batch: EachBatchPayload, { group, handle, handling }: Batch): Promise<void> {
    const { resolveOffset, heartbeat, commitOffsetsIfNecessary, isRunning, isStale } = batch
    const { topic, partition, messages } = batch.batch
    const goesOn = () => isRunning() && !isStale() && !ending.signal.aborted
    for (let start = 0; start < messages.length && goesOn(); start += chunkMax) {
      const chunk = messages.slice(start, start + chunkMax)
      const events = chunk.flatMap((message) => {
        const event = fromMessage(message)
        if (!event) warn('a message in Kafka is not an event, and is passed by', { topic, partition, offset: message.offset })
        return event ?? []
      })
      for (let pauseMs = 50, failures = 0; events.length > 0; pauseMs = Math.min(pauseMs * 2, pauseMsMax), failures++) {
        const work = handle(events)
        try {
          await tracked(handling, beating(heartbeat, work, beatEveryMs))
          break
        } catch (error) {
          if (await isFulfilled(work)) throw error // the group has changed meanwhile: whoever has the partition now finds the effects there
          if (failures === 0) warn('consumer failed, and is tried again', { err: error, consumer: group })
          await sleep(pauseMs, undefined, { signal: ending.signal }).catch(() => {})
          await heartbeat()
          if (!goesOn()) return
        }
      }
      const { offset } = chunk.at(-1)!
      resolveOffset(offset)
      const next = String(BigInt(offset) + 1n)
      await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset: next }] }] })
      await heartbeat()
    }
  }

  return {
    publish,

    async subscribe(group, types, handle) {
      const subscription = {
        group,
        topics: [...new Set(types.map((type) => topicOf(type).name))],
        handle,
        handling: new Set<Promise<unknown>>(),
        toldMs: new Map<string, number>(),
      }
      const done = (async () => {
        while (!ending.signal.aborted) {
          try {
            await consume(subscription)
          } catch (error) {
            readyTopics = undefined
            const reason = explain(error)
            const kind = reason instanceof KafkaRefusal ? reason.message : 'a failure'
            const nowMs = performance.now()
            if (!ending.signal.aborted && nowMs - (subscription.toldMs.get(kind) ?? Number.NEGATIVE_INFINITY) >= complaintEveryMs) {
              warn('the Kafka consumer has failed, and is started again', { err: reason, consumer: group })
              subscription.toldMs.set(kind, nowMs)
            }
            await sleep(pauseMsMax, undefined, { signal: ending.signal }).catch(() => {})
          }
        }
      })()
      subscriptions.push({ group, topics: subscription.topics, done })
    },

    lag: (group) =>
      withAdmin(async (admin) => {
        const own = subscriptions.find((one) => one.group === group)?.topics
        const taken = await admin.fetchOffsets({ groupId: `${clientId}.${group}`, topics: own ?? [...topics] })
        let lag = 0
        for (const { topic, partitions } of taken) {
          // What a group reads that other processes serve shows in what it has committed.
          if (!own && partitions.every(({ offset }) => Number(offset) < 0)) continue
          const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high, low }) => [partition, { high, low }]))
          for (const { partition, offset } of partitions) {
            const { high, low } = ends.get(partition) ?? { high: '0', low: '0' }
            lag += Math.max(0, Number(high) - Math.max(Number(low), Number(offset)))
          }
        }
        return lag
      }),

    ping: () => withAdmin(async (admin) => void (await admin.describeCluster())),

    async close() {
      ending.abort()
      await Promise.all(subscriptions.map(({ done }) => done))
      const [sending, asking] = [producer, admin]
      producer = admin = undefined
      await Promise.all([sending && abandon(sending), asking && abandon(asking)])
      // A broker that answers nothing would hold them open, and the process with them. Without an error, requests on them would wait on.
      for (const socket of sockets) socket.destroy(new Error('this process is done with Kafka'))
    },
  }
}

const answeredWithin = <T>(msMax: number, work: Promise<T>) => within(msMax, work, `no answer from Kafka for ${msMax / 1000} s`)

async function connect<Client extends Producer | Admin>(open: () => Client): Promise<Client> {
  const client = open()
  try {
    await answeredWithin(connectMsMax, client.connect())
    return client
  } catch (error) {
    void disconnect(client)
    throw error
  }
}

/** As the client's own, known to whoever closes, and with errors that say what to do. */
function keepingIn(sockets: Set<Socket>): ISocketFactory {
  return ({ host, port, ssl, onConnect }) => {
    const socket = ssl
      ? connectTls({ host, port, ...(isIP(host) === 0 && { servername: host }), ...ssl }, onConnect)
      : connectPlain({ host, port }, onConnect)
    socket.setKeepAlive(true, keepAliveMs)
    witness(socket, { showsCertificate: ssl?.cert !== undefined })
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
    return socket
  }
}

/** Bounded, also for one that is still about to connect. */
async function abandon(client: Promise<Producer | Admin>): Promise<void> {
  await answeredWithin(closeMsMax, client.then(disconnect)).catch(() => {})
}

/** Bounded: it waits for brokers that may never answer. */
async function disconnect(client: Producer | Admin | Consumer): Promise<void> {
  await answeredWithin(closeMsMax, client.disconnect()).catch(() => {})
}

/** Of what the client says, each sentence once in a while: an outage would fill the disk. */
function complaints(warn: KafkaBusOptions['warn']) {
  const toldMs = new Map<string, number>()
  return ({ log }: { log: { message: string; broker?: string; groupId?: string; error?: string | { message?: string } } }) => {
    const { message, broker, groupId } = log
    const error = typeof log.error === 'object' ? log.error.message : log.error
    const text = `${message} ${error ?? ''}`.replace(/\d+/g, '') // of times and counts there is no end
    const nowMs = performance.now()
    if (nowMs - (toldMs.get(text) ?? Number.NEGATIVE_INFINITY) < complaintEveryMs) return
    if (toldMs.size > 100) toldMs.clear()
    toldMs.set(text, nowMs)
    warn(`Kafka: ${message}`, { ...(broker && { broker }), ...(groupId && { groupId }), ...(error && { error }) })
  }
}

let isDropping = false

/** The client asks for timers in the past, and Node says so each time. That one warning is dropped, and no other. */
function dropNegativeTimeoutWarning(): void {
  if (isDropping) return
  isDropping = true
  const emitWarning = process.emitWarning.bind(process) as (...args: unknown[]) => void
  process.emitWarning = ((...args: unknown[]) => {
    if (args[1] === 'TimeoutNegativeWarning' && new Error('from where').stack?.includes('kafkajs')) return
    emitWarning(...args)
  }) as typeof process.emitWarning
}
