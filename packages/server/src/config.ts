import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import * as z from 'zod'
import {
  ConfigError,
  fileVariable,
  readEnvironmentLayer,
  readFileLayer,
  readFlagLayer,
  type FlagValue,
  type Given,
  type Origin,
} from './config/layers.ts'
import {
  databaseUrl,
  duration,
  httpUrl,
  noteOf,
  oneOf,
  onOff,
  origins,
  path,
  port,
  proxies,
  secret,
  secrets,
  showValue,
  text,
  unwrap,
  whole,
} from './config/values.ts'

export { ConfigError, type FlagValue, type Origin } from './config/layers.ts'
export { maskDatabaseUrl } from './config/values.ts'

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as z.input<z.ZodObject<Shape, z.core.$strict>>)
}

/** Every key there is, with its default. docs/config.md is tested against it, both ways. */
export const configSchema = z.strictObject({
  http: section({
    host: text('Address that the API listens on; `0.0.0.0` for all of the machine.').default('127.0.0.1'),
    port: port('Port of the API; 0 takes a free one.').default(8080),
    cors: section({
      origins: origins(
        'Web origins whose pages may call the API; `*` for any. There are no cookies, so a page gets nothing that its user did not sign in to.',
      ).default(['*']),
    }),
    trustProxy: proxies('Proxies whose `X-Forwarded-For` is believed; an empty list believes none.').default([
      'loopback',
      'linklocal',
      'uniquelocal',
    ]),
  }),
  metrics: section({
    host: text('Address that `/metrics` listens on. Metrics have no password: keep it private.').default('127.0.0.1'),
    port: port('Port of `/metrics`; 0 takes a free one.').default(9106),
    certificateFile: path(
      'PEM file of the certificate that a proxy in front serves. Its end is then among the metrics, and an alert tells of it in time.',
    ).optional(),
  }),
  data: section({
    dir: path(
      'Directory of the data: SQLite file and signing keys. A relative path starts at the configuration file, else at the working directory.',
    ).default('./pinstack-data'),
  }),
  database: section({
    url: databaseUrl(
      'Where the data is: `sqlite:PATH` (a relative path starts at `data.dir`) or `postgres://USER:PASSWORD@HOST:PORT/DATABASE`.',
      { schemes: ['sqlite', 'postgres'] },
    ).default('sqlite:pinstack.db'),
    synchronous: oneOf(
      'SQLite only. `full` keeps every committed change through a power cut; `normal` is faster and may lose the last moments.',
      ['full', 'normal'],
    ).default('full'),
    poolMax: whole('Postgres only. Connections that one process keeps at most.', { min: 1, max: 1000 }).default(10),
    statementTimeoutMs: whole('Postgres only. Milliseconds after which a statement is cancelled.', { min: 1, max: 3_600_000 }).default(
      30_000,
    ),
    lockTimeoutMs: whole('Postgres only. Milliseconds that a statement waits for a lock.', { min: 1, max: 3_600_000 }).default(10_000),
    startTimeoutMs: whole('Milliseconds that a start waits for a database that is away or locked before it gives up.', {
      min: 0,
      max: 600_000,
    }).default(10_000),
    replicaUrl: databaseUrl('Postgres only. A read replica that may answer reads.', { schemes: ['postgres'] }).optional(),
  }),
  rateLimits: section({
    enabled: onOff('Whether limits per address and account apply. Off is for load tests.').default(true),
  }),
  auth: section({
    accessTtl: duration('How long an access token is good for.', { min: '1s', max: '1d' }).prefault('15m'),
    refreshTtl: duration('How long a refresh token is good for when it is not used; each use gives a new one.', {
      min: '1s',
      max: '400d',
    }).prefault('30d'),
    secret: secret(
      'Signs access tokens (HS256) in place of the keys that Pinstack makes for itself. All processes of one installation share it.',
    ).optional(),
    previousSecrets: secrets('Secrets that were `auth.secret` before: they still verify, and sign nothing.', { itemsMax: 10 }).default([]),
    keysFile: path('File of the signing keys (EdDSA), made on first start. `keys.json` in `data.dir` when not set.').optional(),
    issuer: text('Claim `iss` of access tokens.').default('pinstack'),
    audience: text('Claim `aud` of access tokens.').default('pinstack'),
  }),
  users: section({
    createByUsers: onOff('Whether a signed-in user may create accounts for others (`POST /users`).').default(true),
  }),
  notifications: section({
    sendByUsers: onOff('Whether a signed-in user may send notifications to others (`POST /notification/send`).').default(true),
  }),
  live: section({
    streamsPerUser: whole('Streams of live events that one user may have open, over all devices and tabs, at one process.', {
      min: 1,
      max: 10_000,
    }).default(20),
    streamsMax: whole('Streams of live events that one process keeps open at most; each takes some 50 KiB.', {
      min: 1,
      max: 1_000_000,
    }).default(10_000),
    heartbeat: duration('How often an idle stream says that it is there. Shorter than the idle time-out of every proxy on the way.', {
      min: '1s',
      max: '5m',
    }).prefault('15s'),
  }),
  outbox: section({
    retentionDays: whole('Days that delivered events are kept.', { min: 1, max: 3650 }).default(7),
    pollMs: whole('Milliseconds between two looks for events that no one rang for.', { min: 10, max: 60_000 }).default(500),
  }),
  cache: section({
    entriesMax: whole('Entries that the cache in memory holds at most.', { min: 1, max: 10_000_000 }).default(10_000),
  }),
  tracing: section({
    endpoint: httpUrl('Receiver of traces, by OTLP over HTTP: `http://127.0.0.1:4318`. Without it there are none.').optional(),
    samplePercent: whole('Of how many requests out of a hundred a trace is kept.', { min: 1, max: 100 }).default(100),
  }),
  log: section({
    level: oneOf('How much is logged: this level and what is worse.', [
      'trace',
      'debug',
      'info',
      'warn',
      'error',
      'fatal',
      'silent',
    ]).default('info'),
  }),
})

/** Complete: every key has its value. Durations are milliseconds, `data.dir` and `auth.keysFile` absolute paths. */
export type Config = z.output<typeof configSchema>

/** Where each key's value came from. */
export type Sources = Record<string, Origin>

/** Every key by its dotted name, in the order of the schema. */
export const configKeys: ReadonlyMap<string, z.ZodType> = new Map(leavesOf(configSchema, ''))

function leavesOf(schema: z.ZodObject, prefix: string): [string, z.ZodType][] {
  return Object.entries(schema.shape).flatMap(([name, child]): [string, z.ZodType][] => {
    const inner = unwrap(child as z.ZodType)
    return inner instanceof z.ZodObject ? leavesOf(inner, `${prefix}${name}.`) : [[`${prefix}${name}`, child as z.ZodType]]
  })
}

export interface LoadOptions {
  /** Path of the YAML file; it must exist. Without one no file is read: `findConfigFile` looks for it. */
  file?: string | undefined
  env?: Readonly<Record<string, string | undefined>>
  /** By dotted key. Text is read as from the environment; other values are taken as they are. */
  flags?: Readonly<Record<string, FlagValue>>
  /** How each flag was spelled (`{ 'http.port': '--port' }`), for messages. */
  flagNames?: Readonly<Record<string, string>>
  /** Where relative paths start; the working directory by default. */
  cwd?: string
}

/**
 * Puts the layers together: defaults < file < environment < flags. Reads nothing but `file`.
 *
 * @throws {ConfigError} for an unknown name, a wrong value or an unreadable file: one sentence that names the key and where it stands.
 */
export function loadConfig({ file, env = {}, flags = {}, flagNames = {}, cwd = process.cwd() }: LoadOptions): {
  config: Config
  sources: Sources
} {
  const keys = [...configKeys.keys()]
  const given = new Map<string, Given>([
    ...(file === undefined ? [] : readFileLayer(file, { keys, cwd })),
    ...readEnvironmentLayer(env, { keys, cwd }),
    ...readFlagLayer(flags, { keys, cwd, names: flagNames }),
  ])
  const input: Record<string, unknown> = {}
  for (const [key, value] of given) put(input, key, valueOf(key, value))
  const config = configSchema.parse(input)
  config.data.dir = resolve(cwd, config.data.dir)
  const sources: Sources = Object.fromEntries(keys.map((key) => [key, given.get(key)?.origin ?? { layer: 'default', name: 'default' }]))
  refuseContradictions(config, sources)
  return { config, sources }
}

/** `PINSTACK_CONFIG`, or `pinstack.yaml` where it exists in `cwd`. */
export function findConfigFile({
  env,
  cwd = process.cwd(),
}: {
  env: Readonly<Record<string, string | undefined>>
  cwd?: string
}): string | undefined {
  return env[fileVariable] || (existsSync(resolve(cwd, 'pinstack.yaml')) ? 'pinstack.yaml' : undefined)
}

function valueOf(key: string, { value, isText, origin, baseDir }: Given): unknown {
  const schema = configKeys.get(key)!
  const about = noteOf(schema)
  const read = isText ? about.fromText(String(value)) : value
  const { error } = schema.safeParse(read)
  if (error) {
    const own = error.issues.find((issue) => issue.code === 'custom' && issue.message !== 'Invalid input')
    throw new ConfigError(
      own
        ? `${key} ${own.message} (${origin.name}).`
        : `${key} must be ${about.expects}${notThis(read, about.secret !== undefined)} (${origin.name}).`,
    )
  }
  return about.path ? resolve(baseDir, String(read)) : read
}

const shownCharsMax = 60

function notThis(value: unknown, isSecret: boolean): string {
  if (isSecret) return ''
  if (Array.isArray(value)) return ', and this list is not'
  if (typeof value === 'object') return ', not a group of keys'
  return `, not ${JSON.stringify(String(value).slice(0, shownCharsMax))}`
}

function put(target: Record<string, unknown>, key: string, value: unknown): void {
  const [last, ...sections] = key.split('.').reverse() as [string, ...string[]]
  const parent = sections
    .reverse()
    .reduce<Record<string, unknown>>((object, name) => (object[name] ??= {}) as Record<string, unknown>, target)
  parent[last] = value
}

function refuseContradictions({ http, metrics, database, auth }: Config, sources: Sources): void {
  const from = (key: string) => `${key} (${sources[key]!.name})`
  const everywhere = ['0.0.0.0', '::']
  const sharesAddress = http.host === metrics.host || everywhere.includes(http.host) || everywhere.includes(metrics.host)
  if (http.port !== 0 && http.port === metrics.port && sharesAddress) {
    throw new ConfigError(`${from('http.port')} and ${from('metrics.port')} are the same port, ${http.port}: give one of them another.`)
  }
  if (database.replicaUrl && database.url.startsWith('sqlite:')) {
    throw new ConfigError(`${from('database.replicaUrl')} is for Postgres, and ${from('database.url')} is SQLite.`)
  }
  if (auth.secret !== undefined && auth.keysFile !== undefined) {
    throw new ConfigError(`${from('auth.secret')} and ${from('auth.keysFile')} exclude each other: tokens are signed with one of them.`)
  }
  if (auth.refreshTtl < auth.accessTtl) {
    throw new ConfigError(`${from('auth.refreshTtl')} must not be shorter than ${from('auth.accessTtl')}.`)
  }
}

/** What `database.url` stands for; a SQLite path is absolute. */
export type DatabaseTarget = { engine: 'sqlite'; path: string } | { engine: 'postgres'; url: string }

export function databaseTarget({ data, database }: Pick<Config, 'data' | 'database'>): DatabaseTarget {
  if (!database.url.startsWith('sqlite:')) return { engine: 'postgres', url: database.url }
  return { engine: 'sqlite', path: resolve(data.dir, database.url.slice('sqlite:'.length)) }
}

export interface ConfigEntry {
  key: string
  /** As one would write it; secrets and passwords masked; null when not set. */
  value: string | number | boolean | string[] | null
  source: string
}

/** Every key with its value and origin, for `pinstack config print`. Holds no secret. */
export function describeConfig(config: Config, sources: Sources): ConfigEntry[] {
  return [...configKeys].map(([key, schema]) => {
    const value = key.split('.').reduce<unknown>((object, name) => (object as Record<string, unknown>)[name], config)
    return { key, value: showValue(noteOf(schema), value), source: sources[key]?.name ?? 'default' }
  })
}

/** JSON Schema (draft 2020-12) of `pinstack.yaml`, for editors. */
export function configJsonSchema(): Record<string, unknown> {
  return { title: 'pinstack.yaml', description: 'Configuration of a Pinstack server.', ...z.toJSONSchema(configSchema, { io: 'input' }) }
}
