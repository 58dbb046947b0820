import { setTimeout as sleep } from 'node:timers/promises'

/** Long work must not look like a dead worker. Rejects as `work` does, and when the group has changed while it went on. */
export async function beating(heartbeat: () => Promise<void>, work: Promise<void>, everyMs: number): Promise<void> {
  let lost: { error: unknown } | undefined
  const timer = setInterval(() => {
    heartbeat().catch((error: unknown) => {
      lost ??= { error }
    })
  }, everyMs)
  try {
    await work
    if (lost) throw lost.error
  } finally {
    clearInterval(timer)
  }
}

/** Keeps `work` in `set` for as long as it goes on. */
export async function tracked<T>(set: Set<Promise<unknown>>, work: Promise<T>): Promise<T> {
  set.add(work)
  try {
    return await work
  } finally {
    set.delete(work)
  }
}

export const isFulfilled = (work: Promise<unknown>) =>
  work.then(
    () => true,
    () => false,
  )

/** Rejects when `work` takes longer. What becomes of it then is nobody's business any more. */
export async function within<T>(msMax: number, work: Promise<T>): Promise<T> {
  const late = new AbortController()
  try {
    return await Promise.race([
      work,
      sleep(msMax, undefined, { signal: late.signal }).then(() => {
        throw new Error(`no answer from Kafka for ${msMax / 1000} s`)
      }),
    ])
  } finally {
    late.abort()
    work.catch(() => {})
  }
}
