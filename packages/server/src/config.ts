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
  brokers,
  databaseUrl,
  duration,
  httpUrl,
  noteOf,
  oneOf,
  onOff,
  origins,
  password,
  path,
  port,
  proxies,
  redisUrl,
  secret,
  secrets,
  showValue,
  someOf,
  text,
  topic,
  unwrap,
  whole,
} from './config/values.ts'

export { ConfigError, type FlagValue, type Origin } from './config/layers.ts'
export { maskDatabaseUrl } from './config/values.ts'

function section<Shape extends z.core.$ZodLooseShape>(shape: Shape) {
  return z.strictObject(shape).prefault({} as z.input<z.ZodObject<Shape, z.core.$strict>>)
}

const perWindow = (description: string) => whole(description, { min: 1, max: 1_000_000_000 })

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
    drainDelayMs: whole(
      'Milliseconds for which a server that is told to stop still takes requests, while `/readyz` sends proxies elsewhere already. ' +
        'Behind a proxy that asks: longer than it takes to ask twice.',
      { min: 0, max: 60_000 },
    ).default(0),
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
  kafka: section({
    brokers: brokers(
      'Where Kafka is: one or more of its brokers. Empty for none: then events go to the consumers in the process itself.',
    ).default([]),
    clientId: text(
      'Name of this installation at the brokers; the names of its consumer groups begin with it. Two installations on one Kafka have different ones.',
    ).default('pinstack'),
    topics: section({
      user: topic('Topic of `user_…` events and of ended sessions.').default('user-events'),
      post: topic('Topic of `post_…` events.').default('post-events'),
      relation: topic('Topic of `follow_…` events.').default('relation-events'),
      notification: topic('Topic of `notification_…` events.').default('notification-events'),
    }),
    createTopics: onOff(
      'Whether topics that are missing are made, with 3 partitions and the replication that the brokers have as default.',
    ).default(true),
    sessionTimeout: duration(
      'How long a worker may be silent before others take its part of the events: what one that was killed costs. Brokers allow 6s to 30m.',
      { min: '2s', max: '30m' },
    ).prefault('10s'),
    tls: section({
      enabled: onOff('Whether connections to the brokers are encrypted, and their certificates checked.').default(false),
      caFile: path("Certificates (PEM) of those who may sign the brokers' certificates, in place of those that Node knows.").optional(),
      certFile: path('Certificate (PEM) that Pinstack shows to the brokers, with `kafka.tls.keyFile`.').optional(),
      keyFile: path('Key (PEM) of `kafka.tls.certFile`.').optional(),
    }),
    sasl: section({
      mechanism: oneOf('How Pinstack signs in at the brokers. `plain` sends the password itself: use it with TLS.', [
        'plain',
        'scram-sha-256',
        'scram-sha-512',
      ]).optional(),
      username: text('User name at the brokers.').optional(),
      password: password('Password at the brokers.').optional(),
    }),
  }),
  redis: section({
    url: redisUrl(
      'A Redis that all processes share: for what they cache, for one count of the rate limits, and to wake each other. Without one each has its own.',
    ).optional(),
    prefix: text('Begins every key and channel in Redis, so that several installations may share one.', 100).default('pinstack:'),
    timeoutMs: whole('Milliseconds that a call to Redis may take. After it a request goes on without.', { min: 1, max: 60_000 }).default(
      200,
    ),
  }),
  rateLimits: section({
    enabled: onOff('Whether limits per address and account apply. Off is for load tests.').default(true),
    readsPerAddress: perWindow('Requests that read, from one address, in a minute.').default(6_000),
    readsPerAccount: perWindow('Requests that read, of one account, in a minute, from wherever.').default(1_200),
    writesPerAddress: perWindow('Requests that write, from one address, in a minute.').default(1_200),
    writesPerAccount: perWindow('Requests that write, of one account, in a minute, from wherever.').default(300),
    loginsPerAddress: perWindow('Sign-ins from one address in a minute, right or wrong.').default(60),
    loginFailuresPerAddress: perWindow('Failed sign-ins from one address at one account in 15 minutes.').default(10),
    loginFailuresPerAccount: perWindow(
      'Failed sign-ins at one account in 15 minutes, from wherever. Whoever reaches it keeps the owner out for as long.',
    ).default(100),
    registrationsPerAddress: perWindow('Registrations from one address in an hour.').default(60),
    refreshesPerAddress: perWindow('Refreshes and sign-outs from one address in a minute.').default(120),
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
  processes: whole(
    'Servers that `pinstack up` runs on one port, each a process of its own, to use as many cores; Postgres only. The first has all `roles`, the others are `api`. Each has metrics of its own, on the ports from `metrics.port` on.',
    { min: 1, max: 64 },
  ).default(1),
  roles: someOf(
    'What this process does: `api` serves requests and live events, `worker` runs consumers, jobs and the way to Kafka. Both in one unless told otherwise.',
    ['api', 'worker'],
  ).default(['api', 'worker']),
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

function refuseContradictions({ http, metrics, database, auth, processes, roles, kafka }: Config, sources: Sources): void {
  const from = (key: string) => `${key} (${sources[key]!.name})`
  const everywhere = ['0.0.0.0', '::']
  const sharesAddress = http.host === metrics.host || everywhere.includes(http.host) || everywhere.includes(metrics.host)
  if (http.port !== 0 && http.port === metrics.port && sharesAddress) {
    throw new ConfigError(`${from('http.port')} and ${from('metrics.port')} are the same port, ${http.port}: give one of them another.`)
  }
  if (database.replicaUrl && database.url.startsWith('sqlite:')) {
    throw new ConfigError(`${from('database.replicaUrl')} is for Postgres, and ${from('database.url')} is SQLite.`)
  }
  if (roles.length < 2 && database.url.startsWith('sqlite:')) {
    throw new ConfigError(
      `${from('roles')} must be api,worker on SQLite, where one process does all: take Postgres (database.url) for several processes.`,
    )
  }
  if (processes > 1 && database.url.startsWith('sqlite:')) {
    throw new ConfigError(
      `${from('processes')} must be 1 on SQLite, which one process has for itself: take Postgres (database.url) for several processes.`,
    )
  }
  if (processes > 1 && !roles.includes('api')) {
    throw new ConfigError(
      `${from('processes')} is for servers of the API, and ${from('roles')} is worker: start several workers one by one.`,
    )
  }
  const { tls, sasl } = kafka
  if (!tls.enabled && (tls.caFile ?? tls.certFile ?? tls.keyFile) !== undefined) {
    throw new ConfigError(`${from('kafka.tls.enabled')} is false, and a file of kafka.tls is given: set it to true, or take the file away.`)
  }
  if ((tls.certFile === undefined) !== (tls.keyFile === undefined)) {
    throw new ConfigError(`${from('kafka.tls.certFile')} and ${from('kafka.tls.keyFile')} go together: give both or none.`)
  }
  const signIn = [sasl.mechanism, sasl.username, sasl.password]
  if (signIn.includes(undefined) && signIn.some((part) => part !== undefined)) {
    throw new ConfigError('kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password go together: give all of them or none.')
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
