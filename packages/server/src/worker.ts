import { localDoorbell } from './adapters/doorbell/local.ts'
import { inProcessBus } from './adapters/event-bus/in-process.ts'
import type { BackgroundDeps } from './background.ts'
import { consumeBatches, type ConsumerDeps } from './outbox/consumers.ts'
import { countDeadLetters } from './outbox/dead-letters.ts'
import { startLease, type Lease } from './outbox/lease.ts'
import { startJob, startLoop, type Loop } from './outbox/loop.ts'
import { publishedName, savePosition, selectPosition } from './outbox/positions.ts'
import { pruneEvents } from './outbox/prune.ts'
import { startPublisher } from './outbox/publish.ts'
import { readEvents, readLastSeq } from './outbox/read.ts'
import { startRetries } from './outbox/retries.ts'
import type { EventBus } from './ports/event-bus.ts'

/** How often jobs look for work when they last found none. */
const jobEveryMs = 60_000
/** A broker deletes what is old when it closes a file, once a day: until then it may hand an event over again. */
const brokerSlackMs = 2 * 86_400_000

/** What a part of the background calls when a turn of it has failed. */
export type OnFailureOf = (part: string) => (error: unknown) => void

export interface Worker {
  bus: EventBus
  /** Whether this process is the one that hands events to the broker; undefined without a broker. */
  leads: (() => boolean) | undefined
  close(): Promise<void>
}

/** Consumers, jobs, and the way of the events to the broker where there is one. Any number of processes may run one. */
export async function startWorker(deps: BackgroundDeps, failed: OnFailureOf): Promise<Worker> {
  const { app, database, clock, kafka, metrics, tracer, warn, debug } = deps
  const { retentionMs } = deps.settings

  const sending = kafka && startSending(deps, { publish: kafka.publish, failed })
  const bus = kafka ?? readingBus(deps, failed('consumer'))
  const parked = localDoorbell()
  const consuming: ConsumerDeps = {
    database,
    clock,
    tracer,
    onOutcome(outcome, consumer, { id, type }) {
      metrics?.event(outcome, consumer, type)
      debug?.(`event ${outcome}`, { consumer, event_id: id, event_type: type })
      if (outcome === 'retried') parked.ring()
    },
    onFailure: (error, { eventId, ...context }) => warn('an event could not be consumed', { err: error, event_id: eventId, ...context }),
  }
  const retries = app.consumers.map((consumer) => startRetries(consuming, consumer, { parked, onFailure: failed('retry') }))
  for (const consumer of app.consumers) await bus.subscribe(consumer.name, consumer.types, consumeBatches(consuming, consumer))
  const groups = app.consumers.map(({ name }) => name)
  for (const { name, types } of app.consumers) metrics?.knownConsumer(name, types)
  metrics?.consumerLag(() => byName(groups, bus.lag))
  metrics?.deadLetters(() => byName(groups, (name) => countDeadLetters(database.db, name)))

  const pruning = kafka ? { groups: [publishedName], retentionMs, marksMs: retentionMs + brokerSlackMs } : { groups, retentionMs }
  const prune = async () => (await pruneEvents({ database, clock, ...pruning })) > 0
  const work = Object.entries({ ...app.jobs, prune })
  metrics?.knownParts(['consumer', 'retry', ...work.map(([name]) => name)])
  const jobs = work.map(([name, job]) => startJob(jobEveryMs, job, failed(name)))

  return {
    bus,
    leads: sending?.lease.isHeld,
    async close() {
      const loops: Loop[] = [...retries, ...jobs]
      await Promise.all([bus.close(), sending?.stop(), ...loops.map((loop) => loop.stop())])
    },
  }
}

interface Sending {
  publish: Parameters<typeof startPublisher>[0]['publish']
  failed: OnFailureOf
}

function startSending(deps: BackgroundDeps, { publish, failed }: Sending): Loop & { lease: Lease } {
  const { database, sequenced, settings, metrics } = deps
  metrics?.knownParts(['lease', 'publisher'])
  const lease = startLease({ database, name: publishedName, onFailure: failed('lease') })
  const { pollMs } = settings
  const publisher = startPublisher({
    database,
    lease,
    sequenced,
    pollMs,
    publish,
    onFailure: failed('publisher'),
    onPublished: (type) => metrics?.event('published', 'kafka', type),
  })
  metrics?.relayLeads(lease.isHeld)
  return {
    lease,
    async stop() {
      await publisher.stop()
      await lease.stop() // last: who takes over at once would send what is still under way
    },
  }
}

function readingBus({ database, sequenced, settings }: BackgroundDeps, onFailure: (error: unknown) => void): EventBus {
  return inProcessBus({
    read: (range) => readEvents(database.db, range),
    lastSeq: () => readLastSeq(database.db),
    loadPosition: async (name) => (await selectPosition.first(database.db, { name }))?.seq ?? 0,
    savePosition: async (name, seq) => void (await database.transaction((tx) => savePosition.run(tx, { name, seq }))),
    wait: (signal) => sequenced.wait(settings.pollMs, signal),
    start: (turn) => startLoop(turn, onFailure),
  })
}

async function byName(names: readonly string[], read: (name: string) => Promise<number>): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}
