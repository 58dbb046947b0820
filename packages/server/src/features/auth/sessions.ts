import { randomBytes } from 'node:crypto'
import type { Client } from '../../core/client.ts'
import { isoTime } from '../../core/time.ts'
import type { Viewer } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import type { AccessTokens } from './access-tokens.ts'
import { sessionsMax, type Session, type SessionEnd, type TokenPair } from './auth.ts'
import { hashOfToken, newRefreshToken } from './refresh-tokens.ts'
import {
  deleteOtherSessions,
  deleteSession,
  deleteSessionOf,
  insertRefreshToken,
  insertSession,
  lockAccount,
  selectExcessSessions,
  selectSessions,
} from './store.ts'
import type { Viewers } from './viewers.ts'

/** Whoever has more sessions than this pays one more query at sign-in, for a count that no sign-in at the same time can get past. */
const sessionsUncounted = sessionsMax / 2

/** What a token pair is made of. */
export interface Grant {
  userId: number
  sessionId: string
  refreshToken: string
  issuedMs: number
}

interface EndedSession {
  id: string
  userId: number
}

export interface SessionDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  tokens: AccessTokens
  viewers: Viewers
  refreshTtlMs: number
  record: { sessionStarted(): void; sessionEnded(reason: SessionEnd): void }
}

export type Sessions = ReturnType<typeof createSessions>

/** Sessions from their beginning to their end. Functions that take `tx` are parts of someone's transaction. */
export function createSessions({ database, clock, emit, tokens, viewers, refreshTtlMs, record }: SessionDeps) {
  async function insertToken(
    tx: Tx,
    { userId, sessionId }: { userId: number; sessionId: string },
    refreshToken = newRefreshToken(),
  ): Promise<Grant> {
    const issuedMs = clock.nowMs()
    const [createdAt, expiresAt] = [isoTime(issuedMs), isoTime(issuedMs + refreshTtlMs)]
    await insertRefreshToken.run(tx, { hash: hashOfToken(refreshToken), sessionId, createdAt, expiresAt })
    return { userId, sessionId, refreshToken, issuedMs }
  }

  /** Says why, to whoever listens, and at once to the requests of this process. */
  async function reportEnd(tx: Tx, ended: readonly EndedSession[], reason: SessionEnd): Promise<void> {
    for (const { id, userId } of ended)
      await emit(tx, { type: 'session_revoked', key: userId, payload: { user_id: userId, session_id: id, reason } })
    database.afterCommit(tx, () => {
      viewers.forget(ended.map(({ id }) => id))
      for (const _ of ended) record.sessionEnded(reason)
    })
  }

  return {
    insertToken,

    /** `sessionCount` is how many the account has, roughly: only whoever has many is counted exactly. */
    async start(tx: Tx, userId: number, { client, sessionCount }: { client: Client; sessionCount: number }): Promise<Grant> {
      const now = isoTime(clock.nowMs())
      const sessionId = randomBytes(16).toString('base64url')
      await insertSession.run(tx, {
        id: sessionId,
        userId,
        device: client.device,
        address: client.address,
        createdAt: now,
        lastUsedAt: now,
      })
      const grant = await insertToken(tx, { userId, sessionId })
      if (sessionCount >= sessionsUncounted) {
        const excess = await selectExcessSessions.all(tx, { userId, keptId: sessionId, keep: sessionsMax - 1, limit: sessionsMax })
        for (const { id } of excess) await deleteSession.all(tx, { sessionId: id })
        await reportEnd(
          tx,
          excess.map(({ id }) => ({ id, userId })),
          'pruned',
        )
      }
      database.afterCommit(tx, () => record.sessionStarted())
      return grant
    },

    async end(tx: Tx, sessionId: string, reason: SessionEnd): Promise<boolean> {
      const ended = await deleteSession.all(tx, { sessionId })
      await reportEnd(tx, ended, reason)
      return ended.length > 0
    },

    /** Lock the account first. `keptId` is null to end them all. */
    async endOthers(tx: Tx, userId: number, { keptId, reason }: { keptId: string | null; reason: SessionEnd }): Promise<number> {
      const ended = await deleteOtherSessions.all(tx, { userId, keptId: keptId ?? '' })
      await reportEnd(tx, ended, reason)
      return ended.length
    },

    /** For after the commit. */
    async pairOf({ userId, sessionId, refreshToken, issuedMs }: Grant): Promise<TokenPair> {
      const { token, expiresMs } = await tokens.sign({ userId, sessionId, issuedMs })
      return { accessToken: token, refreshToken, accessExpiresAt: isoTime(expiresMs) }
    },

    /** The last used first. */
    list(userId: number): Promise<Session[]> {
      return selectSessions.all(database.db, { userId, usedAfter: isoTime(clock.nowMs() - refreshTtlMs), limit: sessionsMax })
    },

    /** Ends one of the viewer's sessions; also the one that asks. Idempotent: false when there is none. */
    revoke(viewer: Viewer, sessionId: string): Promise<{ revoked: boolean }> {
      return database.transaction(async (tx) => {
        const ended = await deleteSessionOf.all(tx, { sessionId, userId: viewer.id })
        await reportEnd(tx, ended, 'revoked')
        return { revoked: ended.length > 0 }
      })
    },

    /** Ends all of the viewer's sessions but the one that asks. */
    revokeOthers(viewer: Viewer): Promise<{ revoked: number }> {
      return database.transaction(async (tx) => {
        await lockAccount.run(tx, { userId: viewer.id })
        const ended = await deleteOtherSessions.all(tx, { userId: viewer.id, keptId: viewer.sessionId })
        await reportEnd(tx, ended, 'revoked')
        return { revoked: ended.length }
      })
    },
  }
}
