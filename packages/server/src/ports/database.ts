import type { CreateTableBuilder, Kysely, RawBuilder, Transaction } from 'kysely'
import { DomainError } from '../core/errors.ts'

/** Two drivers implement this: adapters/database/sqlite.ts and postgres.ts. Both pass test/database.contract.test.ts. */
export interface Database<Tables> {
  /** For reads outside a transaction: they see all that is committed. Inside one it throws: there, the query belongs on `tx`. */
  readonly db: Kysely<Tables>

  /** For reads that may be a moment old, as searches and long lists are; never for what is cached or decides anything. `db` where there is no replica. */
  readonly replica: Kysely<Tables>

  /**
   * Runs `work` in a write transaction and commits when it returns. `work` may run more than once
   * (a busy or serialization failure is retried), so it touches nothing but `tx`.
   */
  transaction<T>(work: (tx: Transaction<Tables>) => Promise<T>): Promise<T>

  /** Has `callback` run once `tx` has committed; never for an attempt that was rolled back. It must not throw. */
  afterCommit(tx: Transaction<Tables>, callback: () => void): void

  readonly dialect: Dialect
  close(): Promise<void>
}

/** Everything in which the two engines differ. A query that needs more than this does not belong in a feature. */
export interface Dialect {
  readonly name: 'sqlite' | 'postgres'
  /** Text that compares byte by byte on both engines, whatever the locale: times, keys, and all else that sorts. */
  readonly bytewiseText: RawBuilder<unknown>
  /** In an insert between the columns and the values: the id of the row is given, because there was such a row before. */
  readonly givenId: RawBuilder<unknown>
  /** Adds the primary key `id`: a whole number that counts up from 1 in the order of the inserts and is never given out twice. */
  addId<Name extends string>(table: CreateTableBuilder<Name, any>): CreateTableBuilder<Name, any>
  /** Stands between the columns and the values of an insert that says what the ids are. */
  readonly givenIds: RawBuilder<unknown>
  /** From here on `table` gives out no id up to `id`; nothing where it has come further. Call it before rows come with ids of their own. */
  passIds(tx: Transaction<any>, table: string, id: number): Promise<void>
  /** Waits for no one: false when another transaction holds `lockName`. Released at commit. */
  tryLock(tx: Transaction<any>, lockName: string): Promise<boolean>
  /** Waits for its turn. Released at commit. */
  lock(tx: Transaction<any>, lockName: string): Promise<void>
  /**
   * Keeps the rows with these ids from being changed by others until the end of the transaction. It takes them in ascending
   * order, whatever the order of `ids`, so two that want the same rows never wait for each other. What is not there is passed by.
   */
  lockRows(tx: Transaction<any>, table: string, ids: readonly number[]): Promise<void>
  /** Lets the statements of this transaction take as long as they need: for migrations. */
  liftTimeouts(tx: Transaction<any>): Promise<void>
  readonly textSearch: TextSearch
  isUniqueViolation(error: unknown): boolean
  /** Worth running the transaction again: another one was in the way. */
  isRetryable(error: unknown): boolean
}

/**
 * Finds text inside text: FTS5's trigrams on SQLite, pg_trgm on Postgres, a plain scan where that extension cannot be made.
 * Trigrams say nothing of one or two characters, so such a search is a scan on both engines: read it in bounded steps.
 */
export interface TextSearch {
  /** In a migration, for columns of folded text (core/text.ts) of a table with an `id`. The index keeps itself up to date from then on. */
  createIndex(db: Kysely<any>, index: TextIndex): Promise<void>
  dropIndex(db: Kysely<any>, index: TextIndex): Promise<void>
  mode(text: string): TextSearchMode
  /** `select id …` of the rows in which one of the columns contains the text that `pattern` was made of. May be followed by `order by id`. */
  matchingIds(mode: TextSearchMode, index: TextIndex, range: TextSearchRange): RawBuilder<{ id: number }>
  /** What `matchingIds` takes for folded `text`. No character of it is a wildcard. */
  pattern(mode: TextSearchMode, text: string): string
  /** Ids that one statement may look at before others must have their turn. On SQLite nothing else runs meanwhile. */
  idsPerStatement(mode: TextSearchMode): number
}

export type TextSearchMode = 'indexed' | 'scan'

/** Values, or what stands for them in a compiled query. Ids above `after`, up to `upTo`. */
export interface TextSearchRange {
  pattern: unknown
  after: unknown
  upTo: unknown
}

export interface TextIndex {
  name: string
  table: string
  columns: readonly string[]
}

/** The database cannot be reached, or has no room: nothing was changed as far as is known. Trying again later may help. */
export class DatabaseUnavailable extends DomainError {
  constructor(cause: unknown) {
    super('unavailable', 'unavailable', 'service unavailable', { cause, retryAfterMs: 1000 })
  }
}
