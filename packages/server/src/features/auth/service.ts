import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { accountErrors } from '../../core/account.ts'
import type { Client } from '../../core/client.ts'
import { DomainError } from '../../core/errors.ts'
import { networkOf } from '../../core/network.ts'
import type { Viewer } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { RateLimiter } from '../../ports/rate-limiter.ts'
import type { Tables, Tx } from '../../schema.ts'
import type { Users } from '../users/service.ts'
import type { NewAccount } from '../users/users.ts'
import { createAccessTokens, type AccessTokenSettings } from './access-tokens.ts'
import { createAccounts } from './accounts.ts'
import { createAdmins } from './admins.ts'
import type { Session, SessionEnd, TokenPair } from './auth.ts'
import { findAccount, type AccountTarget } from './find-account.ts'
import { createGuessing } from './guessing.ts'
import { purgeExpiredTokens } from './jobs.ts'
import type { Keyring } from './keys.ts'
import { limits } from './limits.ts'
import type { Passwords } from './passwords.ts'
import { createRefresh } from './refresh.ts'
import { createPasswordChange } from './password-change.ts'
import { createSessions } from './sessions.ts'
import { lockAccount } from './store.ts'
import { createSignIn, type Credentials } from './sign-in.ts'
import { createSuspension } from './suspension.ts'
import { createViewers } from './viewers.ts'

export type AuthOperation = 'register' | 'login' | 'refresh' | 'logout' | 'change_password'

export interface AuthRecorder {
  authentication(operation: AuthOperation, outcome: 'success' | 'failure'): void
  login(): void
  sessionStarted(): void
  sessionEnded(reason: SessionEnd | 'deleted'): void
}

export interface AuthDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  limiter: RateLimiter
  recordAudit: RecordAudit
  authorise: Authorise
  passwords: Passwords
  keys: Keyring
  users: Pick<Users, 'createAccount'>
  settings: AccessTokenSettings & { refreshTtlMs: number }
  record?: AuthRecorder
  /** For the log. The fields never hold a token, a password or an address. */
  warn(message: string, fields: Record<string, unknown>): void
}

export type Auth = ReturnType<typeof createAuth>

const unrecorded: AuthRecorder = { authentication() {}, login() {}, sessionStarted() {}, sessionEnded() {} }

/** Sign-in and everything after it. Every promise rejects with `auth.*`, `limit.exceeded`, or, for new accounts, `users.*`. */
export function createAuth(deps: AuthDeps) {
  const { database, clock, limiter, users, recordAudit, authorise, settings, record = unrecorded } = deps
  const tokens = createAccessTokens(deps)
  const viewers = createViewers({ database, clock, tokens })
  const sessions = createSessions({ ...deps, tokens, viewers, refreshTtlMs: settings.refreshTtlMs, record })
  const { refresh, logout } = createRefresh({ ...deps, sessions })
  const admins = createAdmins({ ...deps, viewers })
  const suspension = createSuspension({ ...deps, viewers })
  const guessing = createGuessing(limiter)
  const signIn = createSignIn({ ...deps, guessing, sessions, onSignIn: () => record.login() })
  const { changePassword, resetPassword } = createPasswordChange({ ...deps, guessing, sessions })

  async function recorded<T>(operation: AuthOperation, work: Promise<T>): Promise<T> {
    try {
      const result = await work
      record.authentication(operation, 'success')
      return result
    } catch (error) {
      record.authentication(operation, 'failure')
      throw error
    }
  }

  async function register(input: NewAccount, client: Client): Promise<TokenPair> {
    await limiter.consume(limits.registerPerAddress, networkOf(client.address))
    const { result } = await users.createAccount(input, (tx, { id }) => sessions.start(tx, id, { client, sessionCount: 0 }))
    return sessions.pairOf(result)
  }

  /**
   * Makes an account the first admin, and signs in to it: a new one, or one that exists, given by its `login`, or by its
   * username where a new one was meant. Only a setup token in hand, and no admin anywhere, get this far.
   */
  async function claimAdmin(input: { token: string } & (NewAccount | Credentials), client: Client): Promise<TokenPair> {
    await limiter.consume(limits.setupPerAddress, networkOf(client.address))
    await admins.assertSetupToken(input.token)
    const claim = (tx: Tx, userId: number) => admins.claim(tx, userId, { token: input.token, client })
    if ('login' in input) return signIn(input, client, claim)
    const { token: _, ...account } = input
    try {
      const { result } = await users.createAccount(account, async (tx, { id }) => {
        const grant = await sessions.start(tx, id, { client, sessionCount: 0 })
        await claim(tx, id)
        return grant
      })
      return await sessions.pairOf(result)
    } catch (error) {
      if (!(error instanceof DomainError) || error.code !== 'users.username_taken') throw error
      return signIn({ login: account.username, password: account.password }, client, claim)
    }
  }

  return {
    authenticate: viewers.authenticate,
    /** For the transactions in which the users feature makes and deletes accounts. */
    accounts: createAccounts({ database, clock, viewers, record }),

    register: (input: NewAccount, client: Client) => recorded('register', register(input, client)),
    login: (credentials: Credentials, client: Client) => recorded('login', signIn(credentials, client)),
    /** The same token again within `graceMs` gives the same pair; later it is taken for stolen, and the session ends. */
    refresh: (token: string, client: Client) => recorded('refresh', refresh(token, client)),
    logout: (token: string, client: Client) => recorded('logout', logout(token, client)),
    /** Ends every other session of the viewer, and every refresh token; the pair is for the session that did it. */
    changePassword: (viewer: Viewer, input: { oldPassword: string; newPassword: string }) =>
      recorded('change_password', changePassword(viewer, input)),
    claimAdmin,

    listSessions: (viewer: Viewer): Promise<(Session & { current: boolean })[]> =>
      sessions.list(viewer.id).then((list) => list.map((session) => ({ ...session, current: session.id === viewer.sessionId }))),
    revokeSession: sessions.revoke,
    revokeOtherSessions: sessions.revokeOthers,

    grantRole: admins.grantRole,
    revokeRole: admins.revokeRole,
    listAdmins: admins.listAdmins,
    ensureSetupToken: admins.ensureSetupToken,

    resetPassword,

    suspend: suspension.suspend,
    restore: suspension.restore,

    async listSessionsOf(login: AccountTarget): Promise<Session[]> {
      const account = await findAccount(database.db, login)
      if (!account) throw accountErrors.not_found()
      return sessions.list(account.id)
    },

    async endSession(actor: Actor, sessionId: string): Promise<{ ended: boolean }> {
      return database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        const ended = await sessions.end(tx, sessionId, 'revoked')
        if (ended) await recordAudit(tx, { actor, action: 'session.revoke', target: { type: 'session', id: sessionId } })
        return { ended }
      })
    },

    /** All sessions of an account. Idempotent: 0 when there is none. */
    async endSessionsOf(actor: Actor, userId: number): Promise<{ ended: number }> {
      return database.transaction(async (tx) => {
        await authorise(tx, actor, 'admin')
        if ((await lockAccount.run(tx, { userId })) === 0) throw accountErrors.not_found()
        const ended = await sessions.endOthers(tx, userId, { keptId: null, reason: 'revoked' })
        if (ended > 0)
          await recordAudit(tx, { actor, action: 'session.revoke_all', target: { type: 'user', id: userId }, detail: { sessions: ended } })
        return { ended }
      })
    },

    purgeExpiredTokens: () => purgeExpiredTokens({ database, clock, refreshTtlMs: settings.refreshTtlMs }),
  }
}
