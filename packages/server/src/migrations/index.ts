import type { Kysely } from 'kysely'
import { Migrator, type Migration } from 'kysely/migration'
import type { Database, Dialect } from '../ports/database.ts'
import { StartError } from '../core/start-error.ts'
import * as users from './0001-users.ts'
import * as outbox from './0002-outbox.ts'
import * as auth from './0003-auth.ts'
import * as audit from './0004-audit.ts'
import * as posts from './0005-posts.ts'
import * as relations from './0006-relations.ts'
import * as notifications from './0007-notifications.ts'
import * as live from './0008-live.ts'
import * as leases from './0009-leases.ts'
import * as traces from './0010-traces.ts'
import * as admin from './0011-admin.ts'

interface NumberedMigration {
  up(db: Kysely<any>, dialect: Dialect): Promise<void>
  down(db: Kysely<any>, dialect: Dialect): Promise<void>
}

/** Append only. A migration that has shipped is never edited. */
const migrations: Record<string, NumberedMigration> = {
  '0001-users': users,
  '0002-outbox': outbox,
  '0003-auth': auth,
  '0004-audit': audit,
  '0005-posts': posts,
  '0006-relations': relations,
  '0007-notifications': notifications,
  '0008-live': live,
  '0009-leases': leases,
  '0010-traces': traces,
  '0011-admin': admin,
}

export interface MigrationStatus {
  name: string
  /** ISO-8601; null while it waits to be applied. */
  appliedAt: string | null
}

/** Applies all that wait, in one transaction, and returns their names. Of servers that start together one does it, the others wait. */
export function migrateUp(database: Database<any>): Promise<string[]> {
  return run(database, (migrator) => migrator.migrateToLatest())
}

/** Takes the last one back, with the data that only it had a place for. Returns its name, or nothing when there is none. */
export function migrateDown(database: Database<any>): Promise<string[]> {
  return run(database, (migrator) => migrator.migrateDown())
}

export async function migrationStatus(database: Database<any>): Promise<MigrationStatus[]> {
  const found = await migratorFor(database.db, database.dialect).getMigrations()
  return found.map(({ name, executedAt }) => ({ name, appliedAt: executedAt?.toISOString() ?? null }))
}

/** Rejects when the database was made by a newer version: this one would not know what it must keep true. */
export async function assertNotNewer(db: Kysely<any>): Promise<void> {
  const tables = await db.introspection.getTables()
  if (!tables.some(({ name }) => name === tableNames.migrationTableName)) return
  const applied: { name: string }[] = await db.selectFrom(tableNames.migrationTableName).select('name').orderBy('name').execute()
  const unknown = applied.map(({ name }) => name).filter((name) => !(name in migrations))
  if (unknown.length === 0) return
  throw new StartError(
    `The database is newer than this version of Pinstack: it has the migration ${unknown.at(-1)}, and the newest known here is ${Object.keys(migrations).at(-1)}. Start the newer version, or restore a backup from before the upgrade.`,
  )
}

const tableNames = { migrationTableName: 'migration', migrationLockTableName: 'migrationLock' } as const

function migratorFor(db: Kysely<any>, dialect: Dialect): Migrator {
  const bound = Object.entries(migrations).map(([name, { up, down }]): [string, Migration] => [
    name,
    { up: (db: Kysely<any>) => up(db, dialect), down: (db: Kysely<any>) => down(db, dialect) },
  ])
  return new Migrator({ db, provider: { getMigrations: async () => Object.fromEntries(bound) }, ...tableNames })
}

type Step = (migrator: Migrator) => ReturnType<Migrator['migrateToLatest']>

async function run(database: Database<any>, step: Step): Promise<string[]> {
  return database.transaction(async (tx) => {
    await database.dialect.liftTimeouts(tx)
    await database.dialect.lock(tx, 'migrations')
    await assertNotNewer(tx)
    const { error, results = [] } = await step(migratorFor(tx, database.dialect))
    if (error) throw error
    return results.map(({ migrationName }) => migrationName)
  })
}
