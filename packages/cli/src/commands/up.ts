import { setTimeout as sleep } from 'node:timers/promises'
import { maskDatabaseUrl, type Config, type Sources } from '@pinstack/server/config'
import type { Logger } from '@pinstack/server/logging'
import type { Command } from 'commander'
import { banner } from '../banner.ts'
import { giveBackMemory } from '../give-back-memory.ts'
import { isShare, leave, ownShare, runProcesses, tellStarted, type Started } from '../processes.ts'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { say } from '../terminal.ts'
import { version } from '../version.ts'

export function addUpCommand(program: Command): void {
  addSettingOptions(program.command('up'))
    .description('start the server')
    .option('--host <address>', 'address to listen on (http.host)')
    .option('-p, --port <port>', 'port of the API, 0 for a free one (http.port)')
    .option('--metrics-port <port>', 'port of the metrics (metrics.port)')
    .option('--role <roles>', 'what this process does: api, worker, or both as api,worker (roles)')
    .option('--processes <n>', 'servers that share the port, each a process of its own; Postgres only (processes)')
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
  pinstack up --processes 4 --database postgres://pinstack@db/pinstack
  pinstack up --role worker --database postgres://pinstack@db/pinstack --set kafka.brokers=kafka:9092
  pinstack up --set auth.accessTtl=5m --set rateLimits.enabled=false`,
    )
    .action(up)
}

interface UpOptions extends SettingOptions {
  verbose?: boolean
}

async function up(options: UpOptions): Promise<void> {
  const stopping = onStopSignal()
  const { config, sources } = readSettings(options)
  const show = (all: Started[]) =>
    say(banner({ version, ...all[0]!, metricsUrls: all.map(({ metricsUrl }) => metricsUrl), sameData: sameData(options) }))
  if (isShare()) {
    const { roles, metricsPort } = await ownShare()
    await serve(
      { ...config, roles, metrics: { ...config.metrics, port: metricsPort } },
      { options, sources, stopping, onStarted: tellStarted },
    )
    leave()
    return endSoon()
  }
  if (config.processes > 1) await runProcesses(config, stopping, show)
  else {
    await serve(config, {
      options,
      sources,
      stopping: stopping.then(() => say('Stopping …')),
      onStarted: (started) => show([started]),
    })
  }
  say('Stopped.')
  endSoon()
}

interface Serving {
  options: UpOptions
  sources: Sources
  stopping: Promise<void>
  onStarted(started: Started): void
}

/** One server, in this process. */
async function serve(config: Config, { options, sources, stopping, onStarted }: Serving): Promise<void> {
  const { createServer } = await import('@pinstack/server')
  const logger = await createLog(config, options)
  const server = await createServer(config, { logger, sources })
  try {
    onStarted({ ...(await server.listen()), storage: server.storage, setupToken: server.setupToken })
    giveBackMemory()
    await stopping
  } finally {
    await server.close()
    await flush(logger)
  }
}

/** Everything is closed. A client of a server that answers nothing may still try, for ever; it is not waited for. */
function endSoon(): void {
  setTimeout(() => process.exit(), lingerMsMax).unref()
}

const lingerMsMax = 500

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
