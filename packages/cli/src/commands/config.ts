import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { configJsonSchema, databaseTarget, describeConfig, maskDatabaseUrl, type Config } from '@pinstack/server/config'
import type { Command } from 'commander'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { CommandError, print, printJson, printTable, say } from '../terminal.ts'

export function addConfigCommands(program: Command): void {
  const config = program.command('config').description('show and check the configuration')

  addSettingOptions(config.command('print'))
    .description('every value and where it came from; secrets are masked')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  pinstack config print\n  PORT=9000 pinstack config print --json | jq \'.[] | select(.source != "default")\'',
    )
    .action(printConfig)

  addSettingOptions(config.command('check'))
    .description('check every value, and connect to what is configured')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExamples:\n  pinstack config check\n  pinstack config check --config /etc/pinstack.yaml')
    .action(checkConfig)

  config
    .command('schema')
    .description('the JSON schema of pinstack.yaml, for editors')
    .addHelpText(
      'after',
      `
Examples:
  pinstack config schema > pinstack.schema.json

Then begin pinstack.yaml with:
  # yaml-language-server: $schema=./pinstack.schema.json`,
    )
    .action(() => printJson(configJsonSchema()))
}

function printConfig(options: SettingOptions & { json?: boolean }): void {
  const { config, sources } = readSettings(options)
  const entries = describeConfig(config, sources)
  if (options.json) return printJson(entries)
  printTable(
    ['KEY', 'VALUE', 'FROM'],
    entries.map(({ key, value, source }) => [key, shown(value), source]),
  )
}

function shown(value: string | number | boolean | string[] | null): string {
  if (Array.isArray(value)) return value.join(', ') || '(empty)'
  return value === null ? '(not set)' : String(value)
}

async function checkConfig(options: SettingOptions & { json?: boolean }): Promise<void> {
  const { config, file } = readSettings(options)
  const { storage, waiting } = await connect(config)
  const redis = await connectRedis(config)
  const kafka = await connectKafka(config)
  if (options.json)
    return printJson({ file: file ?? null, storage, migrationsWaiting: waiting, redis: redis ?? null, kafka: kafka ?? null })
  print(`Configuration  ${file ?? 'defaults, environment and options'}: good`)
  print(`Storage        ${storage}`)
  if (redis) print(`Redis          ${redis}`)
  if (kafka) print(`Kafka          ${kafka}`)
  print(`Migrations     ${waiting.length === 0 ? 'up to date' : `${waiting.join(', ')} wait: \`pinstack up\` applies them`}`)
}

/** Undefined where none is configured. */
async function connectRedis(config: Config): Promise<string | undefined> {
  if (config.redis.url === undefined) return undefined
  const { openSharedStores } = await import('@pinstack/server/open-redis')
  const masked = maskDatabaseUrl(config.redis.url)
  const stores = await openSharedStores(config, { warn() {} })
  try {
    await stores?.ping()
    return `${masked}: connected`
  } catch (cause) {
    throw new CommandError(`Redis does not answer at ${masked}: start it, or correct redis.url.`, { cause })
  } finally {
    stores?.close()
  }
}

/** Undefined where none is configured. */
async function connectKafka(config: Config): Promise<string | undefined> {
  if (config.kafka.brokers.length === 0) return undefined
  const { kafkaRefusal, openKafka } = await import('@pinstack/server/open-kafka')
  const kafka = await openKafka(config, { warn() {} })
  const brokers = config.kafka.brokers.join(', ')
  try {
    await kafka!.ping()
    return `${brokers}: connected`
  } catch (cause) {
    const refusal = kafkaRefusal(cause)
    if (refusal) throw new CommandError(`Kafka at ${brokers} cannot be used, ${refusal.what}: ${refusal.way}.`, { cause })
    throw new CommandError(`Kafka does not answer at ${brokers}: start it, or correct kafka.brokers and what belongs to it.`, { cause })
  } finally {
    await kafka!.close()
  }
}

interface Connected {
  storage: string
  /** Names of migrations. */
  waiting: string[]
}

/** @NOTE a check leaves no trace: where SQLite would make a new file, it only looks whether it could. */
async function connect(config: Config): Promise<Connected> {
  const [{ makeFolder, openDatabase }, { assertNotNewer, migrationStatus }] = await Promise.all([
    import('@pinstack/server/open-database'),
    import('@pinstack/server/migrations'),
  ])
  const target = databaseTarget(config)
  if (target.engine === 'sqlite' && !existsSync(target.path)) {
    makeFolder(nearestFolder(target.path))
    return { storage: `SQLite, ${target.path}: made on the first start`, waiting: [] }
  }
  const { database, description } = await openDatabase(config, { onWaiting: (reason) => say(`${reason} …`) })
  try {
    await assertNotNewer(database.db)
    const found = await migrationStatus(database)
    return { storage: `${description}: connected`, waiting: found.filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name) }
  } finally {
    await database.close()
  }
}

function nearestFolder(path: string): string {
  const folder = dirname(path)
  return existsSync(folder) ? folder : nearestFolder(folder)
}
