import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import {
  ConfigError,
  configJsonSchema,
  configKeys,
  databaseTarget,
  describeConfig,
  findConfigFile,
  loadConfig,
  type LoadOptions,
} from './config.ts'
import { variableOf } from './config/layers.ts'
import { noteOf, unwrap } from './config/values.ts'

const dir = mkdtempSync(join(tmpdir(), 'pinstack-config-'))
afterAll(() => rmSync(dir, { recursive: true }))

const goodSecret = 'h7Tq0ZJ4rX9bVn2LwKs8YcEu1PgDm6Ai'

function load(options: LoadOptions & { yaml?: string } = {}) {
  const { yaml, ...rest } = options
  if (yaml !== undefined) writeFileSync(join(dir, 'pinstack.yaml'), yaml)
  return loadConfig({ cwd: dir, ...(yaml !== undefined && { file: 'pinstack.yaml' }), ...rest })
}

function refusal(options: LoadOptions & { yaml?: string }): string {
  try {
    load(options)
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as ConfigError).exitCode).toBe(2)
    return (error as ConfigError).message
  }
  return 'accepted'
}

describe('layers', () => {
  it('holds every default', () => {
    const { config, sources } = load()
    expect(config).toEqual({
      http: {
        host: '127.0.0.1',
        port: 8080,
        cors: { origins: ['*'] },
        trustProxy: ['loopback', 'linklocal', 'uniquelocal'],
        drainDelayMs: 0,
      },
      metrics: { host: '127.0.0.1', port: 9106 },
      data: { dir: join(dir, 'pinstack-data') },
      database: {
        url: 'sqlite:pinstack.db',
        synchronous: 'full',
        poolMax: 10,
        statementTimeoutMs: 30_000,
        lockTimeoutMs: 10_000,
        startTimeoutMs: 10_000,
      },
      kafka: {
        brokers: [],
        clientId: 'pinstack',
        topics: { user: 'user-events', post: 'post-events', relation: 'relation-events', notification: 'notification-events' },
        createTopics: true,
        sessionTimeout: 10_000,
        tls: { enabled: false },
        sasl: {},
      },
      redis: { prefix: 'pinstack:', timeoutMs: 200 },
      rateLimits: {
        enabled: true,
        readsPerAddress: 6_000,
        readsPerAccount: 1_200,
        writesPerAddress: 1_200,
        writesPerAccount: 300,
        loginsPerAddress: 60,
        loginFailuresPerAddress: 10,
        loginFailuresPerAccount: 100,
        registrationsPerAddress: 60,
        refreshesPerAddress: 120,
      },
      auth: { accessTtl: 900_000, refreshTtl: 2_592_000_000, previousSecrets: [], issuer: 'pinstack', audience: 'pinstack' },
      users: { createByUsers: true },
      notifications: { sendByUsers: true },
      live: { streamsPerUser: 20, streamsMax: 10_000, heartbeat: 15_000 },
      outbox: { retentionDays: 7, pollMs: 500 },
      cache: { entriesMax: 10_000 },
      processes: 1,
      roles: ['api', 'worker'],
      tracing: { samplePercent: 100 },
      log: { level: 'info' },
    })
    expect(new Set(Object.values(sources).map(({ name }) => name))).toEqual(new Set(['default']))
  })

  it('lets each layer overwrite the one before, and says where a value came from', () => {
    const yaml = 'http:\n  host: a.example\n  port: 1\nmetrics:\n  port: 5\n'
    expect(load({ yaml }).config.http).toMatchObject({ host: 'a.example', port: 1 })
    const inEnvironment = load({ yaml, env: { PINSTACK_HTTP_PORT: '2' } })
    expect(inEnvironment.config.http).toMatchObject({ host: 'a.example', port: 2 })
    const all = load({ yaml, env: { PINSTACK_HTTP_PORT: '2' }, flags: { 'http.port': '3' }, flagNames: { 'http.port': '--port' } })
    expect(all.config.http.port).toBe(3)
    expect([
      all.sources['http.host']!.name,
      all.sources['http.port']!.name,
      all.sources['metrics.port']!.name,
      all.sources['log.level']!.name,
    ]).toEqual(['pinstack.yaml:2', '--port', 'pinstack.yaml:5', 'default'])
  })

  it('takes the names that platforms set, and prefers its own', () => {
    const database = 'postgres://u:p@db.example/app'
    expect(load({ env: { PORT: '81', DATABASE_URL: database } }).config).toMatchObject({ http: { port: 81 }, database: { url: database } })
    expect(load({ env: { REDIS_URL: 'rediss://u:p@r:6380/2' } }).config.redis.url).toBe('rediss://u:p@r:6380/2')
    const both = load({ env: { PORT: '81', PINSTACK_HTTP_PORT: '82', DATABASE_URL: 'mysql://x', PINSTACK_DATABASE_URL: database } })
    expect([both.config.http.port, both.config.database.url]).toEqual([82, database])
    expect(both.sources['http.port']!.name).toBe('PINSTACK_HTTP_PORT')
  })

  it('counts an empty value as not set', () => {
    expect(
      load({ yaml: 'http:\n  port:\nauth:\n', env: { PINSTACK_AUTH_SECRET: '', PORT: '' }, flags: { 'log.level': undefined } }).config,
    ).toEqual(load().config)
  })

  it('reads text as what the key holds', () => {
    const env = {
      PINSTACK_HTTP_CORS_ORIGINS: 'https://a.example, http://localhost:5173',
      PINSTACK_HTTP_TRUST_PROXY: 'none',
      PINSTACK_RATE_LIMITS_ENABLED: 'False',
      PINSTACK_AUTH_ACCESS_TTL: '90s',
      PINSTACK_AUTH_REFRESH_TTL: '12h',
      PINSTACK_OUTBOX_RETENTION_DAYS: '30',
      PINSTACK_LOG_LEVEL: 'warn',
    }
    expect(load({ env }).config).toMatchObject({
      http: { cors: { origins: ['https://a.example', 'http://localhost:5173'] }, trustProxy: [] },
      rateLimits: { enabled: false },
      auth: { accessTtl: 90_000, refreshTtl: 43_200_000 },
      outbox: { retentionDays: 30 },
      log: { level: 'warn' },
    })
  })

  it('starts relative paths of the file at the file, others at the working directory', () => {
    const far = mkdtempSync(join(dir, 'far-'))
    writeFileSync(join(far, 'p.yaml'), 'data:\n  dir: d\nauth:\n  keysFile: k.json\n')
    const { config } = load({ file: join(far, 'p.yaml'), flags: { 'database.url': 'sqlite:sub/x.db' } })
    expect([config.data.dir, config.auth.keysFile]).toEqual([join(far, 'd'), join(far, 'k.json')])
    expect(databaseTarget(config)).toEqual({ engine: 'sqlite', path: join(far, 'd/sub/x.db') })
    expect(load({ env: { PINSTACK_DATA_DIR: 'e' } }).config.data.dir).toBe(join(dir, 'e'))
  })

  it('finds the file by its variable, then by its name', () => {
    const empty = mkdtempSync(join(dir, 'empty-'))
    expect(findConfigFile({ env: {}, cwd: empty })).toBeUndefined()
    writeFileSync(join(empty, 'pinstack.yaml'), '')
    expect(findConfigFile({ env: {}, cwd: empty })).toBe('pinstack.yaml')
    expect(findConfigFile({ env: { PINSTACK_CONFIG: 'other.yaml' }, cwd: empty })).toBe('other.yaml')
  })

  it('passes by what Kubernetes puts into the environment for a service of the same name', () => {
    const env = {
      PINSTACK_PORT: 'tcp://10.0.0.1:8080',
      PINSTACK_SERVICE_HOST: '10.0.0.1',
      PINSTACK_SERVICE_PORT_API: '8080',
      PINSTACK_HTTP_PORT: 'tcp://10.0.0.1:80',
      PINSTACK_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      PINSTACK_PORT_8080_TCP_ADDR: '10.0.0.1',
      PINSTACK_METRICS_PORT_9106_TCP_PROTO: 'tcp',
    }
    expect(load({ env }).config).toEqual(load().config)
  })
})

describe('refusals are one sentence with the key, its place and what is wrong', () => {
  const yamlRefusals: Record<string, [yaml: string, sentence: string]> = {
    'an unknown key': ['http:\n  prot: 1\n', 'Unknown key "http.prot" (pinstack.yaml:2): did you mean http.port?'],
    'a key in the wrong place': ['port: 1\n', 'Unknown key "port" (pinstack.yaml:1): did you mean http.port?'],
    'a dotted key': ['http.port: 1\n', 'Unknown key "http.port" (pinstack.yaml:1): write "http:" and, indented below it, "port:".'],
    'a key like no other': ['mail:\n  url: x\n', 'Unknown key "mail" (pinstack.yaml:1); `pinstack config print` lists all keys.'],
    'text for a number': ['http:\n  port: "80"\n', 'http.port must be a port from 0 to 65535, not "80" (pinstack.yaml:2).'],
    'a number out of range': ['http:\n  port: 65536\n', 'http.port must be a port from 0 to 65535, not "65536" (pinstack.yaml:2).'],
    'a broken number': ['http:\n  port: 80.5\n', 'http.port must be a port from 0 to 65535, not "80.5" (pinstack.yaml:2).'],
    'a word for true': ['rateLimits:\n  enabled: maybe\n', 'rateLimits.enabled must be true or false, not "maybe" (pinstack.yaml:2).'],
    'an unknown choice': [
      'log:\n  level: loud\n',
      'log.level must be one of trace, debug, info, warn, error, fatal, silent, not "loud" (pinstack.yaml:2).',
    ],
    'a group for a value': [
      'http:\n  port:\n    a: 1\n',
      'http.port must be a port from 0 to 65535, not a group of keys (pinstack.yaml:2).',
    ],
    'a value for a group': [
      'database: postgres://u:hunter2@h/d\n',
      'database must hold keys such as database.url, not a single value or a list (pinstack.yaml:1).',
    ],
    'a list for the file': [
      '- a\n',
      'The configuration file must hold keys such as "http:", not a single value or a list (pinstack.yaml:1).',
    ],
    'an alias of nothing in a list': ['http:\n  trustProxy: [*hunter2]\n', 'pinstack.yaml:2 cannot be read as YAML: bad alias.'],
    'a bare duration': [
      'auth:\n  accessTtl: 900\n',
      'auth.accessTtl must be a duration from 1s to 1d, written like 30s, 15m, 12h or 30d, not "900" (pinstack.yaml:2).',
    ],
    'a duration out of range': [
      'auth:\n  accessTtl: 25h\n',
      'auth.accessTtl must be a duration from 1s to 1d, written like 30s, 15m, 12h or 30d, not "25h" (pinstack.yaml:2).',
    ],
    'a key twice': ['http:\n  port: 1\n  port: 2\n', 'pinstack.yaml:3 cannot be read as YAML: duplicate key.'],
    'a tab': ['http:\n\tport: 1\n', 'pinstack.yaml:2 cannot be read as YAML: tab as indent.'],
    'an alias of nothing': ['http:\n  host: *hunter2\n', 'pinstack.yaml:2 cannot be read as YAML: bad alias.'],
    'two documents': ['http: {}\n---\nhttp: {}\n', 'pinstack.yaml:2 cannot be read as YAML: multiple docs.'],
    'an origin with a slash': [
      'http:\n  cors:\n    origins: [https://a.example/]\n',
      'http.cors.origins must be a list of at most 100 origins (`https://app.example.com`, without a slash at the end, or `*`), and this list is not (pinstack.yaml:3).',
    ],
    'one port twice': [
      'metrics:\n  port: 8080\n',
      'http.port (default) and metrics.port (pinstack.yaml:2) are the same port, 8080: give one of them another.',
    ],
    'a replica of SQLite': [
      'database:\n  replicaUrl: postgres://u@h/d\n',
      'database.replicaUrl (pinstack.yaml:2) is for Postgres, and database.url (default) is SQLite.',
    ],
    'two ways to sign': [
      `auth:\n  secret: ${goodSecret}\n  keysFile: k\n`,
      'auth.secret (pinstack.yaml:2) and auth.keysFile (pinstack.yaml:3) exclude each other: tokens are signed with one of them.',
    ],
    'one role on SQLite': [
      'roles: [worker]\n',
      'roles (pinstack.yaml:1) must be api,worker on SQLite, where one process does all: take Postgres (database.url) for several processes.',
    ],
    'an unknown role': [
      'roles: [jobs]\n',
      'roles must be a list of api, worker, each at most once, and this list is not (pinstack.yaml:1).',
    ],
    'no role': ['roles: []\n', 'roles must be a list of api, worker, each at most once, and this list is not (pinstack.yaml:1).'],
    'a broker without a port': [
      'kafka:\n  brokers: [kafka.example.com]\n',
      'kafka.brokers must be a list of at most 100 addresses such as `kafka-1.example.com:9092`, and this list is not (pinstack.yaml:2).',
    ],
    'a topic that Kafka would not take': [
      'kafka:\n  topics:\n    user: "users/all"\n',
      'kafka.topics.user must be the name of a topic: 1 to 249 letters, digits, `.`, `_` and `-`, not "users/all" (pinstack.yaml:3).',
    ],
    'half a sign-in at Kafka': [
      'kafka:\n  sasl:\n    username: ada\n    mechanism: plain\n',
      'kafka.sasl.mechanism, kafka.sasl.username and kafka.sasl.password go together: give all of them or none.',
    ],
    'a certificate without its key': [
      'kafka:\n  tls:\n    enabled: true\n    certFile: c\n',
      'kafka.tls.certFile (pinstack.yaml:4) and kafka.tls.keyFile (default) go together: give both or none.',
    ],
    'a certificate without TLS': [
      'kafka:\n  tls:\n    caFile: c\n',
      'kafka.tls.enabled (default) is false, and a file of kafka.tls is given: set it to true, or take the file away.',
    ],
    'a session shorter than its token': [
      'auth:\n  refreshTtl: 1m\n',
      'auth.refreshTtl (pinstack.yaml:2) must not be shorter than auth.accessTtl (default).',
    ],
  }
  it.each(Object.entries(yamlRefusals))('%s', (_, [yaml, sentence]) => {
    expect(refusal({ yaml })).toBe(sentence)
  })

  it('an unknown variable', () => {
    expect(refusal({ env: { PINSTACK_HTTP_PROT: '1' } })).toBe(
      'Unknown environment variable PINSTACK_HTTP_PROT: did you mean PINSTACK_HTTP_PORT?',
    )
  })

  it('an unknown flag', () => {
    expect(refusal({ flags: { 'http.prot': '1' } })).toBe('Unknown key "http.prot" (--set http.prot): did you mean http.port?')
  })

  it('a wrong variable, and a wrong flag', () => {
    expect(refusal({ env: { PORT: 'http' } })).toBe('http.port must be a port from 0 to 65535, not "http" (PORT).')
    expect(refusal({ flags: { 'http.port': '-1' }, flagNames: { 'http.port': '--port' } })).toBe(
      'http.port must be a port from 0 to 65535, not "-1" (--port).',
    )
    expect(refusal({ env: { PINSTACK_HTTP_TRUST_PROXY: '10.0.0.0/33' } })).toContain('http.trustProxy must be a list of')
  })

  it('a file that is not there, is a directory, or is too large', () => {
    expect(refusal({ file: 'none.yaml' })).toBe('The configuration file none.yaml does not exist.')
    expect(refusal({ file: dir })).toContain('is a directory.')
    expect(refusal({ yaml: `# ${'x'.repeat(1024 * 1024)}` })).toBe('The configuration file pinstack.yaml is larger than 1 MiB.')
  })

  it('a file that grows when it is read', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]', ...'bcdefghi'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`)}]`)]
    expect(refusal({ yaml: `${bomb.join('\n')}\n` })).toContain('Unknown key "a"')
    expect(refusal({ yaml: `http:\n  cors:\n    origins:\n${bomb.map((line) => `      - ${line.slice(3)}`).join('\n')}\n` })).toBe(
      'pinstack.yaml:3 cannot be read as YAML: bad alias.',
    )
  })
})

describe('secrets', () => {
  const weak: Record<string, string> = {
    'my-secret': 'is a known example',
    changeme: 'is a known example',
    x7Qp0: 'is too short: it has 5 bytes, at least 32 are needed',
    'a-string-secret-at-least-256-bits-long': 'is a known example',
    'your-super-secret-jwt-token-with-at-least-32-characters-long': 'is a known example',
    ['ab'.repeat(20)]: 'can be guessed',
    [goodSecret.slice(1)]: 'is too short: it has 31 bytes',
  }
  it.each(Object.entries(weak))('refuses %s', (secret, sentence) => {
    for (const message of [
      refusal({ env: { PINSTACK_AUTH_SECRET: secret } }),
      refusal({ env: { PINSTACK_AUTH_PREVIOUS_SECRETS: `${goodSecret},${secret}` } }),
    ]) {
      expect(message).toContain(sentence)
      expect(message).not.toContain(secret)
    }
  })

  it('accepts a good one, by bytes and not by characters', () => {
    expect(load({ env: { PINSTACK_AUTH_SECRET: goodSecret } }).config.auth.secret).toBe(goodSecret)
    expect(refusal({ env: { PINSTACK_AUTH_SECRET: 'ключикзамок1234567' } })).toContain('is too short: it has 29 bytes')
  })

  const urls: Record<string, string> = {
    'mysql://root:hunter2@h/d': 'mysql: is not supported',
    hunter2: 'this one has no scheme',
    'postgres:hunter2': 'must be sqlite:PATH or postgres://',
    'postgres://u:hunter2#@h:x/d': 'cannot be read as a URL',
    'postgres://u:hunter2@h': 'names no database',
    'sqlite:': 'names no file',
    'sqlite://hunter2/x.db': 'has two slashes',
    'sqlite::memory:': 'must name a file',
  }
  it.each(Object.entries(urls))('refuses the database URL %s without repeating it', (url, sentence) => {
    const message = refusal({ env: { PINSTACK_DATABASE_URL: url } })
    expect(message).toMatch(/^database\.url .* \(PINSTACK_DATABASE_URL\)\.$/)
    expect(message).toContain(sentence)
    expect(message).not.toContain('hunter2')
  })

  const redisUrls: Record<string, string> = {
    'hunter2@h': 'must be redis://',
    'postgres://u:hunter2@h/d': 'must be redis://',
    'redis://u:hunter2#@h:x/d': 'cannot be read as a URL',
    'redis://u:hunter2@h/mail': 'no number of a database',
  }
  it.each(Object.entries(redisUrls))('refuses the Redis URL %s without repeating it', (url, sentence) => {
    const message = refusal({ env: { PINSTACK_REDIS_URL: url } })
    expect(message).toMatch(/^redis\.url .* \(PINSTACK_REDIS_URL\)\.$/)
    expect(message).toContain(sentence)
    expect(message).not.toContain('hunter2')
  })

  it('says nothing of a value of the wrong type either', () => {
    expect(refusal({ yaml: 'auth:\n  secret: 12345678901234567890123456789012\n' })).toBe(
      'auth.secret must be a text of at least 32 bytes (pinstack.yaml:2).',
    )
    expect(refusal({ yaml: 'database:\n  url: [hunter2]\n' })).not.toContain('hunter2')
  })

  it('never lets one out of `describeConfig`', () => {
    const env = {
      PINSTACK_AUTH_SECRET: goodSecret,
      PINSTACK_AUTH_PREVIOUS_SECRETS: `${goodSecret}1,${goodSecret}2`,
      DATABASE_URL: 'postgres://u:hunter%212@h:5432/d?sslmode=require&password=hunter!2',
      PINSTACK_KAFKA_SASL_MECHANISM: 'plain',
      PINSTACK_KAFKA_SASL_USERNAME: 'ada',
      PINSTACK_KAFKA_SASL_PASSWORD: 'hunter2',
      PINSTACK_DATABASE_REPLICA_URL: 'postgresql://u:hunter!2@r/d',
      REDIS_URL: 'rediss://:hunter2@r:6379',
    }
    const { config, sources } = load({ env })
    const entries = describeConfig(config, sources)
    expect(JSON.stringify(entries)).not.toMatch(/hunter|h7Tq/)
    expect(entries.map(({ key }) => key)).toEqual([...configKeys.keys()])
    expect(entries).toContainEqual({
      key: 'database.url',
      value: 'postgres://u:********@h:5432/d?sslmode=require&password=********',
      source: 'DATABASE_URL',
    })
    expect(entries).toContainEqual({
      key: 'auth.previousSecrets',
      value: ['********', '********'],
      source: 'PINSTACK_AUTH_PREVIOUS_SECRETS',
    })
    expect(entries).toContainEqual({ key: 'auth.accessTtl', value: '15m', source: 'default' })
    expect(entries).toContainEqual({ key: 'auth.keysFile', value: null, source: 'default' })
  })
})

it('gives every key its own variable', () => {
  expect(variableOf('rateLimits.enabled')).toBe('PINSTACK_RATE_LIMITS_ENABLED')
  expect(new Set([...configKeys.keys()].map(variableOf)).size).toBe(configKeys.size)
})

it('refuses or reads any file, and never fails in another way', () => {
  const word = fc.constantFrom(
    'http',
    'port',
    'auth',
    'secret',
    'cors',
    'origins',
    ':',
    ' ',
    '\n',
    '  ',
    '- ',
    '*a',
    '&a ',
    '{',
    '}',
    '[',
    ']',
    '"',
    '1',
    '#',
    '!!set ',
    '|',
    '? ',
  )
  fc.assert(
    fc.property(fc.array(word, { maxLength: 25 }), (words) => {
      try {
        load({ yaml: words.join('') })
      } catch (error) {
        expect(error).toBeInstanceOf(ConfigError)
      }
    }),
    { numRuns: 300 },
  )
})

it('publishes a JSON schema that knows each key, and no other', () => {
  const names = (schema: any, prefix = ''): string[] =>
    Object.entries<any>(schema.properties).flatMap(([name, child]) => {
      expect(schema.additionalProperties).toBe(false)
      return child.properties ? names(child, `${prefix}${name}.`) : [`${prefix}${name}`]
    })
  const schema = configJsonSchema()
  expect(names(schema)).toEqual([...configKeys.keys()])
  expect(schema).toMatchObject({
    properties: {
      auth: { properties: { accessTtl: { type: 'string', default: '15m' } } },
      http: { properties: { port: { maximum: 65535 } } },
    },
  })
  expect(JSON.stringify(schema)).not.toContain('"required"')
})

it('has a row in docs/config.md for each key, and no other row', () => {
  const docs = readFileSync(new URL('../../../docs/config.md', import.meta.url), 'utf8')
  const found = docs
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .sort()
  expect(found).toEqual([...configKeys].map(([key, schema]) => docsRow(key, schema)).sort())
})

function docsRow(key: string, schema: any): string {
  const value = schema._zod.def.defaultValue
  const shown =
    value === undefined ? 'not set' : Array.isArray(value) ? value.map((item) => `\`${item}\``).join(' ') || 'empty' : `\`${value}\``
  const alias =
    {
      'http.port': ' `PORT`',
      'database.url': ' `DATABASE_URL`',
      'redis.url': ' `REDIS_URL`',
      'tracing.endpoint': ' `OTEL_EXPORTER_OTLP_ENDPOINT`',
    }[key] ?? ''
  return `| \`${key}\` | ${noteOf(schema).type} | ${shown} | \`${variableOf(key)}\`${alias} | ${unwrap(schema).description} |`
}
