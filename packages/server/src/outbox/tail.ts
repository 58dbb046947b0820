import type { Doorbell } from '../ports/doorbell.ts'
import type { Db } from '../schema.ts'
import { pauseFor, startLoop, type Loop } from './loop.ts'
import { readEvents, readLastSeq, type Event } from './read.ts'

const batchMax = 500

interface TailDeps {
  db: Db
  sequenced: Doorbell
  pollMs: number
  /** How soon a turn that found something is followed by the next. */
  paceMs?: number
  onFailure: (error: unknown) => void
}

export interface Tail extends Loop {
  /** Called for each event that is numbered from now on, by this process or another. It must not throw. */
  listen(listener: (event: Event) => void): void
  /** Resolves once its place is known: every event that is numbered after that will be heard. */
  readonly started: Promise<void>
}

/** The one reader of a process that follows all events, for what the process remembers: caches and sessions. */
export function startTail({ db, sequenced, pollMs, paceMs = 0, onFailure }: TailDeps): Tail {
  const listeners: ((event: Event) => void)[] = []
  const started = Promise.withResolvers<void>()
  let afterSeq: number | undefined
  const loop = startLoop(async (signal) => {
    afterSeq ??= await readLastSeq(db)
    started.resolve()
    const rung = sequenced.wait(pollMs, signal)
    const events = await readEvents(db, { afterSeq, limit: batchMax })
    for (const event of events) for (const listener of listeners) listener(event)
    if (events.length === 0) return rung
    afterSeq = events.at(-1)!.seq
    if (paceMs > 0 && events.length < batchMax) await pauseFor(paceMs, signal)
  }, onFailure)
  return { ...loop, started: started.promise, listen: (listener) => void listeners.push(listener) }
}
