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
