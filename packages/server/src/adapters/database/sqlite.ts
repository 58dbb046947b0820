import { setImmediate as othersTurn } from 'node:timers/promises'
import SqliteClient, { type Statement } from 'better-sqlite3'
import {
  CompiledQuery,
  Kysely,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
  type DatabaseConnection,
  type LimitNode,
  type OffsetNode,
  type SqliteDatabase,
} from 'kysely'
import { DatabaseUnavailable, type Database, type Dialect } from '../../ports/database.ts'
import { sqliteTextSearch } from './sqlite-text-search.ts'
import { createDatabase, type OnTransaction } from './transaction.ts'
import { watchedDriver, type OnQuery } from './watched-driver.ts'

export interface SqliteOptions {
  /** `full` survives a power cut; `normal` may lose the last commits to one, never the consistency of the file. */
  synchronous?: 'full' | 'normal'
  onQuery?: OnQuery
  onTransaction?: OnTransaction
}

/** How long opening waits for another process that holds the file. */
const openWaitMs = 3_000
/** Of each connection, once that much has been read. With the driver's 16 MB, pages of a tag among 400,000 posts took twice as long as among 20,000. */
const pageCacheKiB = 32_000

/** Opens (or creates) the file at `path`: one connection writes, another reads, so a reader never waits for a writer. */
export function openSqlite<Tables>(path: string, { synchronous = 'full', onQuery, onTransaction }: SqliteOptions = {}): Database<Tables> {
  const connect = (translate: (error: unknown) => unknown) => {
    const client = new SqliteClient(path, { timeout: openWaitMs })
    client.pragma('journal_mode = WAL')
    client.pragma(`synchronous = ${synchronous}`)
    client.pragma('foreign_keys = ON')
    client.pragma(`cache_size = -${pageCacheKiB}`)
    client.pragma('busy_timeout = 0') // @NOTE SQLite's own wait would block the event loop; transaction.ts waits instead
    return new Kysely<Tables>({
      dialect: {
        createDriver: () => watchedDriver(new ImmediateSqliteDriver(client), { onQuery, translate }),
        createQueryCompiler: () => new SteadyLimitCompiler(),
        createAdapter: () => new TransactionalSqliteAdapter(),
        createIntrospector: (db) => new SqliteIntrospector(db),
      },
    })
  }
  const writer = connect((error) => (isAway(error) ? new DatabaseUnavailable(error) : error))
  const reader = connect((error) => (isAway(error) || isBusy(error) ? new DatabaseUnavailable(error) : error))
  return createDatabase({ writer, reader }, dialect, onTransaction)
}

const dialect: Dialect = {
  name: 'sqlite',
  bytewiseText: sql`text`,
  givenId: sql``,
  addId: (table) => table.addColumn('id', 'integer', (column) => column.primaryKey().autoIncrement()), // @NOTE without autoincrement the id of a deleted last row is given out again
  givenIds: sql``,
  async passIds(tx, table, id) {
    // @NOTE the row is there from the table's first insert on, and follows each given id by itself.
    await sql`insert into sqlite_sequence (name, seq) select ${table}, 0 where not exists (select 1 from sqlite_sequence where name = ${table})`.execute(
      tx,
    )
    await sql`update sqlite_sequence set seq = max(seq, ${id}) where name = ${table}`.execute(tx)
  },
  tryLock: async () => true, // @NOTE `begin immediate` has already locked out every other writer
  lock: async () => {},
  lockRows: async () => {},
  liftTimeouts: async () => {},
  textSearch: sqliteTextSearch,
  isUniqueViolation: (error) => ['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_CONSTRAINT_PRIMARYKEY'].includes(codeOf(error)),
  isRetryable: isBusy,
}

function isBusy(error: unknown): boolean {
  return codeOf(error).startsWith('SQLITE_BUSY')
}

/** The disk is full, gone, or not ours to write. */
function isAway(error: unknown): boolean {
  return /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN)/.test(codeOf(error))
}

/** Kysely prepares each query anew. This keeps the statements that were used last, so that what comes again is not parsed again. */
export function keepStatements(client: SqliteClient.Database, statementsMax = 256): SqliteDatabase {
  const statements = new Map<string, Statement<unknown[]>>()
  return {
    close: () => client.close(),
    prepare(text) {
      const statement = statements.get(text) ?? client.prepare<unknown[]>(text)
      statements.delete(text) // what is set again moves to the end, so the first is always the one unused for longest
      statements.set(text, statement)
      if (statements.size > statementsMax) statements.delete(statements.keys().next().value!)
      return statement
    },
  }
}

/**
 * @NOTE SQLite looks at the value of a bare `limit ?` when it plans, and so plans such a statement anew for every set of
 * values (3.54, sqlite3ExprIsInteger): half the time of a page. It does not look into an expression.
 */
class SteadyLimitCompiler extends SqliteQueryCompiler {
  protected override visitLimit(node: LimitNode) {
    super.visitLimit(node)
    this.append(' + 0')
  }
  protected override visitOffset(node: OffsetNode) {
    super.visitOffset(node)
    this.append(' + 0')
  }
}

/** @NOTE SQLite rolls schema changes back like all others; Kysely says no, for the sake of pragmas that no migration of ours uses. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl() {
    return true
  }
}

class ImmediateSqliteDriver extends SqliteDriver {
  readonly #client: SqliteClient.Database

  constructor(client: SqliteClient.Database) {
    super({ database: keepStatements(client) })
    this.#client = client
  }

  /** @NOTE Kysely begins `deferred`; upgrading a read to a write then fails at once with SQLITE_BUSY instead of waiting. */
  override async beginTransaction(connection: DatabaseConnection) {
    // Nothing here ever waits for the world outside, so transactions that queue would all run before the process does
    // anything else. With 32 clients that write, a read of a cached row took 60 to 2,000 ms; with this turn it takes 3.
    await othersTurn()
    await connection.executeQuery(CompiledQuery.raw('begin immediate'))
  }

  /** @NOTE SQLite has rolled back already where the disk was full; that there is nothing to roll back would hide why. */
  override async rollbackTransaction(connection: DatabaseConnection) {
    if (this.#client.inTransaction) await super.rollbackTransaction(connection)
  }
}

export const codeOf = (error: unknown) => String((error as { code?: unknown } | null)?.code ?? '')
