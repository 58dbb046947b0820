import type { KafkaBus } from './adapters/event-bus/kafka.ts'
import type { App } from './compose.ts'
import type { Tracer } from './core/correlation.ts'
import { startRelay } from './outbox/relay.ts'
import { startTail, type Tail } from './outbox/tail.ts'
import type { Clock } from './ports/clock.ts'
import type { Database } from './ports/database.ts'
import type { Doorbell } from './ports/doorbell.ts'
import type { Tables } from './schema.ts'
import type { Metrics } from './surfaces/metrics.ts'
import { startWorker, type OnFailureOf, type Worker } from './worker.ts'

export interface BackgroundDeps {
  app: Pick<App, 'consumers' | 'jobs' | 'hear'>
  database: Database<Tables>
  clock: Clock
  committed: Doorbell
  sequenced: Doorbell
  settings: { pollMs: number; retentionMs: number }
  /** What this process does; all of it unless told otherwise. */
  roles?: readonly ('api' | 'worker')[]
  /** Where one is configured. It is closed with the rest. */
  kafka?: KafkaBus | undefined
  metrics?: Metrics
  tracer?: Tracer | undefined
  /** Hears of what happened to each event. */
  debug?: (message: string, fields: Record<string, unknown>) => void
  /** Hears of what failed and will be tried again. */
  warn(message: string, fields: Record<string, unknown>): void
}

export interface Background {
  /** Of an `api` only. */
  tail: Tail | undefined
  /** Of a `worker` only. */
  worker: Worker | undefined
  /** Stops between events: nothing is cut off in the middle. */
  close(): Promise<void>
}

/**
 * How soon one look that found something is followed by the next, where several processes share a database: a ring wakes all of them,
 * and four were as busy with looking as with requests. An event that comes alone waits for nothing.
 */
const sharedPaceMs = { relay: 20, tail: 50 }
const noPaceMs = { relay: 0, tail: 0 }

/**
 * What runs beside the requests. Every process numbers events: an API that waited for a worker to do it would keep what its
 * neighbours have changed in its cache for as long as the worker is away.
 */
export async function startBackground(deps: BackgroundDeps): Promise<Background> {
  const { app, database, committed, sequenced, metrics, warn, roles = ['api', 'worker'] } = deps
  const { pollMs } = deps.settings
  const paceMs = database.dialect.name === 'postgres' ? sharedPaceMs : noPaceMs
  const failed: OnFailureOf = (part) => (error) => {
    metrics?.backgroundFailure(part)
    warn(`${part} failed, and is tried again`, { err: error })
  }
  metrics?.knownParts(['relay', ...(roles.includes('api') ? ['tail'] : [])])

  const relay = startRelay({
    database,
    committed,
    sequenced,
    pollMs,
    paceMs: paceMs.relay,
    onFailure: failed('relay'),
    onSequenced: (type) => metrics?.event('published', 'outbox', type),
  })
  const tail = roles.includes('api')
    ? startTail({ db: database.db, sequenced, pollMs, paceMs: paceMs.tail, onFailure: failed('tail') })
    : undefined
  tail?.listen(app.hear)
  await tail?.started // @NOTE a stream that opens before it would wait for events that the tail never hears
  const worker = roles.includes('worker') ? await startWorker(deps, failed) : undefined

  return {
    tail,
    worker,
    async close() {
      await Promise.all([relay.stop(), tail?.stop(), worker?.close()])
    },
  }
}
