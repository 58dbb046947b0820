import { setTimeout as sleep } from 'node:timers/promises'
import { isoTime } from '../core/time.ts'
import type { Doorbell } from '../ports/doorbell.ts'
import { afterFailure, takeOnce, tellFailure, tellOutcome, type ConsumedEvent, type Consumer, type ConsumerDeps } from './consumers.ts'
import { deleteLetter, selectDue, selectNextAttempt, updateFailure, type DeadLetter } from './dead-letters.ts'
import { isTransient, startLoop, type Loop } from './loop.ts'

const batchMax = 100
/** How soon an event is noticed that another process has parked, or that a person wants replayed. */
const lookMsMax = 1_000

/** Tries the events of `consumer` again as they become due. `parked` is rung for each that failed in this process. */
export function startRetries(
  deps: ConsumerDeps,
  consumer: Consumer<any>,
  { parked, onFailure }: { parked: Doorbell; onFailure: (error: unknown) => void },
): Loop {
  return startLoop(async (signal) => {
    const looked = new AbortController()
    const rung = parked.wait(lookMsMax, AbortSignal.any([signal, looked.signal])) // from before the look, or a ring would be missed
    try {
      if ((await retryDue(deps, consumer)) > 0) return
      const nowMs = deps.clock.nowMs()
      const next = await selectNextAttempt.first(deps.database.db, { consumer: consumer.name, nowIso: isoTime(nowMs) })
      const due = next?.at ? sleep(Date.parse(next.at) - nowMs, undefined, { signal: looked.signal }).catch(() => {}) : rung
      await Promise.race([rung, due])
    } finally {
      looked.abort()
    }
  }, onFailure)
}

/** Tries the events of `consumer` that are due again, and returns how many it tried. */
export async function retryDue(deps: ConsumerDeps, consumer: Consumer<any>): Promise<number> {
  const due = await selectDue(deps.database.db, { consumer: consumer.name, nowIso: isoTime(deps.clock.nowMs()), limit: batchMax })
  for (const letter of due) await retry(deps, consumer, letter)
  return due.length
}

async function retry(deps: ConsumerDeps, consumer: Consumer<any>, { id, event, attempts }: DeadLetter): Promise<void> {
  const { database, clock } = deps
  try {
    await database.transaction(async (tx) => {
      await consumer.prepare?.(tx, [event as ConsumedEvent])
      await takeOnce(deps, consumer, tx, event)
      await deleteLetter.run(tx, { id })
    })
    tellOutcome(deps, 'consumed', consumer, event)
  } catch (error) {
    if (isTransient(error)) throw error
    const failure = afterFailure(clock, attempts + 1, error)
    tellFailure(deps, consumer, { error, event, attempt: failure.attempts })
    await database.transaction((tx) => updateFailure.run(tx, { id, ...failure }))
    tellOutcome(deps, failure.nextAttemptAt ? 'retried' : 'dead', consumer, event)
  }
}
