import { correlated, type Correlation, type Tracer } from '../core/correlation.ts'
import { isoTime } from '../core/time.ts'
import type { Events, EventType } from '../events.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import type { BusEvent } from '../ports/event-bus.ts'
import { query } from '../query.ts'
import type { Tables, Tx } from '../schema.ts'
import { attemptsMax, parkEvent, retryDelayMs, selectParkedKeys } from './dead-letters.ts'
import { isTransient } from './loop.ts'

/** An event as a consumer sees it. */
export type ConsumedEvent<Type extends EventType = EventType> = {
  [Each in Type]: { id: string; type: Each; key: number; payload: Events[Each]; createdAt: string }
}[Type]

/** Reacts to events. Whatever happens to the process or the bus, each event has its effect exactly once. */
export interface Consumer<Type extends EventType = EventType> {
  /** Names the group, for good: renamed, it would start again at the oldest event. */
  name: string
  types: readonly Type[]
  /**
   * Comes before the first of the events that are handled in one transaction, with all of them: takes the locks that they need,
   * in one order. Taken one by one they would follow the order of the events, and deadlock with what takes them in another.
   */
  prepare?(tx: Tx, events: readonly ConsumedEvent<Type>[]): Promise<void>
  /** Writes the effect with `tx` and touches nothing else: it may run more than once, and only its last run is kept. */
  handle(tx: Tx, event: ConsumedEvent<Type>): Promise<void>
}

export type ConsumerOutcome = 'consumed' | 'retried' | 'dead'

export interface ConsumerDeps {
  database: Database<Tables>
  clock: Clock
  /** Called within the event's correlation, as is `onFailure`. */
  onOutcome?: (outcome: ConsumerOutcome, consumer: string, event: BusEvent) => void
  /** Hears of each failed attempt, with its cause, for the log. */
  onFailure: (error: unknown, context: { consumer: string; eventId: string; attempt: number }) => void
  /** While traces are kept. */
  tracer?: Tracer | undefined
}

/** Makes a batch handler for the bus. It rejects only when waiting helps, and then has done nothing that would be done again. */
export function consumeBatches(deps: ConsumerDeps, consumer: Consumer<any>): (events: BusEvent[]) => Promise<void> {
  const { database } = deps
  const types = new Set<string>(consumer.types)

  /** The ordinary case: one transaction for all. */
  async function takeTogether(events: BusEvent[]): Promise<boolean> {
    try {
      const taken = await database.transaction(async (tx) => {
        const parked = await selectParkedKeys(tx, consumer.name)
        if (events.some((event) => parked.has(event.key))) return undefined
        await consumer.prepare?.(tx, events as ConsumedEvent[])
        const taken: BusEvent[] = []
        for (const event of events) if (await takeOnce(deps, consumer, tx, event)) taken.push(event)
        return taken
      })
      for (const event of taken ?? []) tellOutcome(deps, 'consumed', consumer, event)
      return taken !== undefined
    } catch (error) {
      if (isTransient(error)) throw error
      return false
    }
  }

  /** When one of them fails: each for itself, so that the neighbours of a poison event pass. */
  async function takeAlone(event: BusEvent): Promise<void> {
    try {
      const outcome = await database.transaction(async (tx) => {
        const parked = await selectParkedKeys(tx, consumer.name)
        if (!parked.has(event.key)) {
          await consumer.prepare?.(tx, [event as ConsumedEvent])
          return (await takeOnce(deps, consumer, tx, event)) ? 'consumed' : undefined
        }
        // What comes later waits behind it, or the events of one user would change their order.
        await parkEvent(tx, {
          consumer: consumer.name,
          event,
          attempts: 0,
          error: 'waits for an earlier event',
          nextAttemptAt: isoTime(deps.clock.nowMs()),
        })
        return undefined
      })
      if (outcome) tellOutcome(deps, outcome, consumer, event)
    } catch (error) {
      if (isTransient(error)) throw error
      tellFailure(deps, consumer, { error, event, attempt: 1 })
      await database.transaction((tx) => parkEvent(tx, { consumer: consumer.name, event, ...afterFailure(deps.clock, 1, error) }))
      tellOutcome(deps, 'retried', consumer, event)
    }
  }

  return async (batch) => {
    const events = batch.filter(({ type }) => types.has(type))
    if (events.length === 0 || (await takeTogether(events))) return
    for (const event of events) await takeAlone(event)
  }
}

/** Runs the effect unless it has been run: the mark and the effect commit together. Returns whether it ran. */
export async function takeOnce({ clock, tracer }: ConsumerDeps, consumer: Consumer<any>, tx: Tx, event: BusEvent): Promise<boolean> {
  const mark = { consumer: consumer.name, eventId: event.id, processedAt: isoTime(clock.nowMs()) }
  if (!(await insertProcessed.first(tx, mark))) return false
  await within(event, { tracer, name: `${consumer.name} ${event.type}` }, () => consumer.handle(tx, event as ConsumedEvent))
  return true
}

/** Whatever the consumer logs, writes and emits belongs to the trace of the request that caused the event. */
async function within(event: BusEvent, { tracer, name }: { tracer: Tracer | undefined; name: string }, work: () => Promise<void>) {
  const { traceparent } = event
  const span = tracer?.start(name, {
    kind: 'consumer',
    traceparent: traceparent ?? undefined,
    attributes: { 'messaging.operation.name': 'process', 'messaging.message.id': event.id },
  })
  const correlation: Correlation | undefined = span ? { traceparent: span.traceparent, span } : traceparent ? { traceparent } : undefined
  if (!correlation) return work()
  let failed = true
  try {
    await correlated(correlation, work)
    failed = false
  } finally {
    span?.end({ failed })
  }
}

function toldWithin({ traceparent }: BusEvent, tell: () => void): void {
  if (traceparent) correlated({ traceparent }, tell)
  else tell()
}

export function tellOutcome({ onOutcome }: ConsumerDeps, outcome: ConsumerOutcome, consumer: Consumer<any>, event: BusEvent): void {
  toldWithin(event, () => onOutcome?.(outcome, consumer.name, event))
}

export function tellFailure(
  { onFailure }: ConsumerDeps,
  consumer: Consumer<any>,
  { error, event, attempt }: { error: unknown; event: BusEvent; attempt: number },
): void {
  toldWithin(event, () => onFailure(error, { consumer: consumer.name, eventId: event.id, attempt }))
}

const insertProcessed = query<{ consumer: string; eventId: string; processedAt: string }>()((tx: Tx, { consumer, eventId, processedAt }) =>
  tx
    .insertInto('processedEvent')
    .values({ consumer, eventId, processedAt })
    .onConflict((conflict) => conflict.columns(['consumer', 'eventId']).doNothing())
    .returning('eventId'),
)

/** What to note of an event whose attempt number `attempts` failed. */
export function afterFailure(clock: Clock, attempts: number, error: unknown) {
  const nextAttemptAt = attempts < attemptsMax ? isoTime(clock.nowMs() + retryDelayMs(attempts)) : null
  return { attempts, error: describe(error), nextAttemptAt }
}

const errorCharsMax = 2_000

function describe(error: unknown): string {
  return (error instanceof Error ? `${error.name}: ${error.message}` : String(error)).slice(0, errorCharsMax)
}
