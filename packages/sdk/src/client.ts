import { createAdmin, type Admin } from './admin.ts'
import { createKeeper } from './auth.ts'
import { createCall, unlessEnded } from './call.ts'
import { isPinstackError } from './errors.ts'
import { createFeatures, type Features } from './features.ts'
import { createLive, type Live } from './live.ts'
import { createNotifications, type Notifications } from './notifications.ts'
import { pagesOf, type PageOptions, type Pages } from './pages.ts'
import { createPosts, type Posts } from './posts.ts'
import type { Credentials, Me, NewUser, PasswordChange, SearchPage, SessionInfo, Tokens, User, UserChanges } from './procedures.ts'
import { createRelations, type Relations } from './relations.ts'
import { createRetries } from './retries.ts'
import { memoryStore, type AuthChange, type Session, type SessionStore } from './session.ts'
import { createSend, type CallOptions, type Fetch } from './transport.ts'

export type { Admin, AdminAudit, AdminPosts, AdminUsers } from './admin.ts'
export type {
  AuditEntry,
  AuditFilter,
  AuditPage,
  ListedUser,
  ListedUserFilter,
  ListedUserPage,
  Removal,
  SignedInPlace,
  StaffPost,
  StaffPostFilter,
  StaffPostPage,
  Suspension,
  SuspensionTerms,
  UserCounters,
  UserDetail,
} from './admin-procedures.ts'
export { asyncStore, type AsyncStorage } from './async-store.ts'
export {
  cookieStore,
  documentCookies,
  headerCookies,
  type CookieAttributes,
  type CookieDocument,
  type Cookies,
  type CookieStoreOptions,
} from './cookie-store.ts'
export {
  isPinstackError,
  PinstackError,
  type ClientErrorCode,
  type ErrorCode,
  type ErrorDetails,
  type FieldErrors,
  type Issue,
  type ServerErrorCode,
} from './errors.ts'
export type { FeatureCall, Features } from './features.ts'
export type { ByteStream } from './event-stream.ts'
export type { Live, LiveOptions, LiveStatus, LiveStream, Reset } from './live.ts'
export type { Notifications } from './notifications.ts'
export type { PageOptions, Pages } from './pages.ts'
export type { Posts } from './posts.ts'
export type {
  Author,
  Credentials,
  Me,
  Media,
  NewMedia,
  NewNotification,
  NewPost,
  NewUser,
  Notification,
  NotificationChange,
  NotificationPage,
  PasswordChange,
  Post,
  PostChange,
  PostChanges,
  PostFilter,
  PostPage,
  Relation,
  RelationChange,
  RelationCounts,
  RelationPage,
  RelationStatus,
  Role,
  SearchPage,
  SessionInfo,
  User,
  UserChanges,
} from './procedures.ts'
export type { Relations } from './relations.ts'
export { memoryStore, type Announcement, type AuthChange, type Session, type SessionStore, type SignedOutReason } from './session.ts'
export type { CallOptions, Fetch, FetchResponse } from './transport.ts'
export { webStore, type WebStorage } from './web-store.ts'

/** For `createPinstack`. */
export interface PinstackOptions {
  /** Of the server, such as `http://127.0.0.1:8080`. A path before the API's own is kept. */
  url: string
  /** Where the session is kept: in memory unless told otherwise. */
  store?: SessionStore
  /** Instead of the global one. */
  fetch?: Fetch
  /** How long a call waits for its answer, in milliseconds: 30 s unless told otherwise. */
  timeoutMs?: number
  /**
   * How often a call is tried again where that is safe: twice unless told otherwise. Queries are, and changes that the server knows to
   * be the same; other changes only when the server says that it did not run them. It waits as long as the server asks to, if that is
   * no more than 5 s.
   */
  retries?: number
}

/** A client of one server, for one user at a time. Made by `createPinstack`. */
export interface Pinstack<App = unknown> {
  /**
   * Makes an account and signs it in.
   *
   * @throws `users.username_taken`, `users.email_taken`, `users.invalid_email`, `input.invalid` with `issues`
   * @example
   * ```ts
   * await pinstack.register({ username: 'ada', email: 'ada@example.com', password: 'correct horse' })
   * ```
   */
  register(user: NewUser, options?: CallOptions): Promise<Me>
  /**
   * Signs in with a username or e-mail address.
   *
   * @throws `users.not_found`, `auth.invalid_credentials`, `limit.exceeded` with `retryAfterMs`
   * @example
   * ```ts
   * await pinstack.login({ login: 'ada', password: 'correct horse' })
   * ```
   */
  login(credentials: Credentials, options?: CallOptions): Promise<Me>
  /**
   * Signs out, here at once. Rejects when the server could not be told: its session then ends by itself when it is not used.
   */
  logout(options?: CallOptions): Promise<void>
  /**
   * Signs out here and at every other place. Rejects, and signs out nowhere, when the server cannot be told.
   *
   * @example
   * ```ts
   * await pinstack.logoutEverywhere() // a device was lost
   * ```
   */
  logoutEverywhere(options?: CallOptions): Promise<void>
  /** The account that is signed in. */
  me(options?: CallOptions): Promise<Me>
  /**
   * Changes the password. Every other session of the account ends; this one goes on.
   *
   * @throws `auth.invalid_credentials` when `oldPassword` is wrong
   */
  changePassword(change: PasswordChange, options?: CallOptions): Promise<void>
  /** The session as the store has it, null when nobody is signed in. Asks no server. */
  session(): Promise<Session | null>
  /**
   * The session with an access token that is good for a while, renewed where it has to be; null when nobody is signed in. For what
   * speaks to the server by other means than this client, and for a proxy that renews cookies before pages are rendered.
   *
   * @example
   * ```ts
   * const session = await pinstack.freshSession()
   * const answer = await fetch(`${url}/api/v1/user/me`, { headers: { authorization: `Bearer ${session?.accessToken}` } })
   * ```
   */
  freshSession(options?: Pick<CallOptions, 'signal' | 'timeoutMs'>): Promise<Session | null>
  /**
   * Calls `listener` whenever someone signs in or is signed out, by you or by the server. Returns what stops it.
   *
   * @example
   * ```ts
   * const stop = pinstack.onAuthChange((change) => {
   *   if (change.state === 'signed_out' && change.reason === 'ended') showLogin('Please sign in again.')
   * })
   * ```
   */
  onAuthChange(listener: (change: AuthChange) => void): () => void
  /** The places where this account is signed in. */
  readonly sessions: Sessions
  /** Accounts. */
  readonly users: Users
  /** What users write. */
  readonly posts: Posts
  /** Who follows whom. */
  readonly relations: Relations
  /** What users are told. */
  readonly notifications: Notifications
  /** What happens, as it happens. */
  readonly live: Live
  /** What the server has beside Pinstack's own; typed by `createPinstack<typeof server>()`. */
  readonly features: Features<App>
  /** What staff sees and does. */
  readonly admin: Admin
}

/**
 * The places where an account is signed in.
 *
 * @example
 * ```ts
 * for (const session of await pinstack.sessions.list()) showDevice(session)
 * await pinstack.sessions.revokeOthers()
 * ```
 */
export interface Sessions {
  /** All of this account, the one that asks among them. */
  list(options?: CallOptions): Promise<SessionInfo[]>
  /** Ends one session of this account. False when there was none: it had ended already. */
  revoke(id: string, options?: CallOptions): Promise<boolean>
  /** Ends all sessions of this account but this one; says how many. */
  revokeOthers(options?: CallOptions): Promise<number>
}

/** Accounts: one's own, and what others show of theirs. */
export interface Users {
  /** By its id. @throws `users.not_found` */
  get(id: number, options?: CallOptions): Promise<User>
  /** In any case of letters. @throws `users.not_found` */
  getByUsername(username: string, options?: CallOptions): Promise<User>
  /** Finds one's own account, for admins any. @throws `users.not_found` */
  getByEmail(email: string, options?: CallOptions): Promise<User>
  /**
   * Accounts whose username or full name contains `text`, by ascending id. A page is fetched when you get to it.
   *
   * @example
   * ```ts
   * for await (const user of pinstack.users.search('ada')) console.log(user.username)
   *
   * for await (const page of pinstack.users.search('ada', { limit: 20 }).pages()) {
   *   console.log(`${page.total} in all`, page.items.map((user) => user.username))
   * }
   * ```
   */
  search(text: string, options?: SearchOptions): Search
  /** Changes the account that is signed in. @throws `users.username_taken`, `users.email_taken` */
  update(changes: UserChanges, options?: CallOptions): Promise<User>
  /** Null takes it away. */
  setAvatar(avatarUrl: string | null, options?: CallOptions): Promise<User>
  /** Deletes the account that is signed in, for good, and signs out. */
  delete(options?: CallOptions): Promise<void>
  /** Makes an account for someone else, without signing it in. Servers may switch it off. */
  create(user: NewUser, options?: CallOptions): Promise<User>
}

/** What a search finds: account by account, or page by page. Each iteration asks anew. */
export type Search = Pages<SearchPage>

/** Accounts per page. */
export type SearchOptions = PageOptions

/**
 * A client of one Pinstack server, for one user at a time. Sessions renew themselves; a change is never sent twice.
 *
 * @example
 * ```ts
 * import { createPinstack } from '@pinstack/sdk'
 *
 * const pinstack = createPinstack({ url: 'http://127.0.0.1:8080' })
 * const me = await pinstack.register({ username: 'ada', email: 'ada@example.com', password: 'correct horse' })
 * console.log(`Hello ${me.username}`)
 * ```
 *
 * @throws {TypeError} for a `url` that is not http or https.
 */
export function createPinstack<App = unknown>({
  url,
  store = memoryStore(),
  fetch = globalThis.fetch.bind(globalThis),
  timeoutMs = 30_000,
  retries = 2,
}: PinstackOptions): Pinstack<App> {
  const base = baseUrl(url)
  const send = createRetries(createSend(base, { fetch, timeoutMs }), { timeoutMs, retries })
  const keeper = createKeeper({ store, send, nowMs: Date.now })
  const call = createCall({ send, keeper, timeoutMs })

  function assertWritable(): void {
    if (store.readOnly) throw new TypeError('the session is read-only here: sign in and out where it is kept')
  }

  async function enter(path: 'auth.register' | 'auth.login', input: NewUser | Credentials, options: CallOptions): Promise<Me> {
    assertWritable()
    const tokens = (await send({ ...options, kind: 'mutation', path, input })) as Tokens
    await keeper.exclusive(() => keeper.signIn(tokens))
    return me(options)
  }

  async function logout(options: CallOptions = {}): Promise<void> {
    assertWritable()
    const session = await keeper.exclusive(async () => {
      const current = await keeper.current()
      if (current) await keeper.signOut('logout')
      return current
    })
    if (!session) return
    const { refreshToken } = session
    await send({ ...options, kind: 'mutation', path: 'auth.logout', input: { refreshToken } }).catch(unlessGone)
  }

  async function me(options?: CallOptions): Promise<Me> {
    return (await call('auth.me', undefined, options)) as Me // one's own account comes with its address
  }

  return {
    register: (user, options = {}) => enter('auth.register', user, options),
    login: (credentials, options = {}) => enter('auth.login', credentials, options),
    logout,
    async logoutEverywhere(options) {
      assertWritable()
      await call('auth.sessions.revokeOthers', undefined, options)
      await logout(options)
    },
    me,
    changePassword: async (change, options) => {
      assertWritable()
      await call('auth.changePassword', change, options, (work) =>
        keeper.exclusive(async () => {
          const tokens = await work()
          await keeper.keep(tokens)
          return tokens
        }),
      )
    },
    session: () => keeper.current(),
    freshSession: (options) => unlessEnded(keeper.fresh(), { timeoutMs, ...options }),
    onAuthChange: (listener) => keeper.onChange(listener),
    sessions: {
      list: (options) => call('auth.sessions.list', undefined, options),
      revoke: async (id, options) => (await call('auth.sessions.revoke', { id }, options)).revoked,
      revokeOthers: async (options) => (await call('auth.sessions.revokeOthers', undefined, options)).revoked,
    },
    users: {
      get: (id, options) => call('users.byId', { id }, options),
      getByUsername: (username, options) => call('users.byUsername', { username }, options),
      getByEmail: (email, options) => call('users.byEmail', { email }, options),
      search: (text, { limit, ...options } = {}) => {
        return pagesOf((cursor: number | undefined) => call('users.search', { query: text, limit, cursor }, options))
      },
      update: (changes, options) => call('users.update', changes, options),
      setAvatar: (avatarUrl, options) => call('users.setAvatar', { avatarUrl }, options),
      delete: async (options) => {
        assertWritable()
        await call('users.delete', undefined, options)
        await keeper.exclusive(() => keeper.signOut('deleted'))
      },
      create: (user, options) => call('users.create', user, options),
    },
    posts: createPosts(call),
    relations: createRelations(call),
    notifications: createNotifications(call),
    features: createFeatures<App>((kind) => createCall({ send: (request) => send({ ...request, kind }), keeper, timeoutMs })),
    live: createLive({ baseUrl: base, keeper, fetch, timeoutMs }),
    admin: createAdmin(call),
  }
}

function baseUrl(url: string): string {
  // Not by `URL`, of which React Native has little.
  if (!/^https?:\/\/[^\s/?#]/i.test(url)) throw new TypeError(`url must be an http or https URL, not ${JSON.stringify(url)}`)
  return url.replace(/[?#].*$/, '').replace(/\/+$/, '')
}

/** The session had ended already. */
function unlessGone(error: unknown): void {
  if (!isPinstackError(error) || ![401, 404].includes(error.status)) throw error
}
