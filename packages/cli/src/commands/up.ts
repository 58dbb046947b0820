import { setTimeout as sleep } from 'node:timers/promises'
import { maskDatabaseUrl, type Config } from '@pinstack/server/config'
import type { Logger } from '@pinstack/server/logging'
import type { Command } from 'commander'
import { banner } from '../banner.ts'
import { giveBackMemory } from '../give-back-memory.ts'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { say } from '../terminal.ts'
import { version } from '../version.ts'

export function addUpCommand(program: Command): void {
  addSettingOptions(program.command('up'))
    .description('start the server')
    .option('--host <address>', 'address to listen on (http.host)')
    .option('-p, --port <port>', 'port of the API, 0 for a free one (http.port)')
    .option('--metrics-port <port>', 'port of the metrics (metrics.port)')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent (log.level)')
    .option('-v, --verbose', 'on a terminal: show all of the log, not only warnings')
    .addHelpText(
      'after',
      `
The log goes to standard output, one JSON object a line; on a terminal it is made readable.

Examples:
  pinstack up
  pinstack up --port 9000 --data /srv/pinstack
  pinstack up --host 0.0.0.0 --database postgres://pinstack@db/pinstack
  pinstack up --set auth.accessTtl=5m --set rateLimits.enabled=false`,
    )
    .action(up)
}

interface UpOptions extends SettingOptions {
  verbose?: boolean
}

async function up(options: UpOptions): Promise<void> {
  const stopping = onStopSignal()
  const { config } = readSettings(options)
  const { createServer } = await import('@pinstack/server')
  const logger = await createLog(config, options)
  const server = await createServer(config, { logger })
  try {
    const { apiUrl, metricsUrl } = await server.listen()
    say(banner({ version, apiUrl, metricsUrl, storage: server.storage, setupToken: server.setupToken, sameData: sameData(options) }))
    giveBackMemory()
    await stopping
    say('Stopping …')
  } finally {
    await server.close()
    await flush(logger)
  }
  say('Stopped.')
}

const flushMsMax = 1_000

/** @NOTE lines are gathered before they are written, so the last ones still wait. A reader that has stopped reading is not waited for. */
async function flush(logger: Logger): Promise<void> {
  const isFlushed = new AbortController()
  logger.flush(() => isFlushed.abort())
  await sleep(flushMsMax, undefined, { signal: isFlushed.signal }).catch(() => {})
}

/** The options that decide which data it is. @NOTE not --set: it may hold a secret, and the banner is kept in logs. */
function sameData({ config, data, database }: UpOptions): string {
  const quoted = (text: string) => (/^[\w./:-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
  const given = Object.entries({ config, data, database: database && maskDatabaseUrl(database) })
  return given.map(([name, value]) => (value === undefined ? '' : ` --${name} ${quoted(value)}`)).join('')
}

/** One Ctrl-C may arrive twice: from the terminal, and from npm, which passes it on. */
const sameSignalMs = 300

/** Resolves at the first signal to stop. A second one ends the process at once, whatever is under way. */
function onStopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let firstMs: number | undefined
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        firstMs ??= performance.now()
        if (performance.now() - firstMs > sameSignalMs) process.exit(1)
        resolve()
      })
    }
  })
}

/** JSON for machines. On a terminal people get warnings, readable; the banner says the rest. */
async function createLog(config: Config, { verbose, logLevel }: UpOptions): Promise<Logger> {
  const { createLogger } = await import('@pinstack/server/logging')
  if (!process.stdout.isTTY) return createLogger({ level: config.log.level })
  const { default: pretty } = await import('pino-pretty')
  const isQuiet = !verbose && logLevel === undefined && ['trace', 'debug', 'info'].includes(config.log.level)
  const destination = pretty({
    colorize: process.stdout.hasColors() && !process.env['NO_COLOR'],
    translateTime: 'HH:MM:ss',
    ignore: 'pid,hostname',
    sync: true,
    singleLine: true,
  })
  return createLogger({ level: isQuiet ? 'warn' : config.log.level, destination })
}
