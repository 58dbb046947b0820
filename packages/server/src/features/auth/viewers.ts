import { LRUCache } from 'lru-cache'
import { viewerErrors, type Authenticate, type Role } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { AccessClaims, AccessTokens } from './access-tokens.ts'
import { viewerTtlMs } from './auth.ts'
import { selectSessionViewer } from './store.ts'
import { assertNotSuspended, type SuspensionColumns } from './suspension.ts'

const sessionsCachedMax = 10_000

export interface Viewers {
  authenticate: Authenticate
  /** The sessions have ended, or their users' roles have changed, or whether they are shut out: the next request asks the database. Without ids: all. */
  forget(sessionIds?: readonly string[]): void
}

type ViewerRow = { role: Role } & SuspensionColumns

interface State {
  startedMs: number
  userId: number
  row: Promise<ViewerRow | undefined>
}

/**
 * Finds out who sends a token: the signature says which session, the database whether it lives. That answer is used for
 * `viewerTtlMs` from when it was asked for, so that a session which ends elsewhere ends here, too, whatever buses are up.
 */
export function createViewers({ database, clock, tokens }: { database: Database<Tables>; clock: Clock; tokens: AccessTokens }): Viewers {
  const states = new LRUCache<string, State>({ max: sessionsCachedMax })

  function rowOf({ userId, sessionId }: AccessClaims): Promise<ViewerRow | undefined> {
    const nowMs = clock.nowMs()
    const known = states.get(sessionId)
    const ageMs = known ? nowMs - known.startedMs : Infinity
    if (known && known.userId === userId && ageMs >= 0 && ageMs < viewerTtlMs) return known.row // below 0 when the clock was set back
    const row = selectSessionViewer.first(database.db, { userId, sessionId })
    // Kept before it is answered: who comes meanwhile shares it, and `forget` also hits an answer that is still under way.
    const state = { startedMs: nowMs, userId, row }
    states.set(sessionId, state)
    row.catch(() => {
      if (states.get(sessionId) === state) states.delete(sessionId)
    })
    return row
  }

  return {
    async authenticate(token) {
      const claims = await tokens.verify(token)
      const row = await rowOf(claims)
      if (!row) throw viewerErrors.unauthenticated()
      if (row.suspendedAt !== null) assertNotSuspended(row, clock.nowMs())
      return { id: claims.userId, role: row.role, sessionId: claims.sessionId }
    },
    forget(sessionIds) {
      if (!sessionIds) return states.clear()
      for (const id of sessionIds) states.delete(id)
    },
  }
}
