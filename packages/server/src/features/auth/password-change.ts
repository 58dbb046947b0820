import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { accountErrors, isPassword } from '../../core/account.ts'
import { inputErrors } from '../../core/input.ts'
import { isoTime } from '../../core/time.ts'
import { viewerErrors, type Viewer } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import { authErrors, type TokenPair } from './auth.ts'
import { findAccount, type AccountTarget } from './find-account.ts'
import type { Guessing } from './guessing.ts'
import { limits } from './limits.ts'
import type { Passwords } from './passwords.ts'
import type { Grant, Sessions } from './sessions.ts'
import { changeCredential, deleteTokensOfSession, selectAccountById, setCredential, touchSession } from './store.ts'

export interface PasswordChangeDeps {
  database: Database<Tables>
  clock: Clock
  recordAudit: RecordAudit
  authorise: Authorise
  passwords: Passwords
  guessing: Guessing
  sessions: Sessions
}

/** A new password, by who knows the old one, or by who has the host. */
export function createPasswordChange({ database, clock, recordAudit, authorise, passwords, guessing, sessions }: PasswordChangeDeps) {
  async function changePassword(
    viewer: Viewer,
    { oldPassword, newPassword }: { oldPassword: string; newPassword: string },
  ): Promise<TokenPair> {
    assertPassword(newPassword)
    const grant = await guessing([[limits.changePasswordPerAccount, `user ${viewer.id}`]], async () => {
      const account = await selectAccountById.first(database.db, { userId: viewer.id })
      if (!account) throw accountErrors.not_found()
      if ((await passwords.verify(account.passwordHash, oldPassword)) === 'wrong') throw authErrors.invalid_credentials()
      const passwordHash = await passwords.hash(newPassword)
      return database.transaction((tx) => replacePassword(tx, viewer, { checkedHash: account.passwordHash, passwordHash }))
    })
    return sessions.pairOf(grant)
  }

  async function replacePassword(
    tx: Tx,
    viewer: Viewer,
    { checkedHash, passwordHash }: { checkedHash: string; passwordHash: string },
  ): Promise<Grant> {
    const [userId, sessionId, now] = [viewer.id, viewer.sessionId, isoTime(clock.nowMs())]
    if ((await changeCredential.run(tx, { userId, checkedHash, passwordHash, changedAt: now })) === 0)
      throw authErrors.invalid_credentials()
    if ((await touchSession.run(tx, { sessionId, lastUsedAt: now })) === 0) throw viewerErrors.unauthenticated()
    await deleteTokensOfSession.run(tx, { sessionId })
    const grant = await sessions.insertToken(tx, { userId, sessionId })
    await sessions.endOthers(tx, userId, { keptId: sessionId, reason: 'password' })
    return grant
  }

  /** For who forgot it: every session of the account ends. */
  async function resetPassword(actor: Actor, login: AccountTarget, password: string): Promise<void> {
    assertPassword(password)
    const passwordHash = await passwords.hash(password)
    await database.transaction(async (tx) => {
      await authorise(tx, actor, 'admin')
      const account = await findAccount(tx, login)
      if (!account) throw accountErrors.not_found()
      await setCredential.run(tx, { userId: account.id, passwordHash, changedAt: isoTime(clock.nowMs()) })
      await recordAudit(tx, { actor, action: 'password.reset', target: { type: 'user', id: account.id } })
      await sessions.endOthers(tx, account.id, { keptId: null, reason: 'password' })
    })
  }

  return { changePassword, resetPassword }
}

function assertPassword(password: string): void {
  if (!isPassword(password)) throw inputErrors.invalid({ issues: [{ path: 'new_password', message: 'Expected 8 to 128 characters' }] })
}
