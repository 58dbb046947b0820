import { sql } from 'kysely'
import type { TextSearch } from '../../ports/database.ts'

const trigram = 3

/** A GIN index of trigrams where pg_trgm is there or may be made; otherwise `like` reads the whole table, and the log says so. */
export const postgresTextSearch: TextSearch = {
  async createIndex(db, { name, table, columns }) {
    // A failed statement would end the whole migration; inside a block it ends the block alone.
    await sql`do $$ begin
      create extension if not exists pg_trgm;
    exception when insufficient_privilege or undefined_file or feature_not_supported then
      raise warning 'pg_trgm cannot be made here (%): searching names will scan the table', sqlerrm;
    end $$`.execute(db)
    const { rows } = await sql`select 1 from pg_extension where extname = 'pg_trgm'`.execute(db)
    if (rows.length === 0) return
    const list = sql.join(columns.map((column) => sql`${sql.ref(column)} gin_trgm_ops`))
    await sql`create index ${sql.id(name)} on ${sql.table(table)} using gin (${list})`.execute(db)
  },
  async dropIndex(db, { name }) {
    await sql`drop index if exists ${sql.id(name)}`.execute(db)
  },
  mode: (text) => ([...text].length < trigram ? 'scan' : 'indexed'),
  matchingIds(_mode, { table, columns }, { pattern, after, upTo }) {
    const found = columns.map((column) => sql`${sql.ref(column)} like ${pattern}`)
    return sql`select id from ${sql.table(table)} where id > ${after} and id <= ${upTo} and (${sql.join(found, sql` or `)})`
  },
  pattern: (_mode, text) => `%${text.replaceAll(/[\\%_]/g, '\\$&')}%`,
  idsPerStatement: () => Number.MAX_SAFE_INTEGER, // a statement holds up nobody but its own connection
}
