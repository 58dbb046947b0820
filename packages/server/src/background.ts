import { localDoorbell } from './adapters/doorbell/local.ts'
import { inProcessBus } from './adapters/event-bus/in-process.ts'
import type { App } from './compose.ts'
import type { Tracer } from './core/correlation.ts'
import { consumeBatches, type ConsumerDeps } from './outbox/consumers.ts'
import { countDeadLetters } from './outbox/dead-letters.ts'
import { startJob, startLoop, type Loop } from './outbox/loop.ts'
import { savePosition, selectPosition } from './outbox/positions.ts'
import { pruneEvents } from './outbox/prune.ts'
import { readEvents, readLastSeq } from './outbox/read.ts'
import { startRelay } from './outbox/relay.ts'
import { startRetries } from './outbox/retries.ts'
import { startTail, type Tail } from './outbox/tail.ts'
import type { Clock } from './ports/clock.ts'
import type { Database } from './ports/database.ts'
import type { Doorbell } from './ports/doorbell.ts'
import type { EventBus } from './ports/event-bus.ts'
import type { Tables } from './schema.ts'
import type { Metrics } from './surfaces/metrics.ts'

/** How often jobs look for work when they last found none. */
const jobEveryMs = 60_000

export interface BackgroundDeps {
  app: Pick<App, 'consumers' | 'jobs' | 'hear'>
  database: Database<Tables>
  clock: Clock
  committed: Doorbell
  sequenced: Doorbell
  settings: { pollMs: number; retentionMs: number }
  metrics?: Metrics
  tracer?: Tracer | undefined
  /** Hears of what happened to each event. */
  debug?: (message: string, fields: Record<string, unknown>) => void
  /** Hears of what failed and will be tried again. */
  warn(message: string, fields: Record<string, unknown>): void
}

export interface Background {
  bus: EventBus
  tail: Tail
  /** Stops between events: nothing is cut off in the middle. */
  close(): Promise<void>
}

/** What runs beside the requests: the relay, the tail, the consumers and the jobs. */
export async function startBackground(deps: BackgroundDeps): Promise<Background> {
  const { app, database, clock, committed, sequenced, metrics, tracer, warn, debug } = deps
  const { pollMs, retentionMs } = deps.settings
  const failed = (part: string) => (error: unknown) => {
    metrics?.backgroundFailure(part)
    warn(`${part} failed, and is tried again`, { err: error })
  }

  const relay = startRelay({
    database,
    committed,
    sequenced,
    pollMs,
    onFailure: failed('relay'),
    onSequenced: (type) => metrics?.event('published', 'outbox', type),
  })
  const tail = startTail({ db: database.db, sequenced, pollMs, onFailure: failed('tail') })
  tail.listen(app.hear)
  const bus = inProcessBus({
    read: (range) => readEvents(database.db, range),
    lastSeq: () => readLastSeq(database.db),
    loadPosition: async (name) => (await selectPosition.first(database.db, { name }))?.seq ?? 0,
    savePosition: async (name, seq) => void (await database.transaction((tx) => savePosition.run(tx, { name, seq }))),
    wait: (signal) => sequenced.wait(pollMs, signal),
    start: (turn) => startLoop(turn, failed('consumer')),
  })

  const parked = localDoorbell()
  const consuming: ConsumerDeps = {
    database,
    clock,
    tracer,
    onOutcome(outcome, consumer, { id, type }) {
      metrics?.event(outcome, consumer, type)
      if (outcome === 'retried') parked.ring()
      debug?.(`event ${outcome}`, { consumer, event_id: id, event_type: type })
    },
    onFailure: (error, { eventId, ...context }) => warn('an event could not be consumed', { err: error, event_id: eventId, ...context }),
  }
  const retries = app.consumers.map((consumer) => startRetries(consuming, consumer, { parked, onFailure: failed('retry') }))
  await tail.started // @NOTE a stream that opens before it would wait for events that the tail never hears
  for (const consumer of app.consumers) await bus.subscribe(consumer.name, consumeBatches(consuming, consumer))

  const groups = app.consumers.map(({ name }) => name)
  for (const { name, types } of app.consumers) metrics?.knownConsumer(name, types)
  metrics?.consumerLag(() => byName(groups, bus.lag))
  metrics?.deadLetters(() => byName(groups, (name) => countDeadLetters(database.db, name)))
  const prune = async () => (await pruneEvents({ database, clock, groups, retentionMs })) > 0
  const work = Object.entries({ ...app.jobs, prune })
  metrics?.knownParts(['relay', 'tail', 'consumer', 'retry', ...work.map(([name]) => name)])
  const jobs = work.map(([name, job]) => startJob(jobEveryMs, job, failed(name)))

  return {
    bus,
    tail,
    async close() {
      const loops: Loop[] = [relay, tail, ...retries, ...jobs]
      await Promise.all([bus.close(), ...loops.map((loop) => loop.stop())])
    },
  }
}

async function byName(names: readonly string[], read: (name: string) => Promise<number>): Promise<Record<string, number>> {
  return Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)))
}
