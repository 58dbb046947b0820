import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import { graceMs, keepExpiredMs } from './auth.ts'
import {
  clearSealsSpentBefore,
  deleteExpiredSetupTokens,
  deleteSessionsOfUser,
  deleteSessionsUnusedSince,
  deleteTokensExpiredBefore,
  deleteTokensOfUser,
} from './store.ts'

/** A batch takes a few milliseconds: on SQLite nobody else writes meanwhile. */
const batchMax = 500

/** A step of purging a deleted user: removes up to `rowsMax` rows and says how many. 0 means that nothing is left. */
export async function purgeAuthOf(tx: Tx, userId: number, rowsMax: number): Promise<number> {
  const tokens = await deleteTokensOfUser.run(tx, { userId, limit: rowsMax })
  return tokens || deleteSessionsOfUser.run(tx, { userId, limit: rowsMax })
}

/** Removes what expired long ago, in one batch; true while more may be left. Any number of processes may call it. */
export function purgeExpiredTokens(deps: { database: Database<Tables>; clock: Clock; refreshTtlMs: number }): Promise<boolean> {
  const { database, clock, refreshTtlMs } = deps
  return database.transaction(async (tx) => {
    if (!(await database.dialect.tryLock(tx, 'purge-tokens'))) return false
    const nowMs = clock.nowMs()
    const removed = [
      await clearSealsSpentBefore.run(tx, { time: isoTime(nowMs - graceMs), limit: batchMax }),
      await deleteTokensExpiredBefore.run(tx, { time: isoTime(nowMs - keepExpiredMs), limit: batchMax }),
      await deleteSessionsUnusedSince.run(tx, { time: isoTime(nowMs - refreshTtlMs - keepExpiredMs), limit: batchMax }),
    ]
    await deleteExpiredSetupTokens.run(tx, { now: isoTime(nowMs) })
    return removed.some((count) => count === batchMax)
  })
}
