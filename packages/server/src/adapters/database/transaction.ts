import { AsyncLocalStorage } from 'node:async_hooks'
import { ExponentialBackoff, handleWhen, retry } from 'cockatiel'
import type { Kysely, KyselyPlugin, Transaction } from 'kysely'
import { spanned } from '../../core/correlation.ts'
import { DatabaseUnavailable, type Database, type Dialect } from '../../ports/database.ts'

/** How long a transaction that is in another's way is tried again. */
const retryForMs = 5_000
const backoff = new ExponentialBackoff({ initialDelay: 1, maxDelay: 100 })
const insideTransaction = new AsyncLocalStorage<true>()

/** Hears how each attempt at a transaction ended; `retry` is one that was in the way of another, and runs again. */
export type OnTransaction = (outcome: 'commit' | 'rollback' | 'retry') => void

/** What the two drivers share: retries, what follows a commit, and two guards against queries that slip out of their transaction. */
export function createDatabase<Tables>(
  connections: { writer: Kysely<Tables>; reader: Kysely<Tables>; replica?: Kysely<Tables> | undefined },
  dialect: Dialect,
  onTransaction: OnTransaction = () => {},
): Database<Tables> {
  const { writer, reader, replica } = connections
  const callbacks = new WeakMap<Transaction<Tables>, (() => void)[]>()

  async function attempt<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<{ result: T; after: (() => void)[] }> {
    let ended = false
    const after: (() => void)[] = []
    const guarded = writer.withPlugin(guard(() => ended && 'query after the end of its transaction'))
    const result = await guarded.transaction().execute(async (tx) => {
      callbacks.set(tx, after)
      try {
        return await work(tx)
      } finally {
        ended = true
      }
    })
    return { result, after }
  }

  const outside = guard(() => insideTransaction.getStore() && 'query outside the transaction that is open here: use tx')
  const db = reader.withPlugin(outside)
  return {
    dialect,
    db,
    replica: replica?.withPlugin(outside) ?? db,
    async transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T> {
      if (insideTransaction.getStore()) throw new Error('transactions do not nest: pass tx down instead')
      const deadlineMs = performance.now() + retryForMs
      const again = retry(
        handleWhen((error) => dialect.isRetryable(error) && performance.now() < deadlineMs),
        { maxAttempts: Infinity, backoff },
      )
      again.onRetry(() => onTransaction('retry'))
      try {
        const { result, after } = await spanned('transaction', () => insideTransaction.run(true, () => again.execute(() => attempt(work))))
        onTransaction('commit')
        for (const callback of after) callback()
        return result
      } catch (error) {
        onTransaction('rollback')
        throw dialect.isRetryable(error) ? new DatabaseUnavailable(error) : error
      }
    },
    afterCommit(tx, callback) {
      const after = callbacks.get(tx)
      if (!after) throw new Error('afterCommit takes the tx that transaction() gave')
      after.push(callback)
    },
    async close() {
      for (const connection of new Set([writer, reader, replica])) await connection?.destroy()
    },
  }
}

function guard(complaint: () => string | false | undefined): KyselyPlugin {
  return {
    transformQuery({ node }) {
      const message = complaint()
      if (message) throw new Error(message)
      return node
    },
    transformResult: async ({ result }) => result,
  }
}
