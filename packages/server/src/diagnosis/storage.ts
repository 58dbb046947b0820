import { sql } from 'kysely'
import { assertNotNewer, migrationStatus } from '../migrations/index.ts'
import type { OpenedStorage } from '../open-database.ts'
import type { Db } from '../schema.ts'
import { good, warning, wrong, type Finding } from './finding.ts'

const latencyMsMax = 50
/** Tokens and limits are told apart by seconds. */
const clockMsWarning = 1_000
const clockMsWrong = 5_000

/** How far away the database is. It was opened, so it is one that will do. */
export async function diagnoseConnection({ database, description }: OpenedStorage): Promise<Finding> {
  const times: number[] = []
  for (let turn = 0; turn < 5; turn++) {
    const startedMs = performance.now()
    await sql`select 1`.execute(database.db)
    times.push(performance.now() - startedMs)
  }
  const latencyMs = Math.min(...times)
  const found = `${description} answers within ${latencyMs.toFixed(1)} ms.`
  if (latencyMs <= latencyMsMax) return good('database', found)
  return warning('database', found, 'Every request waits for it several times: bring the two closer together, into one network.')
}

export async function diagnoseSchema({ database }: OpenedStorage): Promise<Finding> {
  try {
    await assertNotNewer(database.db)
  } catch (error) {
    return wrong('schema', (error as Error).message, 'Run the version of Pinstack that made it, or restore a backup from before.')
  }
  const waiting = (await migrationStatus(database)).filter(({ appliedAt }) => appliedAt === null).map(({ name }) => name)
  if (waiting.length === 0) return good('schema', 'All migrations are applied.')
  return wrong('schema', `Not applied: ${waiting.join(', ')}.`, 'Run `pinstack migrate up`, or start a server: it does so by itself.')
}

/** SQLite has no clock but this one. */
export async function diagnoseClock(db: Db): Promise<Finding> {
  const before = Date.now()
  const { rows } = await sql<{ ms: number }>`select (extract(epoch from clock_timestamp()) * 1000)::bigint as ms`.execute(db)
  const offMs = rows[0]!.ms - (before + Date.now()) / 2
  const found = `The clocks of this machine and of Postgres differ by ${(Math.abs(offMs) / 1_000).toFixed(2)} s.`
  const fix = 'Keep both machines on time: install chrony, or turn on systemd-timesyncd (`timedatectl set-ntp true`).'
  if (Math.abs(offMs) >= clockMsWrong) return wrong('clock', found, fix)
  return Math.abs(offMs) >= clockMsWarning ? warning('clock', found, fix) : good('clock', found)
}
