import type { SeedSummary } from '@pinstack/server/seed'
import type { Command } from 'commander'
import { hasty } from '../hasty.ts'
import { seedWords } from '../seed-words.ts'
import { showProgress } from '../seed-progress.ts'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { CommandError, printJson, say, wrongUse } from '../terminal.ts'

export function addSeedCommand(program: Command): void {
  addSettingOptions(program.command('seed'))
    .description('fill the database with people, posts, follows and notifications to try things out with')
    .option('--users <count>', 'how many accounts', '1000')
    .option('--posts-per-user <count>', 'on average', '20')
    .option('--follows-per-user <count>', 'on average; a few users have most of the followers', '20')
    .option('--seed <number>', 'which data: the same number and sizes make the same rows', '1')
    .option('--password <text>', 'of every account that is made', 'pinstack')
    .option('--until <date>', 'the day up to which a year of data goes, as 2026-01-31 (default: today)')
    .option('-y, --yes', 'also where people may be using the database')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Accounts are u1@seed-1.example and so on; log in with the address and the password. What was stopped half-way goes on when it is
run again, with the same options; what is complete stays as it is. A server may run on the data meanwhile: it shows the new rows,
but no events are written for them, so streams and consumers hear nothing, and what it has cached of before is shown for a while.

Refused without --yes: NODE_ENV=production, Postgres on another machine, and a database with accounts that no seed has made.

Examples:
  pinstack seed
  pinstack seed --users 50 --posts-per-user 5 --follows-per-user 10
  pinstack seed --seed 2 --until 2026-01-31 --json`,
    )
    .action(seed)
}

interface SeedCommandOptions extends SettingOptions {
  users: string
  postsPerUser: string
  followsPerUser: string
  seed: string
  password: string
  until?: string
  yes?: boolean
  json?: boolean
}

async function seed(options: SeedCommandOptions): Promise<void> {
  const seed = count('--seed', options.seed)
  const size = {
    users: count('--users', options.users),
    postsPerUser: count('--posts-per-user', options.postsPerUser),
    followsPerUser: count('--follows-per-user', options.followsPerUser),
  }
  const untilMs = options.until === undefined ? undefined : midnight(options.until)
  const { config } = readSettings(options)
  const { openDatabase } = await import('@pinstack/server/open-database')
  const { dangerOfAccounts, dangerOfSettings, seedDatabase, SeedError } = await import('@pinstack/server/seed')
  const { migrateUp } = await import('@pinstack/server/migrations')
  const refuse = (danger: string | undefined) => {
    if (danger && !options.yes) throw wrongUse(`${danger}: if made-up people may be added to it, say so with --yes.`)
  }
  refuse(dangerOfSettings({ url: config.database.url, env: process.env }))
  const { database, description } = await openDatabase(hasty(config), { onWaiting: (reason) => say(`${reason} …`) })
  const progress = await showProgress()
  try {
    refuse(await dangerOfAccounts(database))
    await migrateUp(database)
    const { password } = options
    const words = await seedWords(seed)
    const summary = await seedDatabase(database, { seed, size, password, words, untilMs, onProgress: progress.show })
    progress.stop()
    if (options.json) return printJson({ ...summary, ...size, storage: description, ...(summary.changed && { password }) })
    say(told(summary, { ...options, description }))
  } catch (error) {
    throw error instanceof SeedError
      ? new CommandError(error.message, { exitCode: error.reason === 'options' ? 2 : 1, cause: error })
      : error
  } finally {
    progress.stop()
    await database.close()
  }
}

function told(summary: SeedSummary, { users, password, description }: SeedCommandOptions & { description: string }): string {
  const { seed, changed, rows, seconds, rowsPerSecond, from, until } = summary
  if (!changed) return `Seed ${seed} is complete on ${description}: nothing was changed.`
  const number = (value: number) => Math.round(value).toLocaleString('en-US')
  return `Added ${number(rows)} rows in ${seconds.toFixed(1)} s (${number(rowsPerSecond)} rows/s), ${from.slice(0, 10)} to ${until.slice(0, 10)}: ${description}.
Log in as any of u1@seed-${seed}.example to u${users}@seed-${seed}.example, with the password ${password}`
}

function count(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw wrongUse(`${flag} must be a whole number, not ${JSON.stringify(text)}.`)
  return Number(text)
}

function midnight(text: string): number {
  const epochMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00.000Z`) : Number.NaN
  if (Number.isNaN(epochMs) || !new Date(epochMs).toISOString().startsWith(text))
    throw wrongUse(`--until takes a day, as 2026-01-31, not ${JSON.stringify(text)}.`)
  return epochMs
}
