import { accountErrors } from '../../core/account.ts'
import type { Client } from '../../core/client.ts'
import { networkOf } from '../../core/network.ts'
import { isoTime } from '../../core/time.ts'
import { viewerErrors } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { RateLimiter } from '../../ports/rate-limiter.ts'
import type { Tables, Tx } from '../../schema.ts'
import { authErrors, graceMs, type TokenPair } from './auth.ts'
import { limits } from './limits.ts'
import { hashOfToken, isRefreshToken, newRefreshToken, openSuccessor, sealSuccessor } from './refresh-tokens.ts'
import type { Grant, Sessions } from './sessions.ts'
import { selectRefreshToken, spendRefreshToken, touchSession } from './store.ts'
import { assertNotSuspended, suspensionOf } from './suspension.ts'

/** Refreshes within one grace that a token which is sent again is followed through. Ten seconds hold a handful. */
const hopsMax = 32

export interface RefreshDeps {
  database: Database<Tables>
  clock: Clock
  limiter: RateLimiter
  sessions: Sessions
  warn(message: string, fields: Record<string, unknown>): void
}

type Refusal =
  | { why: 'unknown' | 'spent' | 'expired' | 'user deleted' }
  | { why: 'suspended'; row: Row }
  | { why: 'reused'; sessionId: string; userId: number }
type Row = NonNullable<Awaited<ReturnType<typeof selectRefreshToken.first>>>

/** The exchange of refresh tokens, and sign-out by them. A token is spent once; REST-V1 0.4 and 2.1 (A3, A4). */
export function createRefresh({ database, clock, limiter, sessions, warn }: RefreshDeps) {
  const find = (tx: Tx, token: string) => selectRefreshToken.first(tx, { hash: hashOfToken(token) })
  const isRacing = ({ spentAt }: Row) => clock.nowMs() - Date.parse(spentAt!) <= graceMs

  async function rotate(tx: Tx, token: string, successor: string): Promise<Grant | Refusal> {
    const row = await find(tx, token)
    if (!row) return { why: 'unknown' }
    if (row.expiresAt <= isoTime(clock.nowMs())) return { why: 'expired' }
    if (row.userDeletedAt !== null) return { why: row.spentAt === null ? 'user deleted' : 'spent' }
    if (suspensionOf(row, clock.nowMs())) return { why: 'suspended', row } // unspent: it is good again afterwards
    if (row.spentAt !== null) return answerAgain(tx, token, row)

    // The session before the token, as a revocation has them: else each could hold what the other waits for.
    const now = isoTime(clock.nowMs())
    if ((await touchSession.run(tx, { sessionId: row.sessionId, lastUsedAt: now })) === 0) return { why: 'unknown' }
    const spent = await spendRefreshToken.run(tx, {
      hash: hashOfToken(token),
      spentAt: now,
      sealedSuccessor: sealSuccessor(token, successor),
    })
    if (spent === 1) return sessions.insertToken(tx, row, successor)
    const raced = await find(tx, token) // another one spent it while this one waited for the session
    return raced ? answerAgain(tx, token, raced) : { why: 'unknown' }
  }

  /** At once: the newest pair that came of the token, byte for byte. Later: somebody else has it, and the session ends. */
  async function answerAgain(tx: Tx, token: string, row: Row): Promise<Grant | Refusal> {
    if (!isRacing(row)) return endReused(tx, row)
    for (let hop = 0; hop < hopsMax; hop++) {
      if (row.spentAt === null)
        return { userId: row.userId, sessionId: row.sessionId, refreshToken: token, issuedMs: Date.parse(row.createdAt) }
      if (row.sealedSuccessor === null) break
      token = openSuccessor(token, row.sealedSuccessor)
      const next = await find(tx, token)
      if (!next) break
      row = next
    }
    return { why: 'spent' }
  }

  async function endReused(tx: Tx, { sessionId, userId }: Row): Promise<Refusal> {
    await sessions.end(tx, sessionId, 'reuse')
    return { why: 'reused', sessionId, userId }
  }

  function refuse(refusal: Refusal): never {
    if (refusal.why === 'expired') throw viewerErrors.unauthenticated()
    if (refusal.why === 'user deleted') throw accountErrors.not_found()
    if (refusal.why === 'suspended') assertNotSuspended(refusal.row, clock.nowMs())
    if (refusal.why === 'reused') {
      warn('a spent refresh token came back, and its session was ended', { user_id: refusal.userId, session_id: refusal.sessionId })
    }
    throw authErrors.invalid_refresh_token()
  }

  return {
    async refresh(token: string, client: Client): Promise<TokenPair> {
      await limiter.consume(limits.refreshPerAddress, networkOf(client.address))
      if (!isRefreshToken(token)) throw authErrors.invalid_refresh_token()
      const successor = newRefreshToken()
      // @NOTE refused below and not inside: what a refusal has to write would be rolled back.
      const outcome = await database.transaction((tx) => rotate(tx, token, successor))
      return 'why' in outcome ? refuse(outcome) : sessions.pairOf(outcome)
    },

    /** An expired token has nothing left to end: that is success. */
    async logout(token: string, client: Client): Promise<void> {
      await limiter.consume(limits.refreshPerAddress, networkOf(client.address))
      if (!isRefreshToken(token)) throw authErrors.invalid_refresh_token()
      const refusal = await database.transaction(async (tx): Promise<Refusal | undefined> => {
        const row = await find(tx, token)
        if (!row) return { why: 'unknown' }
        if (row.expiresAt <= isoTime(clock.nowMs())) return
        if (row.spentAt === null) return (await sessions.end(tx, row.sessionId, 'logout')) ? undefined : { why: 'unknown' }
        if (isRacing(row)) return { why: 'spent' }
        return endReused(tx, row)
      })
      if (refusal) refuse(refusal)
    },
  }
}
