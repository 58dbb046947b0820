import type { OpenedStorage } from '@pinstack/server/open-database'
import type { Command } from 'commander'
import { confirmed } from '../ask.ts'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { printJson, printTable, say } from '../terminal.ts'

export function addMigrateCommands(program: Command): void {
  const migrate = program.command('migrate').description('bring the database schema up, back, or show where it is')

  addSettingOptions(migrate.command('up'))
    .description('apply all migrations that wait (`pinstack up` does so by itself)')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack migrate up --database postgres://pinstack@db/pinstack')
    .action(migrateUp)

  addSettingOptions(migrate.command('down'))
    .description('take the last migration back, with the data that only it had a place for')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack migrate down\n\nStop the server first, and keep a backup: what is taken back is gone.')
    .action(migrateDown)

  addSettingOptions(migrate.command('status'))
    .description('list the migrations')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack migrate status --json')
    .action(showStatus)
}

interface MigrateOptions extends SettingOptions {
  json?: boolean
  yes?: boolean
}

async function withDatabase<T>(options: MigrateOptions, work: (opened: OpenedStorage) => Promise<T>): Promise<T> {
  const { config } = readSettings(options)
  const { openDatabase } = await import('@pinstack/server/open-database')
  const opened = await openDatabase(config, { onWaiting: (reason) => say(`${reason} …`) })
  try {
    return await work(opened)
  } finally {
    await opened.database.close()
  }
}

function migrateUp(options: MigrateOptions): Promise<void> {
  return withDatabase(options, async ({ database, description }) => {
    const { migrateUp } = await import('@pinstack/server/migrations')
    const applied = await migrateUp(database)
    if (options.json) return printJson({ applied })
    say(applied.length === 0 ? `Up to date: ${description}.` : `Applied ${applied.join(', ')} on ${description}.`)
  })
}

function migrateDown(options: MigrateOptions): Promise<void> {
  return withDatabase(options, async ({ database, description }) => {
    const { migrateDown, migrationStatus } = await import('@pinstack/server/migrations')
    const last = (await migrationStatus(database)).findLast(({ appliedAt }) => appliedAt !== null)
    if (last) await confirmed(`Take back ${last.name} on ${description}? The data that only it had a place for is lost.`, options)
    const takenBack = last ? await migrateDown(database) : []
    if (options.json) return printJson({ takenBack })
    say(takenBack.length === 0 ? `No migration to take back on ${description}.` : `Took back ${takenBack.join(', ')} on ${description}.`)
  })
}

function showStatus(options: MigrateOptions): Promise<void> {
  return withDatabase(options, async ({ database }) => {
    const { assertNotNewer, migrationStatus } = await import('@pinstack/server/migrations')
    await assertNotNewer(database.db)
    const found = await migrationStatus(database)
    if (options.json) return printJson(found)
    printTable(
      ['MIGRATION', 'APPLIED'],
      found.map(({ name, appliedAt }) => [name, appliedAt ?? 'waits']),
    )
  })
}
