import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { currentCorrelation, type Span } from '../../core/correlation.ts'

/** Hears of each statement that features run; not of `begin` and `commit`. */
export type OnQuery = (query: { kind: string; durationMs: number; failed: boolean }) => void

interface Watch {
  onQuery: OnQuery | undefined
  /** Turns a driver's error into one that the rest of the server knows; the others pass as they are. */
  translate(error: unknown): unknown
  /** Makes each call that gets a connection. */
  guarded?: (<T>(connecting: () => Promise<T>) => Promise<T>) | undefined
}

/** Puts one ear and one translator between Kysely and a driver of its own, for whatever it does. */
export function watchedDriver(driver: Driver, watch: Watch): Driver {
  const innerOf = (connection: DatabaseConnection) => (connection as WatchedConnection).inner
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw watch.translate(error)
    }
  }
  const { guarded = (connecting) => connecting() } = watch
  return {
    init: () => translated(driver.init()),
    acquireConnection: async () => watchedConnection(await translated(guarded(() => driver.acquireConnection())), watch),
    beginTransaction: (connection, settings) => translated(driver.beginTransaction(innerOf(connection), settings)),
    commitTransaction: (connection) => translated(driver.commitTransaction(innerOf(connection))),
    rollbackTransaction: (connection) => translated(driver.rollbackTransaction(innerOf(connection))),
    releaseConnection: (connection) => translated(driver.releaseConnection(innerOf(connection))),
    destroy: () => driver.destroy(),
  }
}

interface WatchedConnection extends DatabaseConnection {
  inner: DatabaseConnection
}

function watchedConnection(inner: DatabaseConnection, { onQuery, translate }: Watch): WatchedConnection {
  return {
    inner,
    async executeQuery<Row>(query: CompiledQuery): Promise<QueryResult<Row>> {
      const span = beginSpan(query)
      const startMs = onQuery ? performance.now() : 0
      let failed = true
      try {
        const result = await inner.executeQuery<Row>(query)
        failed = false
        return result
      } catch (error) {
        throw translate(error)
      } finally {
        onQuery?.({ kind: query.query.kind, durationMs: performance.now() - startMs, failed })
        span?.end({ failed })
      }
    },
    streamQuery: (query, chunkSize) => inner.streamQuery(query, chunkSize),
  }
}

/** A text has every value as a parameter, and those stay here. */
const queryCharsMax = 1_000

function beginSpan({ query: { kind }, sql }: CompiledQuery): Span | undefined {
  const outer = currentCorrelation()?.span
  if (!outer) return
  const operation = kind.replace('QueryNode', '').toLowerCase()
  return outer.child(operation, {
    kind: 'client',
    attributes: { 'db.operation.name': operation, 'db.query.text': sql.slice(0, queryCharsMax) },
  })
}
