import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { accountErrors } from '../../core/account.ts'
import { isoTime } from '../../core/time.ts'
import { viewerErrors } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { Suspension } from './auth.ts'
import { clearSuspension, lockAccount, selectSuspension, setSuspension } from './store.ts'
import type { Viewers } from './viewers.ts'

/** What rows of accounts have of it. */
export interface SuspensionColumns {
  suspendedAt: string | null
  suspendedUntil: string | null
  suspendedReason: string | null
}

/** Null for an account that is not shut out, or not any more. */
export function suspensionOf({ suspendedAt, suspendedUntil, suspendedReason }: SuspensionColumns, nowMs: number): Suspension | null {
  if (suspendedAt === null || (suspendedUntil !== null && suspendedUntil <= isoTime(nowMs))) return null
  return { at: suspendedAt, until: suspendedUntil, reason: suspendedReason ?? '' }
}

/** Throws `auth.suspended`, which says why and until when, for an account that is shut out now. */
export function assertNotSuspended(row: SuspensionColumns, nowMs: number): void {
  const suspension = suspensionOf(row, nowMs)
  if (suspension) throw viewerErrors.suspended({ details: { until: suspension.until, reason: suspension.reason } })
}

export interface SuspensionDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  viewers: Viewers
  recordAudit: RecordAudit
  authorise: Authorise
}

/**
 * Shuts accounts out, and lets them in again. Their sessions stay, so that each request can be told why it is refused; nothing of what
 * they have published goes. Rejects with `users.not_found` and `auth.forbidden`.
 */
export function createSuspension({ database, clock, emit, viewers, recordAudit, authorise }: SuspensionDeps) {
  return {
    /** A second one takes the place of the first: `changed` is false when it says the same. `until` is null for one without an end. */
    suspend(actor: Actor, userId: number, { reason, until }: { reason: string; until: string | null }): Promise<{ changed: boolean }> {
      return database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        await lockAccount.run(tx, { userId })
        const before = await selectSuspension.first(tx, { userId })
        if (!before) throw accountErrors.not_found()
        const known = suspensionOf(before, clock.nowMs())
        if (known && known.reason === reason && known.until === until) return { changed: false }
        await setSuspension.run(tx, { userId, at: isoTime(clock.nowMs()), until, reason })
        await recordAudit(tx, { actor, action: 'user.suspend', target: { type: 'user', id: userId }, detail: { until, reason } })
        await emit(tx, { type: 'user_suspended', key: userId, payload: { user_id: userId, until } })
        database.afterCommit(tx, () => viewers.forget())
        return { changed: true }
      })
    },

    /** Idempotent: `changed` is false for an account that is not shut out. */
    restore(actor: Actor, userId: number): Promise<{ changed: boolean }> {
      return database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        await lockAccount.run(tx, { userId })
        const before = await selectSuspension.first(tx, { userId })
        if (!before) throw accountErrors.not_found()
        if (!suspensionOf(before, clock.nowMs())) return { changed: false }
        await clearSuspension.run(tx, { userId })
        await recordAudit(tx, { actor, action: 'user.restore', target: { type: 'user', id: userId } })
        await emit(tx, { type: 'user_restored', key: userId, payload: { user_id: userId } })
        database.afterCommit(tx, () => viewers.forget())
        return { changed: true }
      })
    },
  }
}
