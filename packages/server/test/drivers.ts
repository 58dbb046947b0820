import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { afterAll, beforeAll, describe } from 'vitest'
import { openPostgres } from '../src/adapters/database/postgres.ts'
import { openSqlite } from '../src/adapters/database/sqlite.ts'
import type { OnQuery } from '../src/adapters/database/watched-driver.ts'
import type { Database } from '../src/ports/database.ts'

export interface OpenedDatabase<Tables> {
  database: Database<Tables>
  /** What another process needs to open the same one: `sqlite:/path` or `postgres://…`. */
  url: string
  /** Opens the same database once more, as another process would. Close it yourself. */
  openAgain(): Database<Tables>
  drop(): Promise<void>
}

export type DriverName = 'sqlite' | 'postgres'
type Driver = <Tables>(onQuery?: OnQuery) => Promise<OpenedDatabase<Tables>>

/** The server that scripts/ or CI started; without it the Postgres half of each suite is skipped, and says so. */
const postgresUrl = process.env.TEST_POSTGRES_URL

export const drivers: Record<DriverName, Driver> = {
  async sqlite<Tables>(onQuery?: OnQuery) {
    const folder = mkdtempSync(join(tmpdir(), 'pinstack-'))
    const path = join(folder, 'test.sqlite')
    const open = () => openSqlite<Tables>(path, { synchronous: 'normal', ...(onQuery && { onQuery }) })
    const database = open()
    return {
      database,
      url: `sqlite:${path}`,
      openAgain: open,
      async drop() {
        await database.close()
        rmSync(folder, { recursive: true, force: true })
      },
    }
  },
  async postgres<Tables>(onQuery?: OnQuery) {
    const url = new URL(postgresUrl!)
    const admin = new pg.Pool({ connectionString: url.href, max: 1 })
    const name = `test_${randomBytes(6).toString('hex')}`
    // @NOTE the locale is one that sorts otherwise than bytes: a C locale hides mistakes.
    await admin.query(`create database ${name} template template0 locale_provider icu icu_locale 'en-US'`)
    url.pathname = name
    const open = () => openPostgres<Tables>({ url: url.href, poolMax: 8, ...(onQuery && { onQuery }) })
    const database = open()
    return {
      database,
      url: url.href,
      openAgain: open,
      async drop() {
        await database.close()
        await admin.query(`drop database ${name} with (force)`)
        await admin.end()
      },
    }
  },
}

/** Declares a suite once for each engine. A missing server skips its half loudly, and fails it in CI. */
export function onEachDriver(title: string, suite: (driver: DriverName) => void): void {
  for (const name of Object.keys(drivers) as DriverName[]) onDriver(name, title, suite)
}

/** For what only one engine has: a connection that can be cut, a replica. */
export function onDriver(name: DriverName, title: string, suite: (driver: DriverName) => void): void {
  const missing = name === 'postgres' && !postgresUrl
  if (missing && process.env.CI) throw new Error('TEST_POSTGRES_URL is required in CI')
  const reason = process.env.TEST_POSTGRES_MISSING ?? 'TEST_POSTGRES_URL is not set'
  if (missing) describe.skip(`${title} [${name}] — ${reason}`, () => suite(name))
  else describe(`${title} [${name}]`, () => suite(name))
}

/** One new, empty database of the engine for a whole suite. */
export function useDatabase<Tables>(driver: DriverName, onQuery?: OnQuery): OpenedDatabase<Tables> {
  const opened = {} as OpenedDatabase<Tables>
  beforeAll(async () => void Object.assign(opened, await drivers[driver]<Tables>(onQuery)))
  afterAll(() => opened.drop?.())
  return opened
}
