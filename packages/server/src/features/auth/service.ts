import type { Actor, RecordAudit } from '../../audit/audit.ts'
import { accountErrors, isPassword } from '../../core/account.ts'
import type { Client } from '../../core/client.ts'
import { DomainError } from '../../core/errors.ts'
import { inputErrors } from '../../core/input.ts'
import { fold } from '../../core/text.ts'
import { isoTime } from '../../core/time.ts'
import { viewerErrors, type Viewer } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { RateLimit, RateLimiter } from '../../ports/rate-limiter.ts'
import type { Tables, Tx } from '../../schema.ts'
import type { Users } from '../users/service.ts'
import type { NewAccount } from '../users/users.ts'
import { createAccessTokens, type AccessTokenSettings } from './access-tokens.ts'
import { createAccounts } from './accounts.ts'
import { createAdmins } from './admins.ts'
import { authErrors, type Session, type SessionEnd, type TokenPair } from './auth.ts'
import { findAccount } from './find-account.ts'
import { purgeExpiredTokens } from './jobs.ts'
import type { Keyring } from './keys.ts'
import { limits, networkOf } from './limits.ts'
import type { Passwords } from './passwords.ts'
import { createRefresh } from './refresh.ts'
import { createSessions, type Grant } from './sessions.ts'
import { changeCredential, deleteTokensOfSession, lockCredential, selectAccountById, setCredential, touchSession, type Account } from './store.ts'
import { createViewers } from './viewers.ts'

/** Someone may change a password while it is being checked: then the new one is looked at, so often at most. */
const attemptsMax = 3

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
  passwords: Passwords
  keys: Keyring
  users: Pick<Users, 'createAccount'>
  settings: AccessTokenSettings & { refreshTtlMs: number }
  record?: AuthRecorder
  /** For the log. The fields never hold a token, a password or an address. */
  warn(message: string, fields: Record<string, unknown>): void
}

export interface Credentials { login: string; password: string }

export type Auth = ReturnType<typeof createAuth>

const unrecorded: AuthRecorder = { authentication() {}, login() {}, sessionStarted() {}, sessionEnded() {} }

/** Sign-in and everything after it. Every promise rejects with `auth.*`, `limit.exceeded`, or, for new accounts, `users.*`. */
export function createAuth(deps: AuthDeps) {
  const { database, clock, limiter, passwords, users, recordAudit, settings, record = unrecorded } = deps
  const tokens = createAccessTokens(deps)
  const viewers = createViewers({ database, clock, tokens })
  const sessions = createSessions({ ...deps, tokens, viewers, refreshTtlMs: settings.refreshTtlMs, record })
  const { refresh, logout } = createRefresh({ ...deps, sessions })
  const admins = createAdmins({ ...deps, viewers })

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

  /** Only wrong guesses use the limits up. Points are taken first, so that guesses at the same time cannot get past them. */
  async function guessing<T>(points: readonly (readonly [RateLimit, string])[], work: () => Promise<T>): Promise<T> {
    for (const [limit, key] of points) await limiter.consume(limit, key)
    const giveBack = () => Promise.all(points.map(([limit, key]) => limiter.refund(limit, key)))
    try {
      const result = await work()
      await giveBack()
      return result
    } catch (error) {
      if (!isWrongGuess(error)) await giveBack()
      throw error
    }
  }

  /** Signs in, and does `also` in the transaction that begins the session. */
  async function signIn({ login, password }: Credentials, client: Client, also?: (tx: Tx, userId: number) => Promise<void>): Promise<TokenPair> {
    const network = networkOf(client.address)
    await limiter.consume(limits.loginPerAddress, network)
    const first = await findAccount(database.db, login)
    const name = first ? `user ${first.id}` : `login ${fold(login)}` // one account has two logins, and one count
    const points = [[limits.loginPerAddressAndAccount, `${network} ${name}`], [limits.loginPerAccount, name]] as const
    const grant = await guessing(points, async () => {
      let account = first
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const newHash = await checkedHashOf(account, password)
        const begun = await database.transaction(async (tx) => {
          const locked = await lockCredential.first(tx, { userId: account!.id, checkedHash: account!.passwordHash, newHash })
          if (!locked) return undefined
          const started = await sessions.start(tx, account!.id, { client, sessionCount: locked.sessionCount! })
          await also?.(tx, account!.id)
          return started
        })
        if (begun) return begun
        account = await findAccount(database.db, login)
      }
      throw authErrors.invalid_credentials()
    })
    record.login()
    return sessions.pairOf(grant)
  }

  /** The hash to keep from now on. @NOTE an account that does not exist takes the same time to refuse as a wrong password. */
  async function checkedHashOf(account: Account | undefined, password: string): Promise<string> {
    const outcome = await passwords.verify(account?.passwordHash, password)
    if (!account) throw accountErrors.not_found()
    if (outcome === 'wrong') throw authErrors.invalid_credentials()
    return outcome === 'outdated' ? passwords.hash(password) : account.passwordHash
  }

  async function register(input: NewAccount, client: Client): Promise<TokenPair> {
    await limiter.consume(limits.registerPerAddress, networkOf(client.address))
    const { result } = await users.createAccount(input, (tx, { id }) => sessions.start(tx, id, { client, sessionCount: 0 }))
    return sessions.pairOf(result)
  }

  async function changePassword(viewer: Viewer, { oldPassword, newPassword }: { oldPassword: string; newPassword: string }): Promise<TokenPair> {
    assertPassword(newPassword)
    const grant = await guessing([[limits.changePasswordPerAccount, `user ${viewer.id}`]], async () => {
      const account = await selectAccountById.first(database.db, { userId: viewer.id })
      if (!account) throw accountErrors.not_found()
      await checkedHashOf(account, oldPassword)
      const passwordHash = await passwords.hash(newPassword)
      return database.transaction((tx) => replacePassword(tx, viewer, { checkedHash: account.passwordHash, passwordHash }))
    })
    return sessions.pairOf(grant)
  }

  async function replacePassword(tx: Tx, viewer: Viewer, { checkedHash, passwordHash }: { checkedHash: string; passwordHash: string }): Promise<Grant> {
    const [userId, sessionId, now] = [viewer.id, viewer.sessionId, isoTime(clock.nowMs())]
    if ((await changeCredential.run(tx, { userId, checkedHash, passwordHash, changedAt: now })) === 0) throw authErrors.invalid_credentials()
    if ((await touchSession.run(tx, { sessionId, lastUsedAt: now })) === 0) throw viewerErrors.unauthenticated()
    await deleteTokensOfSession.run(tx, { sessionId })
    const grant = await sessions.insertToken(tx, { userId, sessionId })
    await sessions.endOthers(tx, userId, { keptId: sessionId, reason: 'password' })
    return grant
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
      if (!isDomainError(error, 'users.username_taken')) throw error
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
    changePassword: (viewer: Viewer, input: { oldPassword: string; newPassword: string }) => recorded('change_password', changePassword(viewer, input)),
    claimAdmin,

    listSessions: (viewer: Viewer): Promise<(Session & { current: boolean })[]> =>
      sessions.list(viewer.id).then((list) => list.map((session) => ({ ...session, current: session.id === viewer.sessionId }))),
    revokeSession: sessions.revoke,
    revokeOtherSessions: sessions.revokeOthers,

    grantRole: admins.grantRole,
    revokeRole: admins.revokeRole,
    listAdmins: admins.listAdmins,
    ensureSetupToken: admins.ensureSetupToken,

    /** For who forgot it: every session of the account ends. */
    async resetPassword(actor: Actor, login: string, password: string): Promise<void> {
      assertPassword(password)
      const passwordHash = await passwords.hash(password)
      await database.transaction(async (tx) => {
        const account = await findAccount(tx, login)
        if (!account) throw accountErrors.not_found()
        await setCredential.run(tx, { userId: account.id, passwordHash, changedAt: isoTime(clock.nowMs()) })
        await recordAudit(tx, { actor, action: 'password.reset', target: { type: 'user', id: account.id } })
        await sessions.endOthers(tx, account.id, { keptId: null, reason: 'password' })
      })
    },

    async listSessionsOf(login: string): Promise<Session[]> {
      const account = await findAccount(database.db, login)
      if (!account) throw accountErrors.not_found()
      return sessions.list(account.id)
    },

    async endSession(actor: Actor, sessionId: string): Promise<{ ended: boolean }> {
      return database.transaction(async (tx) => {
        const ended = await sessions.end(tx, sessionId, 'revoked')
        if (ended) await recordAudit(tx, { actor, action: 'session.revoke', target: { type: 'session', id: sessionId } })
        return { ended }
      })
    },

    purgeExpiredTokens: () => purgeExpiredTokens({ database, clock, refreshTtlMs: settings.refreshTtlMs }),
  }
}

function isWrongGuess(error: unknown): boolean {
  return isDomainError(error, 'auth.invalid_credentials') || isDomainError(error, 'users.not_found')
}

function isDomainError(error: unknown, code: string): boolean {
  return error instanceof DomainError && error.code === code
}

function assertPassword(password: string): void {
  if (!isPassword(password)) throw inputErrors.invalid({ issues: [{ path: 'new_password', message: 'Expected 8 to 128 characters' }] })
}
