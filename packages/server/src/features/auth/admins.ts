import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { accountErrors } from '../../core/account.ts'
import type { Client } from '../../core/client.ts'
import { isoTime } from '../../core/time.ts'
import type { Role } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import { authErrors, setupTokenTtlMs } from './auth.ts'
import { findAccount, type AccountTarget } from './find-account.ts'
import { hashOfToken, newRefreshToken } from './refresh-tokens.ts'
import {
  deleteOldSetupTokens,
  deleteSetupTokens,
  insertSetupToken,
  selectAnyAdmin,
  selectSetupToken,
  selectStaff,
  updateRole,
} from './store.ts'
import type { Viewers } from './viewers.ts'

/** Each start without an admin prints a new link; those before it stay good, since replicas start together. */
const setupTokensMax = 10
const staffMax = 1_000

export interface AdminDeps {
  database: Database<Tables>
  clock: Clock
  recordAudit: RecordAudit
  authorise: Authorise
  viewers: Viewers
}

/** Who may do more than others, and how the first of them comes about. */
export function createAdmins({ database, clock, recordAudit, authorise, viewers }: AdminDeps) {
  async function setRole(actor: Actor, login: AccountTarget, role: Role): Promise<{ changed: boolean; userId: number; username: string }> {
    return database.transaction(async (tx) => {
      await authorise(tx, actor, 'admin')
      const account = await findAccount(tx, login)
      if (!account) throw accountErrors.not_found()
      const changed = (await updateRole.run(tx, { userId: account.id, role })) === 1
      if (changed)
        await recordAudit(tx, {
          actor,
          action: 'role.set',
          target: { type: 'user', id: account.id },
          detail: { from: account.role, to: role },
        })
      database.afterCommit(tx, () => viewers.forget()) // all: roles change rarely, and asking again is cheap
      return { changed, userId: account.id, username: account.username }
    })
  }

  const assertValid = async (db: Parameters<typeof selectAnyAdmin.first>[0], setupToken: string) => {
    if (await selectAnyAdmin.first(db, {})) throw authErrors.setup_done()
    if (!(await selectSetupToken.first(db, { hash: hashOfToken(setupToken), now: isoTime(clock.nowMs()) })))
      throw authErrors.invalid_setup_token()
  }

  return {
    /** Idempotent: `changed` is false when the role was that already. Takes effect at once here, within a second elsewhere. */
    grantRole: setRole,
    revokeRole: (actor: Actor, login: AccountTarget) => setRole(actor, login, 'user'),

    /** Admins and moderators, by id. */
    listAdmins: () => selectStaff.all(database.db, { limit: staffMax }),

    /** A new one-time token, good for 24 hours, as long as there is no admin; else undefined. Only its hash is kept. */
    ensureSetupToken(): Promise<string | undefined> {
      const token = newRefreshToken()
      const nowMs = clock.nowMs()
      return database.transaction(async (tx) => {
        if (await selectAnyAdmin.first(tx, {})) return undefined
        await deleteOldSetupTokens.run(tx, { now: isoTime(nowMs), keep: setupTokensMax - 1 })
        await insertSetupToken.run(tx, { hash: hashOfToken(token), expiresAt: isoTime(nowMs + setupTokenTtlMs) })
        return token
      })
    },

    /** Rejects with `auth.setup_done` or `auth.invalid_setup_token`. A first look, before work is put into anything else. */
    assertSetupToken: (token: string) => assertValid(database.db, token),

    /** Makes the user the first admin, and every setup token worthless. Of several at once one succeeds. */
    async claim(tx: Tx, userId: number, { token, client }: { token: string; client: Client }): Promise<void> {
      await database.dialect.lock(tx, 'first-admin')
      await assertValid(tx, token)
      await deleteSetupTokens.run(tx, {})
      await updateRole.run(tx, { userId, role: 'admin' })
      const actor: Actor = { kind: 'user', id: userId, address: client.address }
      await recordAudit(tx, { actor, action: 'role.claim', target: { type: 'user', id: userId }, detail: { to: 'admin' } })
      database.afterCommit(tx, () => viewers.forget())
    },
  }
}
