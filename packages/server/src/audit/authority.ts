import { hasRole, viewerErrors, type Role } from '../core/viewer.ts'
import { isoTime } from '../core/time.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import { query } from '../query.ts'
import type { Db, Tables, Tx } from '../schema.ts'
import type { Actor } from './audit.ts'

/** Rejects with `auth.forbidden` when the actor may not do, by now, what the role may. First in the transaction of an action. */
export type Authorise = (tx: Tx, actor: Actor, needed: Exclude<Role, 'user'>) => Promise<void>

/**
 * Looks at the actor's role in the transaction of the action: what a request knows of it may be a second old. Actions take turns, so
 * that of two admins who demote each other at once one is left. The host may do everything.
 */
export function createAuthority({ database, clock }: { database: Database<Tables>; clock: Clock }): Authorise {
  return async (tx, actor, needed) => {
    if (actor.kind === 'host') return
    await database.dialect.lock(tx, 'staff')
    const found = await selectStaffMember.first(tx, { id: actor.id, now: isoTime(clock.nowMs()) })
    if (!found || !hasRole(found.role, needed)) throw viewerErrors.forbidden()
  }
}

const selectStaffMember = query<{ id: number; now: string }>()((db: Db, { id, now }) =>
  db
    .selectFrom('user')
    .where('id', '=', id)
    .where('deletedAt', 'is', null)
    .where((eb) => eb.or([eb('suspendedAt', 'is', null), eb('suspendedUntil', '<=', now)]))
    .select('role'),
)
