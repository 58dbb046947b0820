import { accessSync, constants, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { maskDatabaseUrl, type Config } from './config.ts'
import type { PoolState } from './adapters/database/postgres.ts'
import type { OnTransaction } from './adapters/database/transaction.ts'
import type { OnQuery } from './adapters/database/watched-driver.ts'
import { makeFolders } from './core/folders.ts'
import { StartError } from './core/start-error.ts'
import { DatabaseUnavailable, type Database } from './ports/database.ts'
import { createGuard, type Guard, type GuardOptions } from './resilience.ts'
import type { Tables } from './schema.ts'

export interface OpenDatabaseOptions {
  onQuery?: OnQuery
  onTransaction?: OnTransaction
  onPool?: (pool: PoolState) => void
  /** Hears that the start waits for a database that is away, once. */
  onWaiting?: (reason: string) => void
  onConnectionError?: (error: Error) => void
  /** Hear how Postgres is doing. */
  guard?: Pick<GuardOptions, 'onState' | 'onFailure'>
  /** Refuses a second server on the same SQLite file, for as long as the database is open. */
  exclusive?: boolean
}

export interface OpenedStorage {
  database: Database<Tables>
  /** For people: `SQLite, /srv/pinstack-data/pinstack.db`; never a password. */
  description: string
  /** Stands before every connection to Postgres. */
  guard?: Guard
}

/** Opens what `database.url` names. The driver of the other engine is not even loaded. */
export async function openDatabase(config: Config, options: OpenDatabaseOptions = {}): Promise<OpenedStorage> {
  return config.database.url.startsWith('sqlite:') ? openSqliteFile(config, options) : openPostgresServer(config, options)
}

async function openSqliteFile(config: Config, { onQuery, onTransaction, exclusive = false }: OpenDatabaseOptions): Promise<OpenedStorage> {
  const { openSqlite } = await import('./adapters/database/sqlite.ts')
  const { checkSqliteFile, lockSqliteFile } = await import('./adapters/database/sqlite-file.ts')
  const path = resolve(config.data.dir, config.database.url.slice('sqlite:'.length))
  makeFolder(dirname(path))
  const unlock = exclusive ? lockSqliteFile(path) : () => {}
  try {
    checkSqliteFile(path, { waitMs: config.database.startTimeoutMs })
    const database = openSqlite<Tables>(path, {
      synchronous: config.database.synchronous,
      ...(onQuery && { onQuery }),
      ...(onTransaction && { onTransaction }),
    })
    return { database: closingAlso(database, unlock), description: `SQLite, ${path}` }
  } catch (error) {
    unlock()
    throw error
  }
}

export function makeFolder(path: string): void {
  try {
    makeFolders(path)
    if (!statSync(path).isDirectory()) throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' })
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StartError(
      `The data directory ${path} cannot be written (${code}): make it a directory that this user may write, or choose another with --data (data.dir).`,
      { cause: error },
    )
  }
}

function closingAlso(database: Database<Tables>, also: () => void): Database<Tables> {
  return {
    ...database,
    async close() {
      await database.close()
      also()
    },
  }
}

const retryEveryMs = 250
const connectTimeoutMs = 5_000
/** Statements and transactions at once. Those that find no connection wait, and for no longer than one may take to be made. */
const connectionsWantedMax = 10_000
const versionMin = 14

async function openPostgresServer(config: Config, options: OpenDatabaseOptions): Promise<OpenedStorage> {
  const { openPostgres, readServerVersion } = await import('./adapters/database/postgres.ts')
  const { url, startTimeoutMs, replicaUrl, poolMax, statementTimeoutMs, lockTimeoutMs } = config.database
  const { onQuery, onTransaction, onPool, onConnectionError, onWaiting } = options
  let guard: Guard | undefined
  const database = openPostgres<Tables>({
    url,
    guarded: (connecting) => (guard ? guard.run(connecting) : connecting()),
    connectTimeoutMs,
    replicaUrl,
    poolMax,
    statementTimeoutMs,
    lockTimeoutMs,
    ...(onQuery && { onQuery }),
    ...(onTransaction && { onTransaction }),
    ...(onPool && { onPool }),
    ...(onConnectionError && { onConnectionError }),
  })
  const shown = maskDatabaseUrl(url)
  const deadlineMs = performance.now() + startTimeoutMs
  for (let told = false; ; told = true) {
    try {
      const { major, text } = await readServerVersion(database.db)
      if (major < versionMin) throw new StartError(`Postgres at ${shown} is version ${text}; Pinstack needs ${versionMin} or newer.`)
      // From here on; a start waits for Postgres, and says why.
      guard = createGuard({
        name: 'postgres',
        timeoutMs: 2 * connectTimeoutMs, // the pool gives up first; one that it hands out after this would be lost
        bulkhead: { runningMax: connectionsWantedMax },
        ...options.guard,
      })
      return { database, description: `Postgres ${text}, ${shown}`, guard }
    } catch (error) {
      const reason = reasonOf(error)
      if (!(error instanceof DatabaseUnavailable) || performance.now() > deadlineMs) {
        await database.close()
        if (error instanceof StartError) throw error
        throw new StartError(`Postgres at ${shown} cannot be used (${reason}): start it, or correct database.url.`, { cause: error })
      }
      if (!told) onWaiting?.(`Waiting for Postgres at ${shown} (${reason})`)
      await sleep(retryEveryMs)
    }
  }
}

/** The driver's own words: `ECONNREFUSED`, `password authentication failed for user "x"`. */
function reasonOf(error: unknown): string {
  const cause = error instanceof DatabaseUnavailable ? error.cause : error
  const { code, message } = cause as { code?: string; message?: string }
  return message || code || 'no answer'
}
