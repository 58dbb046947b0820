import { findConfigFile, loadConfig, type Config, type Sources } from '@pinstack/server/config'
import { Option, type Command } from 'commander'
import { wrongUse } from './terminal.ts'

/** Options of every command that works on this machine's data. */
export interface SettingOptions {
  config?: string
  set?: string[]
  data?: string
  database?: string
  host?: string
  port?: string
  metricsPort?: string
  logLevel?: string
  role?: string
  processes?: string
}

/** The options that are short names for configuration keys. */
const keyOptions = {
  data: { key: 'data.dir', flag: '--data' },
  database: { key: 'database.url', flag: '--database' },
  host: { key: 'http.host', flag: '--host' },
  port: { key: 'http.port', flag: '--port' },
  metricsPort: { key: 'metrics.port', flag: '--metrics-port' },
  logLevel: { key: 'log.level', flag: '--log-level' },
  role: { key: 'roles', flag: '--role' },
  processes: { key: 'processes', flag: '--processes' },
} as const

export function addSettingOptions(command: Command): Command {
  return command
    .optionsGroup('Which data:')
    .option('-c, --config <file>', 'configuration file (default: pinstack.yaml, where there is one)')
    .option('--data <dir>', 'directory of the data (data.dir)')
    .option('--database <url>', 'sqlite:PATH or postgres://… (database.url)')
    .addOption(
      new Option('--set <key=value>', 'any other configuration key; may be repeated').argParser((value: string, before: string[] = []) => [
        ...before,
        value,
      ]),
    )
    .optionsGroup('Options:')
}

export interface Settings {
  config: Config
  sources: Sources
  /** The file that was read. */
  file: string | undefined
}

/** Puts file, environment and options together. */
export function readSettings(options: SettingOptions): Settings {
  const flags: Record<string, string | undefined> = {}
  const flagNames: Record<string, string> = {}
  for (const text of options.set ?? []) {
    const [key, ...value] = text.split('=')
    if (!key || value.length === 0) throw wrongUse(`--set takes KEY=VALUE, not ${JSON.stringify(text)}.`)
    flags[key] = value.join('=')
  }
  for (const [name, { key, flag }] of Object.entries(keyOptions)) {
    const value = options[name as keyof typeof keyOptions]
    if (value === undefined) continue
    flags[key] = value
    flagNames[key] = flag
  }
  const file = options.config ?? findConfigFile({ env: process.env })
  return { ...loadConfig({ file, env: process.env, flags, flagNames }), file }
}
