/** What the server signs in with. */
export interface Tokens {
  accessToken: string
  refreshToken: string
  accessExpiresAt: string
}

export type Role = 'user' | 'moderator' | 'admin'

export interface User {
  id: number
  username: string
  /** Only in one's own account, and for admins. */
  email?: string
  fullName: string | null
  bio: string | null
  avatarUrl: string | null
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
  updatedAt: string
}

/** The account that is signed in, as the procedure says it. */
interface OwnUser extends User {
  role: Role
}

/** The account that is signed in. */
export interface Me extends OwnUser {
  email: string
}

/** A place where an account is signed in. */
export interface SessionInfo {
  id: string
  /** The user agent that signed in. */
  device: string
  address: string
  createdAt: string
  lastUsedAt: string
  /** Whether it is the session that asks. */
  current: boolean
}

export interface NewUser {
  /** 3 to 32 letters, digits, `_`, `.`, `-`. Unique whatever the case. */
  username: string
  email: string
  /** 8 to 128 characters. */
  password: string
  /** At most 100 characters. */
  fullName?: string | undefined
  /** At most 500 characters. */
  bio?: string | undefined
  /** `http` or `https`. */
  avatarUrl?: string | undefined
}

export interface Credentials {
  /** Username or e-mail address. */
  login: string
  password: string
}

export interface PasswordChange {
  oldPassword: string
  newPassword: string
}

/** What is not given stays as it is; null takes it away. */
export interface UserChanges {
  username?: string | undefined
  email?: string | undefined
  fullName?: string | null | undefined
  bio?: string | null | undefined
  avatarUrl?: string | null | undefined
}

export interface SearchPage {
  items: User[]
  /** Of all pages. */
  total: number
  nextCursor: number | null
}

interface Query<Input, Output> {
  kind: 'query'
  input: Input
  output: Output
}
interface Mutation<Input, Output> {
  kind: 'mutation'
  input: Input
  output: Output
}

/** The calls of the API that the SDK makes. A test holds them equal to what the server's router says. */
export interface Procedures {
  'auth.register': Mutation<NewUser, Tokens>
  'auth.login': Mutation<Credentials, Tokens>
  'auth.refresh': Mutation<{ refreshToken: string }, Tokens>
  'auth.logout': Mutation<{ refreshToken: string }, void>
  'auth.changePassword': Mutation<PasswordChange, Tokens>
  'auth.me': Query<void, OwnUser>
  'auth.sessions.list': Query<void, SessionInfo[]>
  'auth.sessions.revoke': Mutation<{ id: string }, { revoked: boolean }>
  'auth.sessions.revokeOthers': Mutation<void, { revoked: number }>
  'users.create': Mutation<NewUser, User>
  'users.byId': Query<{ id: number }, User>
  'users.byUsername': Query<{ username: string }, User>
  'users.byEmail': Query<{ email: string }, User>
  'users.search': Query<{ query: string; limit?: number | undefined; cursor?: number | undefined }, SearchPage>
  'users.update': Mutation<UserChanges, User>
  'users.setAvatar': Mutation<{ avatarUrl: string | null }, User>
  'users.delete': Mutation<void, void>
}

export const procedureKinds: { readonly [Path in keyof Procedures]: Procedures[Path]['kind'] } = {
  'auth.register': 'mutation',
  'auth.login': 'mutation',
  'auth.refresh': 'mutation',
  'auth.logout': 'mutation',
  'auth.changePassword': 'mutation',
  'auth.me': 'query',
  'auth.sessions.list': 'query',
  'auth.sessions.revoke': 'mutation',
  'auth.sessions.revokeOthers': 'mutation',
  'users.create': 'mutation',
  'users.byId': 'query',
  'users.byUsername': 'query',
  'users.byEmail': 'query',
  'users.search': 'query',
  'users.update': 'mutation',
  'users.setAvatar': 'mutation',
  'users.delete': 'mutation',
}
