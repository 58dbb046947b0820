import { isoTime } from '../core/time.ts'
import { afterFailure, takeOnce, tellFailure, tellOutcome, type ConsumedEvent, type Consumer, type ConsumerDeps } from './consumers.ts'
import { deleteLetter, selectDue, updateFailure, type DeadLetter } from './dead-letters.ts'
import { isTransient } from './loop.ts'

const batchMax = 100

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
