import {
  bulkhead,
  BulkheadRejectedError,
  circuitBreaker,
  CircuitState,
  ConsecutiveBreaker,
  ExponentialBackoff,
  handleWhen,
  isBrokenCircuitError,
  retry,
  wrap,
} from 'cockatiel'

export type BreakerState = 'closed' | 'half_open' | 'open'
export type FailureReason = 'timeout' | 'error' | 'rejected'

export interface GuardOptions {
  /** Of what is called; labels the metrics and names the part in a log: `redis`. */
  name: string
  /** After it a call counts as failed, and its caller goes on; what it does over there may still happen. */
  timeoutMs: number
  /** After so many failures in a row calls fail at once, until one that is let through after `openMs` succeeds. */
  breaker?: { failuresMax?: number; openMs?: number }
  /** Calls under way at once, and calls that wait for one of them to end. Others fail at once. */
  bulkhead?: { runningMax?: number; waitingMax?: number }
  /** How often `again` tries anew, with pauses that grow and vary. */
  retry?: { attemptsMax?: number; firstPauseMs?: number; pauseMsMax?: number }
  /** False for an error that says nothing of how the other side is doing. */
  isFailure?(error: unknown): boolean
  /** Hears of the first state, too, which has none before it. */
  onState?(name: string, state: BreakerState, before?: BreakerState): void
  onFailure?(name: string, reason: FailureReason): void
}

/** Stands before calls to what can be slow or away: none of them waits for longer than `timeoutMs`, or makes matters worse. */
export interface Guard {
  readonly name: string
  readonly state: BreakerState
  /** Rejects as the task does, or with `CallTimeout`, or at once while the breaker is open or too many calls are under way. */
  run<T>(task: () => Promise<T>): Promise<T>
  /** The same for what may be done twice: tries again. It takes as many timeouts as attempts, at most. */
  again<T>(task: () => Promise<T>): Promise<T>
}

export class CallTimeout extends Error {
  override name = 'CallTimeout'
}

const states: Record<CircuitState, BreakerState> = {
  [CircuitState.Closed]: 'closed',
  [CircuitState.HalfOpen]: 'half_open',
  [CircuitState.Open]: 'open',
  [CircuitState.Isolated]: 'open',
}

/** Bulkhead outside of the breaker, so that calls that find no place say nothing of the other side; the timeout inside, so that it counts. */
export function createGuard(options: GuardOptions): Guard {
  const { name, timeoutMs, isFailure = () => true, onState, onFailure } = options
  const { failuresMax = 5, openMs = 1_000 } = options.breaker ?? {}
  const { runningMax = 1_000, waitingMax = 0 } = options.bulkhead ?? {}
  const { attemptsMax = 1, firstPauseMs = 10, pauseMsMax = 100 } = options.retry ?? {}

  const breaker = circuitBreaker(handleWhen(isFailure), { halfOpenAfter: openMs, breaker: new ConsecutiveBreaker(failuresMax) })
  let before: BreakerState = 'closed'
  breaker.onStateChange((state) => {
    onState?.(name, states[state], before)
    before = states[state]
  })
  onState?.(name, before)
  const guarded = wrap(bulkhead(runningMax, waitingMax), breaker)
  const retries = retry(
    handleWhen((error) => isFailure(error) && !isRejected(error)),
    { maxAttempts: attemptsMax, backoff: new ExponentialBackoff({ initialDelay: firstPauseMs, maxDelay: pauseMsMax }) },
  )

  async function run<T>(task: () => Promise<T>): Promise<T> {
    try {
      return await guarded.execute(() => within(timeoutMs, name, task))
    } catch (error) {
      if (isRejected(error)) onFailure?.(name, 'rejected')
      else if (isFailure(error)) onFailure?.(name, error instanceof CallTimeout ? 'timeout' : 'error')
      throw error
    }
  }

  return {
    name,
    get state() {
      return states[breaker.state]
    },
    run,
    again: (task) => retries.execute(() => run(task)),
  }
}

function isRejected(error: unknown): boolean {
  return error instanceof BulkheadRejectedError || isBrokenCircuitError(error)
}

/**
 * @NOTE not cockatiel's timeout: its AbortController and listeners take 10 µs a call, this takes 1; and no driver here heeds a signal.
 * When the time is over, what has come in meanwhile is looked at first: a process that was busy with itself must not blame the other side.
 */
function within<T>(ms: number, name: string, task: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const giveUp = () => reject(new CallTimeout(`${name} did not answer within ${ms} ms`))
    const timer = setTimeout(() => setImmediate(giveUp), ms)
    task().then(
      (value) => {
        clearTimeout(timer)
        resolve(value)
      },
      (error) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
