import pg from 'pg'

/** A source that cannot be read. The message is one sentence that says which, and what to do; it never has a password in it. */
export class SourceError extends Error {
  override name = 'SourceError'
}

export interface SourceOptions {
  url: string
  /** For people: `the posts database (--posts), postgres://pinstack@host/posts`. */
  shown: string
}

/** One database of the Go system, as it was when it was opened: all is read in one read-only transaction. */
export interface Source {
  rows<Row>(sql: string, values?: readonly unknown[]): Promise<Row[]>
  /** Throws `SourceError` when the table or one of its columns is not there. */
  assertTable(table: string, columns: readonly string[]): Promise<void>
  close(): Promise<void>
}

const connectTimeoutMs = 10_000
/** Of one page or one count. A source that says nothing for longer is away. */
const statementTimeoutMs = 10 * 60_000

/**
 * Opens one of the Postgres databases for reading. `repeatable read`, so that pages, totals and look-ups speak of one moment, and
 * `read only`, so that nothing in it can be changed. Rejects with `SourceError`, also later when the connection is lost.
 */
export async function openSource({ url, shown }: SourceOptions): Promise<Source> {
  const client = new pg.Client({
    connectionString: url,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: statementTimeoutMs,
    application_name: 'pinstack import',
    keepAlive: true,
  })
  client.on('error', () => {}) // the next statement says it
  try {
    await client.connect()
  } catch (error) {
    await client.end().catch(() => {})
    throw new SourceError(`${upperFirst(shown)} cannot be reached (${reasonOf(error)}): start it, or correct the URL.`, { cause: error })
  }

  async function rows<Row>(sql: string, values: readonly unknown[] = []): Promise<Row[]> {
    try {
      return (await client.query(sql, [...values])).rows as Row[]
    } catch (error) {
      const reason = reasonOf(error)
      throw new SourceError(`${upperFirst(shown)} cannot be read (${reason}): what is imported stays; run the same command again.`, {
        cause: error,
      })
    }
  }

  try {
    await rows('begin isolation level repeatable read read only')
    await rows('set local idle_in_transaction_session_timeout = 0') // it waits while the other side writes
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
  return {
    rows,
    async assertTable(table, columns) {
      const found = await rows<{ name: string }>(
        'select attname::text as name from pg_attribute where attrelid = to_regclass($1) and attnum > 0 and not attisdropped',
        [table],
      )
      if (found.length === 0) throw new SourceError(`${upperFirst(shown)} has no table ${table}: is it the right database?`)
      const missing = columns.filter((column) => !found.some(({ name }) => name === column))
      if (missing.length > 0) throw new SourceError(`Table ${table} of ${shown} has no column ${missing.join(', ')}.`)
    },
    close: () => client.end().catch(() => {}),
  }
}

/** The driver's own words; of several addresses that were tried, the first one's. */
function reasonOf(error: unknown): string {
  const { code, message, errors } = error as { code?: string; message?: string; errors?: Error[] }
  return message || errors?.[0]?.message || code || 'no answer'
}

function upperFirst(text: string): string {
  return text[0]!.toUpperCase() + text.slice(1)
}
