import { existsSync } from 'node:fs'
import type { ImportSummary, TableSummary } from '@pinstack/server/import-go'
import { databaseTarget, type Config } from '@pinstack/server/config'
import type { OpenedStorage } from '@pinstack/server/open-database'
import { Option, type Command } from 'commander'
import { hasty } from '../hasty.ts'
import { openReport, readDecisions, writeDecisions } from '../import-files.ts'
import { showProgress } from '../seed-progress.ts'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { CommandError, print, printJson, printTable, say, wrongUse } from '../terminal.ts'

export function addImportCommands(program: Command): void {
  const command = program.command('import').description('move the data of another system into Pinstack')
  const go = addSettingOptions(command.command('go')).description('move the Postgres databases of the Go system into Pinstack')
  for (const [name, holds] of Object.entries(sources)) {
    const option = new Option(`--${name} <url>`, `postgres://… of ${holds}`).env(`IMPORT_${name.toUpperCase()}_URL`)
    go.addOption(option.makeOptionMandatory())
  }
  go.option('--dry-run', 'write nothing to the database; say what would become of each row')
    .option('--decisions <file>', 'what to do with names that collide here; read, and written when there are any', 'import-decisions.yaml')
    .option('--report <file>', 'each row that was skipped or changed, as JSON lines; every run adds to it', 'import-report.jsonl')
    .option('-y, --yes', 'also where others have accounts, or people have signed in since')
    .option('--json', 'the summary as JSON')
    .addHelpText(
      'after',
      `
Ids and bcrypt passwords are kept; sessions are not, so everybody signs in again. The four databases are only read, each as it is at
one moment: stop the Go system first. No events are written and nobody is told of anything. What was stopped half-way is made good by
the same command again; what is there stays as it is. Accounts whose name or e-mail address differs from another one's by letter case
alone are left out until somebody decides: exit code 1, and a file that says how. Whatever is skipped is counted by its reason.

URLs with a password are better in the environment: the process list shows arguments.

Examples:
  pinstack import go --dry-run --users postgres://reader@db/userservice --posts postgres://reader@db/postservice \\
    --relations postgres://reader@db/relationservice --notifications postgres://reader@db/notificationservice
  export IMPORT_USERS_URL=… IMPORT_POSTS_URL=… IMPORT_RELATIONS_URL=… IMPORT_NOTIFICATIONS_URL=…
  pinstack import go --database postgres://pinstack@localhost/pinstack`,
    )
    .action(importGoSystem)
}

const sources = {
  users: 'users',
  posts: 'posts, post_media, tags, posts_tags',
  relations: 'followers',
  notifications: 'notifications',
} as const

interface ImportCommandOptions extends SettingOptions {
  users: string
  posts: string
  relations: string
  notifications: string
  dryRun?: boolean
  decisions: string
  report: string
  yes?: boolean
  json?: boolean
}

async function importGoSystem(options: ImportCommandOptions): Promise<void> {
  const { users, posts, relations, notifications, dryRun = false, yes = false } = options
  const { config } = readSettings(options)
  const { importGo, PeopleError, SourceError } = await import('@pinstack/server/import-go')
  const decisions = await readDecisions(options.decisions)
  const progress = await showProgress({ stageChars: 14 })
  const report = openReport(options.report, { dryRun })
  const target = openTarget(config, { dryRun })
  try {
    const summary = await importGo(target.open, {
      urls: { users, posts, relations, notifications },
      decisions,
      dryRun,
      amongOthers: yes,
      onRow: report.add,
      onProgress(step) {
        report.flush()
        progress.show(step)
      },
    })
    progress.stop()
    report.close()
    await writeDecisions(options.decisions, { decisions, waiting: summary.waiting })
    if (options.json) printJson({ ...summary, waiting: summary.waiting.map(({ id }) => id) })
    else show(summary, { ...options, reported: report.count() })
  } catch (error) {
    if (error instanceof SourceError)
      throw new CommandError(error.message, { exitCode: error.message.startsWith('--') ? 2 : 1, cause: error })
    if (error instanceof PeopleError) throw wrongUse(`${error.message}: if they may be among each other, say so with --yes.`)
    throw error
  } finally {
    progress.stop()
    report.close()
    await target.close()
  }
}

/** A dry run makes no file where there is none. */
function openTarget(config: Config, { dryRun }: { dryRun: boolean }) {
  const target = databaseTarget(config)
  let opened: OpenedStorage | undefined
  return {
    async open() {
      if (dryRun && target.engine === 'sqlite' && !existsSync(target.path)) return undefined
      const { openDatabase } = await import('@pinstack/server/open-database')
      opened = await openDatabase(hasty(config), { onWaiting: (reason) => say(`${reason} …`) })
      return opened.database
    },
    close: async () => opened?.database.close(),
  }
}

function show(summary: ImportSummary, { decisions, report, reported }: { decisions: string; report: string; reported: number }): void {
  const { tables, dryRun, seconds, waiting } = summary
  const number = (value: number) => value.toLocaleString('en-US')
  printTable(
    ['Table', 'Read', dryRun ? 'Would import' : 'Imported', 'There already', 'Skipped'],
    tables.map(({ table, read, imported, there, skipped }) => [table, ...[read, imported, there, sum(skipped)].map(number)]),
  )
  printReasons('Skipped', tables, ({ skipped }) => skipped)
  printReasons(dryRun ? 'Would be imported, and to be known' : 'Imported, and to be known', tables, ({ noted }) => noted)
  if (reported > 0) say(`${number(reported)} rows are listed in ${report}.`)
  say(dryRun ? `Nothing was written. Read in ${seconds.toFixed(1)} s.` : `Done in ${seconds.toFixed(1)} s.`)
  if (waiting.length > 0)
    throw new CommandError(
      `${number(waiting.length)} accounts wait for a decision: make it in ${decisions}, then run the same command again.`,
    )
}

function printReasons(title: string, tables: readonly TableSummary[], of: (table: TableSummary) => Record<string, number>): void {
  const lines = tables.flatMap((table) =>
    Object.entries(of(table)).map(([text, count]) => [table.table, count.toLocaleString('en-US'), text]),
  )
  if (lines.length === 0) return
  print('')
  printTable([title, 'Rows', 'Why'], lines)
}

function sum(counts: Record<string, number>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0)
}
