import { statSync } from 'node:fs'
import SqliteClient from 'better-sqlite3'
import { StartError } from '../../core/start-error.ts'
import { codeOf } from './sqlite.ts'

/** Up to this size the whole file is checked at the start: it takes about a tenth of a second at most. */
const checkBytesMax = 64 * 1024 * 1024

/** Opens the file once and looks whether it is a sound database that this process may write. Creates it when it is not there. */
export function checkSqliteFile(path: string, { waitMs }: { waitMs: number }): void {
  let client: SqliteClient.Database | undefined
  try {
    client = new SqliteClient(path, { timeout: waitMs })
    client.pragma('journal_mode = WAL')
    client.exec('begin immediate; rollback')
    const isSmall = statSync(path).size <= checkBytesMax
    const verdict = isSmall ? client.pragma('quick_check(1)', { simple: true }) : 'ok'
    if (verdict !== 'ok') throw corrupt(path, String(verdict))
  } catch (error) {
    throw explained(path, error)
  } finally {
    client?.close()
  }
}

function explained(path: string, error: unknown): unknown {
  const code = codeOf(error)
  const message = (error as Error).message
  if (code.startsWith('SQLITE_BUSY')) {
    return new StartError(
      `The database file ${path} is locked by another process: stop that process, or choose another file with --data or --database.`,
      { cause: error },
    )
  }
  if (code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT')) return corrupt(path, message, error)
  if (/^SQLITE_(CANTOPEN|READONLY|IOERR|FULL|PERM)/.test(code)) {
    return new StartError(
      `The database file ${path} cannot be written (${code}: ${message}): check its rights and the free space of the disk.`,
      { cause: error },
    )
  }
  return error
}

function corrupt(path: string, detail: string, cause?: unknown): StartError {
  return new StartError(
    `The database file ${path} is damaged or is no SQLite database (${detail}): restore it from a backup, or move it away to begin anew.`,
    { cause },
  )
}

/**
 * Holds the one right to serve a file, until the returned function is called or the process ends, however it ends. The lock
 * is SQLite's own, on a small file beside the database: it cannot be left behind by a crash.
 */
export function lockSqliteFile(path: string): () => void {
  const lockPath = `${path}.lock`
  let client: SqliteClient.Database | undefined
  try {
    client = new SqliteClient(lockPath, { timeout: 0 })
    client.exec('begin exclusive')
    return () => void client!.close()
  } catch (error) {
    client?.close()
    if (!codeOf(error).startsWith('SQLITE_BUSY')) throw explained(lockPath, error)
    throw new StartError(
      `Another Pinstack server is running on ${path}: stop it first, or choose another directory with --data (data.dir). Several servers at once need Postgres.`,
      { cause: error },
    )
  }
}
