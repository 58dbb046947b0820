import type { Redis } from 'ioredis'

/** Deletes that are owed one by one; beyond it all of the cache is owed. */
const owedMax = 10_000
const batchMax = 500
const retryMs = 250

export interface CleanlinessOptions {
  client: Redis
  guard: { run<T>(call: () => Promise<T>): Promise<T>; again<T>(call: () => Promise<T>): Promise<T> }
  /** Says which run of which server the entries are of. */
  runKey: string
  /** Matches all entries and leases, and nothing else. */
  pattern: string
  /** Deletes these entries, or rejects. */
  forget(keys: readonly string[]): Promise<void>
}

/**
 * Knows whether what Redis holds may be shown. It may not
 *
 * - while a delete is owed that could not be carried out: the entry would come back with Redis;
 * - before it is known that the server behind a new connection is the one that got all deletes. One that has restarted from a
 *   snapshot, or a replica that took over, may hold what was deleted since: then everything goes.
 */
export function redisCleanliness({ client, guard, runKey, pattern, forget }: CleanlinessOptions) {
  const owed = new Set<string>()
  let isAllOwed = false
  let isClean = false
  let isClosed = false
  let connection = 0
  let cleaning: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined

  client.on('close', soil)
  client.on('ready', clean)
  if (client.status === 'ready') clean()

  function soil(): void {
    connection++
    isClean = false
  }

  function clean(): void {
    if (isClosed || isClean || client.status !== 'ready') return // the next connection tries again
    cleaning ??= settle()
      .catch(() => later())
      .finally(() => {
        cleaning = undefined
        if (!isClean) later() // what was owed when this had just ended
      })
  }

  function later(): void {
    clearTimeout(timer)
    if (!isClosed) timer = setTimeout(clean, retryMs).unref()
  }

  async function settle(): Promise<void> {
    const began = connection
    const run = /^run_id:(\S+)/m.exec(await guard.again(() => client.info('server')))?.[1] ?? 'unknown'
    const known = await guard.again(() => client.get(runKey))
    if (run !== known || isAllOwed) {
      const covered = [...owed]
      isAllOwed = false
      try {
        await removeAll()
      } catch (error) {
        isAllOwed = true
        throw error
      }
      for (const key of covered) owed.delete(key)
      await guard.again(() => client.set(runKey, run))
    }
    while (owed.size > 0 && !isAllOwed) {
      const some = [...owed].slice(0, batchMax)
      for (const key of some) owed.delete(key) // before, so that one that is owed again meanwhile stays
      await forget(some).catch((error) => {
        for (const key of some) owed.add(key)
        throw error
      })
    }
    if (began !== connection || isAllOwed) return later()
    isClean = true
  }

  async function removeAll(): Promise<void> {
    let cursor = '0'
    do {
      const [next, keys] = await guard.again(() => client.scan(cursor, 'MATCH', pattern, 'COUNT', batchMax))
      if (keys.length > 0) await guard.again(() => client.unlink(keys))
      cursor = next
    } while (cursor !== '0')
  }

  return {
    get isClean() {
      return isClean
    },
    /** These could not be deleted: nothing is shown until they are. */
    owe(keys: readonly string[]): void {
      isClean = false
      for (const key of keys) owed.add(key)
      if (owed.size > owedMax) {
        owed.clear()
        isAllOwed = true
      }
      if (!cleaning) later()
    },
    close(): void {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
