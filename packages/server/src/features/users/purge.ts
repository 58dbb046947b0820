import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import { deleteUserRow, selectDeletedUser } from './store.ts'

/** Removes up to `rowsMax` rows that hang on a deleted user, and says how many it removed. 0 means that none is left. */
export type PurgeStep = (tx: Tx, userId: number, rowsMax: number) => Promise<number>

const batchMax = 500

/**
 * Removes what deleted users have left behind, one batch a call; true while more may be left. The rows of deleted users are
 * the list of what is to do, so it goes on where it was interrupted. Any number of processes may call it.
 */
export function createPurge(database: Database<Tables>) {
  let afterId = 0 // only what this process has come to: one user whose purge fails does not keep the others waiting
  return async (steps: readonly PurgeStep[]): Promise<boolean> => {
    let userId: number | undefined
    try {
      const outcome = await database.transaction(async (tx): Promise<'busy' | 'end' | 'more' | 'done'> => {
        if (!(await database.dialect.tryLock(tx, 'purge-users'))) return 'busy'
        userId = (await selectDeletedUser.first(tx, { afterId }))?.id
        if (userId === undefined) return 'end'
        for (const step of steps) if ((await step(tx, userId, batchMax)) > 0) return 'more'
        await deleteUserRow.run(tx, { id: userId })
        return 'done'
      })
      if (outcome === 'end') afterId = 0
      return outcome === 'more' || outcome === 'done'
    } catch (error) {
      if (userId !== undefined) afterId = userId
      throw error
    }
  }
}
