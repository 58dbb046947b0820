import { Kysely, PostgresDialect, sql, type PostgresPool, type PostgresPoolClient } from 'kysely'
import pg from 'pg'
import { DatabaseUnavailable, type Database, type Dialect } from '../../ports/database.ts'
import { postgresTextSearch } from './postgres-text-search.ts'
import { createDatabase, type OnTransaction } from './transaction.ts'
import { watchedDriver, type OnQuery } from './watched-driver.ts'

export interface PostgresOptions {
  url: string
  /** Serves the reads that may be a moment old. */
  replicaUrl?: string | undefined
  poolMax?: number
  connectTimeoutMs?: number
  statementTimeoutMs?: number
  lockTimeoutMs?: number
  /** Makes each call that gets a connection. */
  guarded?: <T>(connecting: () => Promise<T>) => Promise<T>
  onQuery?: OnQuery
  onTransaction?: OnTransaction
  /** Hears of idle connections that the server cut; without a listener such an error ends the process. */
  onConnectionError?: (error: Error) => void
  /** Is given each pool when it has been made, for metrics: the replica has one of its own. */
  onPool?: (pool: PoolState) => void
}

export interface PoolState {
  readonly totalCount: number
  readonly idleCount: number
  readonly waitingCount: number
  readonly options: { readonly max: number }
}

export function openPostgres<Tables>(options: PostgresOptions): Database<Tables> {
  const { url, replicaUrl, poolMax = 10, connectTimeoutMs = 5_000, statementTimeoutMs = 15_000, lockTimeoutMs = 5_000, onQuery } = options
  const connect = (connectionString: string) => {
    const pool = new pg.Pool({
      connectionString,
      max: poolMax,
      connectionTimeoutMillis: connectTimeoutMs,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      application_name: 'pinstack',
      keepAlive: true,
      types: { getTypeParser },
    })
    pool.on('error', options.onConnectionError ?? (() => {}))
    // @NOTE the pool listens to a connection only while it lies idle. One that is cut between two statements of a transaction
    // would end the process; with a listener the next statement rejects.
    pool.on('connect', (client) => client.on('error', () => {}))
    options.onPool?.(pool)
    const stock = new PostgresDialect({ pool: impatientPool(pool, statementTimeoutMs + silenceGraceMs) })
    return new Kysely<Tables>({
      dialect: {
        createDriver: () => watchedDriver(stock.createDriver(), { onQuery, translate, guarded: options.guarded }),
        createQueryCompiler: () => stock.createQueryCompiler(),
        createAdapter: () => stock.createAdapter(),
        createIntrospector: (db) => stock.createIntrospector(db),
      },
    })
  }
  const writer = connect(url)
  return createDatabase({ writer, reader: writer, replica: replicaUrl ? connect(replicaUrl) : undefined }, dialect, options.onTransaction)
}

/** Beyond its own limit a statement has been stopped by the server, and the news of it are late or never come. */
const silenceGraceMs = 5_000

/**
 * Cuts a connection over which nothing is heard for `silenceMs`: a network that swallows everything would keep it, and in the end
 * every connection of the pool, for the quarter of an hour that TCP tries. pg's own `query_timeout` leaves the connection as it is.
 */
function impatientPool(pool: pg.Pool, silenceMs: number): PostgresPool {
  return { end: () => pool.end(), options: pool.options, connect: async () => impatient(await pool.connect(), silenceMs) }
}

function impatient(client: pg.PoolClient, silenceMs: number): PostgresPoolClient {
  let isPatient = false
  async function query(text: string, parameters: unknown[]) {
    // A migration may take its time, see liftTimeouts. The end of its transaction is the end of that.
    isPatient = text === unlimited || (isPatient && !/^(commit|rollback)/.test(text))
    if (isPatient) return client.query(text, parameters)
    const cut = setTimeout(() => destroy(client), silenceMs)
    try {
      return await client.query(text, parameters)
    } finally {
      clearTimeout(cut)
    }
  }
  return { query: query as unknown as PostgresPoolClient['query'], release: () => client.release() }
}

function destroy(client: pg.PoolClient): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}

const unlimited = 'set local statement_timeout = 0'

const dialect: Dialect = {
  name: 'postgres',
  bytewiseText: sql`text collate "C"`,
  givenId: sql`overriding system value`,
  addId: (table) => table.addColumn('id', 'bigint', (column) => column.primaryKey().generatedAlwaysAsIdentity()),
  givenIds: sql`overriding system value`,
  async passIds(tx, table, id) {
    await sql`select setval(sequence, ${id}) from (select pg_get_serial_sequence(${`"${table}"`}, 'id')::regclass as sequence) as own
      where ${id} > coalesce(pg_sequence_last_value(sequence), 0)`.execute(tx)
  },
  async tryLock(tx, lockName) {
    const { rows } = await sql<{ held: boolean }>`select pg_try_advisory_xact_lock(hashtext(${lockName})) as held`.execute(tx)
    return rows[0]!.held
  },
  async lock(tx, lockName) {
    await sql`select pg_advisory_xact_lock(hashtext(${lockName}))`.execute(tx)
  },
  async lockRows(tx, table, ids) {
    // @NOTE `no key`: rows that refer to these by a foreign key may still come. Postgres locks after it has sorted.
    await sql`select id from ${sql.table(table)} where id = any(${ids}) order by id for no key update`.execute(tx)
  },
  async liftTimeouts(tx) {
    await sql.raw(unlimited).execute(tx)
    await sql`set local lock_timeout = 0`.execute(tx)
  },
  textSearch: postgresTextSearch,
  isUniqueViolation: (error) => codeOf(error) === '23505',
  isRetryable: (error) => ['40001', '40P01'].includes(codeOf(error)),
}

/** SQLSTATE classes and codes that speak of the server and not of the statement (PostgreSQL documentation, appendix A). */
const awayCode = /^(08|53|57P0[1-5]|57014|55P03|25006)/

/** The server's own errors are known by their code. All others that come out of the driver are about reaching it. */
function translate(error: unknown): unknown {
  const away = error instanceof pg.DatabaseError ? awayCode.test(error.code ?? '') : error instanceof Error && !(error instanceof TypeError)
  return away ? new DatabaseUnavailable(error) : error
}

/** Reads int8 (every id and every count) as a number on this pool alone; pg's own setting is global to the process. */
function getTypeParser(oid: number, format?: 'text' | 'binary') {
  return oid === pg.types.builtins.INT8 ? parseSafeInteger : pg.types.getTypeParser(oid, format as 'text')
}

function parseSafeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError(`int8 out of range: ${text}`)
  return value
}

const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? '')

/** `text` as the server gives it (`16.2`), `major` for comparing. */
export async function readServerVersion(db: Kysely<any>): Promise<{ major: number; text: string }> {
  const { rows } = await sql<{ server_version: string }>`show server_version`.execute(db)
  const text = rows[0]!.server_version.split(' ')[0]!
  return { major: Number.parseInt(text, 10), text }
}
