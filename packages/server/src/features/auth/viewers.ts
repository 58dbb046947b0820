import { LRUCache } from 'lru-cache'
import { viewerErrors, type Authenticate, type Role } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { AccessClaims, AccessTokens } from './access-tokens.ts'
import { viewerTtlMs } from './auth.ts'
import { selectSessionViewer } from './store.ts'

const sessionsCachedMax = 10_000

export interface Viewers {
  authenticate: Authenticate
  /** The sessions have ended, or their users' roles have changed: the next request asks the database. Without ids: all. */
  forget(sessionIds?: readonly string[]): void
}

interface State {
  startedMs: number
  userId: number
  role: Promise<Role | undefined>
}

/**
 * Finds out who sends a token: the signature says which session, the database whether it lives. That answer is used for
 * `viewerTtlMs` from when it was asked for, so that a session which ends elsewhere ends here, too, whatever buses are up.
 */
export function createViewers({ database, clock, tokens }: { database: Database<Tables>; clock: Clock; tokens: AccessTokens }): Viewers {
  const states = new LRUCache<string, State>({ max: sessionsCachedMax })

  function roleOf({ userId, sessionId }: AccessClaims): Promise<Role | undefined> {
    const nowMs = clock.nowMs()
    const known = states.get(sessionId)
    const ageMs = known ? nowMs - known.startedMs : Infinity
    if (known && known.userId === userId && ageMs >= 0 && ageMs < viewerTtlMs) return known.role // below 0 when the clock was set back
    const role = selectSessionViewer.first(database.db, { userId, sessionId }).then((row) => row?.role)
    // Kept before it is answered: who comes meanwhile shares it, and `forget` also hits an answer that is still under way.
    const state = { startedMs: nowMs, userId, role }
    states.set(sessionId, state)
    role.catch(() => {
      if (states.get(sessionId) === state) states.delete(sessionId)
    })
    return role
  }

  return {
    async authenticate(token) {
      const claims = await tokens.verify(token)
      const role = await roleOf(claims)
      if (!role) throw viewerErrors.unauthenticated()
      return { id: claims.userId, role, sessionId: claims.sessionId }
    },
    forget(sessionIds) {
      if (!sessionIds) return states.clear()
      for (const id of sessionIds) states.delete(id)
    },
  }
}
