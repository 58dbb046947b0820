import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, beforeEach } from 'vitest'
import { memoryCache } from '../src/adapters/cache/memory.ts'
import { localDoorbell } from '../src/adapters/doorbell/local.ts'
import { memoryRateLimiter } from '../src/adapters/rate-limiter/memory.ts'
import { compose, type App, type AppDeps } from '../src/compose.ts'
import { openKeyFile } from '../src/features/auth/key-file.ts'
import { createPasswords } from '../src/features/auth/passwords.ts'
import { migrateUp } from '../src/migrations/index.ts'
import type { Clock } from '../src/ports/clock.ts'
import type { Database } from '../src/ports/database.ts'
import type { Tables } from '../src/schema.ts'
import { onEachDriver, useDatabase, type DriverName } from './drivers.ts'

export interface World {
  database: Database<Tables>
  app: App
  /** Stands still until it is moved. Begins at 2026-01-01T00:00:00.000Z. */
  clock: Clock & { advance(ms: number): void }
  warnings: { message: string; fields: Record<string, unknown> }[]
  /** Another process on the same database: own caches, own sessions, own limits, the same keys. */
  composeAgain(overrides?: Partial<AppDeps>): App
  /** How many statements `work` sends to the database, without `begin` and `commit`. */
  countQueries(work: () => Promise<unknown>): Promise<number>
}

const startMs = Date.UTC(2026, 0, 1)
/** In an order that foreign keys allow. */
const tables = [
  'processedEvent',
  'deadLetter',
  'lease',
  'outbox',
  'audit',
  'setupToken',
  'refreshToken',
  'session',
  'credential',
  'postTag',
  'postMedia',
  'tag',
  'removedPost',
  'post',
  'notification',
  'follow',
  'user',
] as const

/** Runs one suite on each engine, over a migrated database that is empty before each test. */
export function onEachDatabase(title: string, suite: (world: World, driver: DriverName) => void): void {
  onEachDriver(title, (driver) => {
    let queries = 0
    const opened = useDatabase<Tables>(driver, () => void queries++)
    const world = {
      async countQueries(work) {
        const before = queries
        await work()
        return queries - before
      },
    } as World
    let deps: AppDeps
    beforeAll(async () => {
      world.database = opened.database
      await migrateUp(opened.database)
    })
    beforeEach(async () => {
      await world.database.transaction(async (tx) => {
        for (const table of tables) await tx.deleteFrom(table).execute()
        await tx.updateTable('outboxPosition').where('name', '=', 'sequence').set({ seq: 0 }).execute()
        await tx.updateTable('postTotal').set({ count: 0 }).execute()
        await tx.deleteFrom('outboxPosition').where('name', '!=', 'sequence').execute()
      })
      let nowMs = startMs
      world.clock = { nowMs: () => nowMs, advance: (ms) => void (nowMs += ms) }
      world.warnings = []
      const warn = (message: string, fields: Record<string, unknown>) => void world.warnings.push({ message, fields })
      const path = join(mkdtempSync(join(tmpdir(), 'pinstack-keys-')), 'keys.json')
      deps = {
        database: world.database,
        clock: world.clock,
        cache: memoryCache(world.clock),
        limiter: memoryRateLimiter(),
        passwords: createPasswords(),
        keys: await openKeyFile({ path, clock: world.clock, accessTtlMs: 900_000, warn }),
        committed: localDoorbell(),
        settings: {
          createByUsers: true,
          sendByUsers: true,
          accessTtlMs: 900_000,
          refreshTtlMs: 30 * 86_400_000,
          issuer: 'pinstack',
          audience: 'pinstack',
        },
        live: { streamsPerUserMax: 3, streamsMax: 10 },
        warn,
      }
      world.composeAgain = (overrides) => compose({ ...deps, cache: memoryCache(world.clock), limiter: memoryRateLimiter(), ...overrides })
      world.app = compose(deps)
    })
    suite(world, driver)
  })
}
