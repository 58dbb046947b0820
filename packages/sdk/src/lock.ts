import { sleep } from './sleep.ts'
import type { WebStorage } from './web-store.ts'

/** Runs `work` while no one else who has the same lock runs theirs. */
export type Lock = <T>(work: () => Promise<T>) => Promise<T>

/** Web Locks, where there are some: browsers in secure contexts, Node 24, Deno. */
interface Locks {
  request<T>(name: string, options: { signal: AbortSignal }, work: () => Promise<T>): Promise<T>
}

/** Then the work is done all the same: to wait for ever would be worse than to renew twice. */
const waitMsMax = 20_000

/**
 * One at a time among all tabs of an origin: by Web Locks; where there are none, by a lease in the `storage` that the tabs share, or
 * within this tab when there is none either. A tab that dies lets go: at once, or when its lease ends.
 */
export function tabLock(name: string, storage?: WebStorage): Lock {
  return (work) => {
    const { locks } = (globalThis as { navigator?: { locks?: Locks } }).navigator ?? {}
    if (locks) return underLock(locks, name, work)
    return storage ? underLease(storage, `${name}.lock`, work) : inTurn(name, work)
  }
}

async function underLock<T>(locks: Locks, name: string, work: () => Promise<T>): Promise<T> {
  const waited = new AbortController()
  const timer = setTimeout(() => waited.abort(), waitMsMax)
  let isHeld = false
  try {
    return await locks.request(name, { signal: waited.signal }, () => {
      clearTimeout(timer)
      isHeld = true
      return work()
    })
  } catch (error) {
    if (isHeld || !waited.signal.aborted) throw error
    return work()
  }
}

const turns = new Map<string, Promise<unknown>>()

async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const result = Promise.resolve(turns.get(name)).then(work)
  const turn = result.catch(() => undefined)
  turns.set(name, turn)
  try {
    return await result
  } finally {
    if (turns.get(name) === turn) turns.delete(name)
  }
}

/**
 * Short, so that a tab that dies while it renews is followed within the 10 s in which the server repeats its answer. Extended
 * while the work goes on; a hidden tab whose timers are held back may lose it, and the server's grace has to do.
 */
const leaseMs = 3_000
const extendEveryMs = 1_000
/** For a write to reach the other tabs, which may run in processes of their own. Whoever wrote last has the lease. */
const settleMs = 30
const lookEveryMs = 50
interface Lease {
  owner: string
  untilMs: number
}

async function underLease<T>(storage: WebStorage, key: string, work: () => Promise<T>): Promise<T> {
  const owner = `${Date.now()}-${Math.random()}`
  const holds = () => readLease(storage, key)?.owner === owner
  const write = () => storage.setItem(key, JSON.stringify({ owner, untilMs: Date.now() + leaseMs } satisfies Lease))
  await acquire(storage, key, { owner, write })
  const timer = setInterval(() => holds() && write(), extendEveryMs)
  try {
    return await work()
  } finally {
    clearInterval(timer)
    if (holds()) storage.removeItem(key)
  }
}

async function acquire(storage: WebStorage, key: string, { owner, write }: { owner: string; write(): void }): Promise<void> {
  const endMs = Date.now() + waitMsMax
  while (Date.now() < endMs) {
    if (!isHeld(readLease(storage, key))) {
      write()
      await sleep(settleMs)
      if (readLease(storage, key)?.owner === owner) return
    }
    await sleep(lookEveryMs * (1 + Math.random()))
  }
}

/** A lease that ends later than any could is of a clock that was set back since. */
function isHeld(lease: Lease | null): boolean {
  return lease !== null && Date.now() < lease.untilMs && lease.untilMs <= Date.now() + leaseMs
}

function readLease(storage: WebStorage, key: string): Lease | null {
  try {
    const lease = JSON.parse(storage.getItem(key) ?? 'null') as Partial<Lease> | null
    return typeof lease?.owner === 'string' && typeof lease.untilMs === 'number' ? (lease as Lease) : null
  } catch {
    return null
  }
}
