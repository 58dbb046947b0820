import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises'
import { ExponentialBackoff, type IBackoff } from 'cockatiel'
import { DomainError } from '../core/errors.ts'

/** The longest pause after failures, unless told otherwise. */
const pauseMsMaxUsual = 5_000
/** While failures go on they are reported again so often: what never gets better is not forgotten, and is counted. */
const sayAgainMsUsual = 60_000

export interface Loop {
  /** Lets the running turn finish, and starts no other. */
  stop(): Promise<void>
}

/**
 * Runs `turn` again and again until it is stopped. A turn that fails is tried again after a pause that grows to `pauseMsMax`: a
 * database that is away is waited for without end. The first failure of a series is reported, and then one each `sayAgainMs`.
 */
export function startLoop(
  turn: (signal: AbortSignal) => Promise<void>,
  onFailure: (error: unknown) => void,
  { pauseMsMax = pauseMsMaxUsual, sayAgainMs = sayAgainMsUsual } = {},
): Loop {
  const backoff = new ExponentialBackoff({ initialDelay: 50, maxDelay: pauseMsMax })
  const ending = new AbortController()
  const { signal } = ending
  const running = (async () => {
    let pause: IBackoff<unknown> | undefined
    let saidMs = 0
    while (!signal.aborted) {
      try {
        await turn(signal)
        pause = undefined
        await othersTurn() // @NOTE on SQLite a turn may never really wait: a backlog would be one long turn, and no request be answered
      } catch (error) {
        if (!pause || performance.now() - saidMs >= sayAgainMs) {
          saidMs = performance.now()
          onFailure(error)
        }
        pause = pause ? pause.next(undefined) : backoff.next()
        await pauseFor(pause.duration, signal)
      }
    }
  })()
  return {
    async stop() {
      ending.abort()
      await running
    },
  }
}

/** Runs a bounded batch of work again at once while it says that more is left, and else after `everyMs`. */
export function startJob(everyMs: number, batch: () => Promise<boolean>, onFailure: (error: unknown) => void): Loop {
  return startLoop(async (signal) => {
    if (!(await batch())) await pauseFor(everyMs, signal)
  }, onFailure)
}

/** Waits, and no longer than until `signal` aborts. */
export async function pauseFor(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal }).catch(() => {}) // only an abort wakes it early
}

/** A failure that says nothing about the event at hand: waiting helps, and does not count as an attempt. */
export function isTransient(error: unknown): boolean {
  return error instanceof DomainError && error.kind === 'unavailable'
}
