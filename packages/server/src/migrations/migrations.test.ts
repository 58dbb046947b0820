import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { onEachDriver, useDatabase } from '../../test/drivers.ts'
import { StartError } from '../core/start-error.ts'
import type { Database } from '../ports/database.ts'
import { assertNotNewer, migrateDown, migrateUp, migrationStatus } from './index.ts'

onEachDriver('migrations', (driver) => {
  const opened = useDatabase<any>(driver)
  const names = [
    '0001-users',
    '0002-outbox',
    '0003-auth',
    '0004-audit',
    '0005-posts',
    '0006-relations',
    '0007-notifications',
    '0008-live',
    '0009-leases',
    '0010-traces',
    '0011-admin',
  ]

  async function schemaOf({ db }: Database<any>): Promise<string[]> {
    const text =
      driver === 'sqlite'
        ? sql<{ line: string }>`select type || ' ' || name || ' ' || coalesce(sql, '') as line from sqlite_master order by 1`
        : postgresSchema
    return (await text.execute(db)).rows.map(({ line }) => line)
  }
  const postgresSchema = sql<{ line: string }>`
    select 'column ' || table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable || ' ' || coalesce(collation_name, '') as line
    from information_schema.columns where table_schema = 'public'
    union all select 'index ' || indexdef from pg_indexes where schemaname = 'public'
    union all select 'constraint ' || conname || ' ' || pg_get_constraintdef(oid) from pg_constraint where connamespace = 'public'::regnamespace
    order by 1`

  it('are applied once, also when five servers start together', async () => {
    const openings = Array.from({ length: 5 }, () => opened.openAgain())
    const applied = await Promise.all(openings.map((database) => migrateUp(database)))
    expect(applied.filter((list) => list.length > 0)).toEqual([names])
    await Promise.all(openings.map((database) => database.close()))
    expect(await migrateUp(opened.database)).toEqual([])
    expect((await migrationStatus(opened.database)).map(({ name, appliedAt }) => [name, appliedAt !== null])).toEqual(
      names.map((name) => [name, true]),
    )
  })

  it('can be taken back one by one, to nothing, and applied again to the same schema', async () => {
    const before = await schemaOf(opened.database)
    for (const name of [...names].reverse()) expect(await migrateDown(opened.database)).toEqual([name])
    expect(await migrateDown(opened.database)).toEqual([])
    expect((await schemaOf(opened.database)).filter((line) => !/migration/i.test(line) && !line.includes('sqlite_sequence'))).toEqual([])
    expect(await migrateUp(opened.database)).toEqual(names)
    expect(await schemaOf(opened.database)).toEqual(before)
  })

  it('refuse a database that knows more than they do, and change nothing in it', async () => {
    await opened.database.db.insertInto('migration').values({ name: '9999-future', timestamp: '2030-01-01T00:00:00.000Z' }).execute()
    const before = await schemaOf(opened.database)
    for (const step of [migrateUp, migrateDown, ({ db }: Database<any>) => assertNotNewer(db)]) {
      await expect(step(opened.database)).rejects.toThrow(StartError)
      await expect(step(opened.database)).rejects.toThrow('9999-future')
    }
    expect(await schemaOf(opened.database)).toEqual(before)
    await opened.database.db.deleteFrom('migration').where('name', '=', '9999-future').execute()
    await assertNotNewer(opened.database.db)
  })
})
