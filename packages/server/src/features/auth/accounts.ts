import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import { clearSuspension, deleteCredential, eraseSessions, insertCredential } from './store.ts'
import type { Viewers } from './viewers.ts'

export interface AccountDeps {
  database: Database<Tables>
  clock: Clock
  viewers: Viewers
  record: { sessionEnded(reason: 'deleted'): void }
}

/** What an account's beginning and end mean here, in the transaction of the users feature. */
export function createAccounts({ database, clock, viewers, record }: AccountDeps) {
  return {
    async open(tx: Tx, { userId, passwordHash }: { userId: number; passwordHash: string }): Promise<void> {
      await insertCredential.run(tx, { userId, passwordHash, changedAt: isoTime(clock.nowMs()) })
    },
    /** @NOTE the credential first: it is the account's lock, see store.ts. */
    async close(tx: Tx, userId: number): Promise<void> {
      await deleteCredential.run(tx, { userId })
      await clearSuspension.run(tx, { userId }) // the reason may be personal
      const sessions = await eraseSessions.all(tx, { userId })
      database.afterCommit(tx, () => {
        viewers.forget(sessions.map(({ id }) => id))
        for (const _ of sessions) record.sessionEnded('deleted')
      })
    },
  }
}
