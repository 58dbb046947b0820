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

/** One step of a schema, and its way back. Both run in a transaction: what fails half-way has changed nothing. */
export interface NumberedMigration {
  up(db: Kysely<any>, dialect: Dialect): Promise<void>
  /** Takes back what `up` did, with the data that only it had a place for. */
  down(db: Kysely<any>, dialect: Dialect): Promise<void>
}

/** The migrations of an added feature: numbered for themselves, kept as `<feature>:<name>`. */
export interface FeatureMigrations {
  name: string
  migrations?: Readonly<Record<string, NumberedMigration>>
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
export function migrateUp(database: Database<any>, features: readonly FeatureMigrations[] = []): Promise<string[]> {
  return run(database, features, (migrator) => migrator.migrateToLatest())
}

/**
 * Takes the one back that was applied last, with the data that only it had a place for. Returns its name, or nothing when there is
 * none. Rejects with a `StartError` when it is of a feature that is not among `features`: only that feature knows the way back.
 */
export function migrateDown(database: Database<any>, features: readonly FeatureMigrations[] = []): Promise<string[]> {
  return run(database, features, (migrator) => migrator.migrateDown())
}

/** In the order in which they were applied; then those that wait. */
export async function migrationStatus(database: Database<any>, features: readonly FeatureMigrations[] = []): Promise<MigrationStatus[]> {
  const found = await migratorFor(database.db, database.dialect, features).getMigrations()
  const listed = found.map(({ name, executedAt }) => ({ name, appliedAt: executedAt?.toISOString() ?? null }))
  return listed.sort((a, b) => (a.appliedAt === b.appliedAt ? 0 : (a.appliedAt ?? waiting) < (b.appliedAt ?? waiting) ? -1 : 1))
}

/** Comes after every time. */
const waiting = '~'

/** Rejects when the database was made by a newer version, of Pinstack or of a feature: this one would not know what it must keep true. */
export async function assertNotNewer(db: Kysely<any>, features: readonly FeatureMigrations[] = []): Promise<void> {
  const known = bound(features)
  const names = new Set(features.map(({ name }) => name))
  const unknown = (await selectApplied(db)).filter((name) => {
    const feature = featureOf(name)
    return !(name in known) && (feature === undefined || names.has(feature)) // what a feature that is not here has applied is its own affair
  })
  const [newest] = unknown.slice(-1)
  if (newest === undefined) return
  const feature = featureOf(newest)
  const ours = Object.keys(known).filter((name) => featureOf(name) === feature)
  throw new StartError(
    `The database is newer than this version of ${feature === undefined ? 'Pinstack' : `the feature ${feature}`}: it has the migration ${newest}, and the newest known here is ${ours.at(-1) ?? 'none'}. Start the newer version, or restore a backup from before the upgrade.`,
  )
}

/** The features that have tables in this database and are not among `features`. */
export async function absentFeatures(db: Kysely<any>, features: readonly FeatureMigrations[]): Promise<string[]> {
  const here = new Set(features.map(({ name }) => name))
  const found = (await selectApplied(db)).map(featureOf).filter((name) => name !== undefined)
  return [...new Set(found)].filter((name) => !here.has(name))
}

const tableNames = { migrationTableName: 'migration', migrationLockTableName: 'migrationLock' } as const
/** Between a feature and the name of its migration: in no name, and after all digits, so that ours come first. */
const separator = ':'

/** Undefined for one of ours. */
function featureOf(migration: string): string | undefined {
  const end = migration.indexOf(separator)
  return end === -1 ? undefined : migration.slice(0, end)
}

/** All that are known here, by the names under which they are kept. */
function bound(features: readonly FeatureMigrations[]): Record<string, NumberedMigration> {
  const added = features.flatMap(({ name, migrations = {} }) =>
    Object.keys(migrations)
      .sort()
      .map((one) => [name + separator + one, migrations[one]!] as const),
  )
  return { ...migrations, ...Object.fromEntries(added) }
}

/** By name; none where nothing has ever been migrated. */
async function selectApplied(db: Kysely<any>): Promise<string[]> {
  const tables = await db.introspection.getTables()
  if (!tables.some(({ name }) => name === tableNames.migrationTableName)) return []
  const applied: { name: string }[] = await db.selectFrom(tableNames.migrationTableName).select('name').execute()
  return applied.map(({ name }) => name).sort()
}

/** Stands for what a feature that is not here has applied. */
function notHere(migration: string): NumberedMigration {
  const refuse = () => {
    throw new StartError(
      `The migration ${migration} is of the feature ${featureOf(migration)}, which this program does not have: take it back with the program that has it.`,
    )
  }
  return { up: async () => refuse(), down: async () => refuse() }
}

function migratorFor(db: Kysely<any>, dialect: Dialect, features: readonly FeatureMigrations[]): Migrator {
  const known = bound(features)
  async function getMigrations(): Promise<Record<string, Migration>> {
    const others = (await selectApplied(db)).filter((name) => featureOf(name) !== undefined && !(name in known))
    const all = Object.entries({ ...known, ...Object.fromEntries(others.map((name) => [name, notHere(name)])) })
    return Object.fromEntries(
      all.map(([name, { up, down }]) => [name, { up: (db: Kysely<any>) => up(db, dialect), down: (db: Kysely<any>) => down(db, dialect) }]),
    )
  }
  return new Migrator({
    db,
    provider: { getMigrations },
    allowUnorderedMigrations: true, // ours and those of each feature are in order among themselves: a feature that came first does not stand in the way of our next
    nameComparator: (a, b) => (a < b ? -1 : 1),
    ...tableNames,
  })
}

type Step = (migrator: Migrator) => ReturnType<Migrator['migrateToLatest']>

async function run(database: Database<any>, features: readonly FeatureMigrations[], step: Step): Promise<string[]> {
  return database.transaction(async (tx) => {
    await database.dialect.liftTimeouts(tx)
    await database.dialect.lock(tx, 'migrations')
    await assertNotNewer(tx, features)
    const { error, results = [] } = await step(migratorFor(tx, database.dialect, features))
    if (error) throw error
    return results.map(({ migrationName }) => migrationName)
  })
}
