import { join } from 'node:path'
import { memoryCache } from './adapters/cache/memory.ts'
import { localDoorbell } from './adapters/doorbell/local.ts'
import { memoryRateLimiter, unlimited } from './adapters/rate-limiter/memory.ts'
import { compose, type App } from './compose.ts'
import type { Config } from './config.ts'
import { StartError } from './core/start-error.ts'
import { openKeyFile } from './features/auth/key-file.ts'
import { openSecretKeys, type Keyring } from './features/auth/keys.ts'
import { createPasswords } from './features/auth/passwords.ts'
import { absentFeatures, assertNotNewer, migrateUp, migrationStatus, type FeatureMigrations } from './migrations/index.ts'
import { makeFolder, openDatabase, type OpenDatabaseOptions } from './open-database.ts'
import { openSharedStores, type SharedStores } from './open-redis.ts'
import { systemClock, type Clock } from './ports/clock.ts'
import type { Database } from './ports/database.ts'
import type { Doorbell } from './ports/doorbell.ts'
import type { RateLimit, RateLimiter } from './ports/rate-limiter.ts'
import type { Guard } from './resilience.ts'
import type { Tables } from './schema.ts'
import type { Metrics } from './surfaces/metrics.ts'

export interface OpenAppOptions extends OpenDatabaseOptions {
  /** Applies what waits. Without it a database that is not up to date is refused. */
  migrate?: boolean
  /** Whose schema is brought up to date, or looked at, with Pinstack's own. */
  features?: readonly FeatureMigrations[]
  metrics?: Metrics
  /** Hears of what an operator should know, and of nothing secret. */
  warn?: (message: string, fields: Record<string, unknown>) => void
}

export interface OpenedApp {
  app: App
  database: Database<Tables>
  clock: Clock
  committed: Doorbell
  /** Rung after events have got their numbers. */
  sequenced: Doorbell
  limiter: RateLimiter
  /** Where `redis.url` names a Redis. */
  shared: SharedStores | undefined
  /** Of connections to Postgres, where the database is one. */
  guard: Guard | undefined
  /** For people: which database, and where. */
  storage: string
  close(): Promise<void>
}

/** The features over the configured storage, without any surface: what the server serves, and the command line works on. */
export async function openApp(config: Config, options: OpenAppOptions = {}): Promise<OpenedApp> {
  const { metrics, warn = () => {} } = options
  const clock = systemClock
  const { database, description, guard } = await openDatabase(config, {
    ...options,
    guard: {
      onState(name, state, before) {
        metrics?.breaker(name, state)
        if (before === 'closed') warn('postgres cannot be reached: requests are refused at once until a connection succeeds', {})
      },
      ...(metrics && { onFailure: metrics.dependencyFailure }),
    },
  })
  let keys: Keyring | undefined
  let shared: SharedStores | undefined
  try {
    shared = await openSharedStores(config, { metrics, warn })
    const committed = localDoorbell() // each process numbers what it has written: rung everywhere, every process would look after every commit
    const sequenced = shared?.doorbell('sequenced') ?? localDoorbell()
    const limiter = config.rateLimits.enabled
      ? withMaxima(shared?.limiter ?? memoryRateLimiter(metrics?.rateLimited), maximaOf(config))
      : unlimited
    await prepareSchema(database, options)
    keys = await openKeys(config, { clock, warn })
    const passwords = createPasswords()
    metrics?.passwordQueue(passwords.load)
    watchKeys(metrics, keys, clock)
    const app = compose({
      database,
      clock,
      committed,
      passwords,
      keys,
      warn,
      cache: shared?.cache ?? memoryCache(clock, { entriesMax: config.cache.entriesMax }),
      limiter,
      settings: {
        createByUsers: config.users.createByUsers,
        sendByUsers: config.notifications.sendByUsers,
        accessTtlMs: config.auth.accessTtl,
        refreshTtlMs: config.auth.refreshTtl,
        issuer: config.auth.issuer,
        audience: config.auth.audience,
      },
      live: { streamsPerUserMax: config.live.streamsPerUser, streamsMax: config.live.streamsMax },
      ...(metrics && { metrics }),
    })
    return {
      app,
      database,
      clock,
      committed,
      sequenced,
      limiter,
      shared,
      guard,
      storage: description,
      async close() {
        keys?.close()
        shared?.close()
        await database.close()
      },
    }
  } catch (error) {
    keys?.close()
    shared?.close()
    await database.close()
    throw error
  }
}

/** What `rateLimits` says of the limits that features have, by their names. */
function maximaOf({ rateLimits }: Config): Record<string, number> {
  return {
    login_address: rateLimits.loginsPerAddress,
    login_address_account: rateLimits.loginFailuresPerAddress,
    login_account: rateLimits.loginFailuresPerAccount,
    register_address: rateLimits.registrationsPerAddress,
    refresh_address: rateLimits.refreshesPerAddress,
  }
}

function withMaxima(limiter: RateLimiter, maxima: Record<string, number>): RateLimiter {
  const known = new Map<RateLimit, RateLimit>()
  const own = (limit: RateLimit): RateLimit => {
    let changed = known.get(limit)
    if (!changed) known.set(limit, (changed = { ...limit, max: maxima[limit.name] ?? limit.max }))
    return changed
  }
  const { consumeNow } = limiter
  return {
    consume: (limit, key, points) => limiter.consume(own(limit), key, points),
    ...(consumeNow && { consumeNow: (limit, key, points) => consumeNow(own(limit), key, points) }),
    refund: (limit, key) => limiter.refund(own(limit), key),
  }
}

function watchKeys(metrics: Metrics | undefined, keys: Keyring, clock: Clock): void {
  if (keys.signingKeyMadeAt() !== undefined) metrics?.signingKey(() => clock.nowMs() - Date.parse(keys.signingKeyMadeAt()!))
}

async function prepareSchema(database: Database<Tables>, { migrate, features = [], warn }: OpenAppOptions): Promise<void> {
  if (migrate) {
    await migrateUp(database, features)
    const absent = await absentFeatures(database.db, features)
    if (absent.length > 0) warn?.('the database has tables of features that this server does not have', { features: absent })
    return
  }
  await assertNotNewer(database.db, features)
  const waiting = (await migrationStatus(database, features)).filter(({ appliedAt }) => appliedAt === null)
  if (waiting.length > 0) {
    throw new StartError(`The database is not up to date (${waiting.length} migrations wait): run \`pinstack migrate up\` first.`)
  }
}

/** Where the signing keys are when the configuration does not name a place. */
export function keysFileOf(config: Config): string {
  return config.auth.keysFile ?? join(config.data.dir, 'keys.json')
}

async function openKeys(config: Config, { clock, warn }: { clock: Clock; warn: NonNullable<OpenAppOptions['warn']> }): Promise<Keyring> {
  const { secret, previousSecrets, accessTtl, keysFile } = config.auth
  if (secret) return openSecretKeys({ secret, previousSecrets })
  if (!keysFile) makeFolder(config.data.dir)
  if (!keysFile && config.database.url.startsWith('postgres')) {
    warn('signing keys are kept in data.dir: replicas on other machines need the same ones, by auth.secret or auth.keysFile', {
      path: keysFileOf(config),
    })
  }
  return openKeyFile({ path: keysFileOf(config), clock, accessTtlMs: accessTtl, warn })
}
