import type { Mutation, PageInput, Post, Query, Role } from './procedures.ts'

/** An account that is shut out, by an admin. */
export interface Suspension {
  /** Since when. ISO 8601, UTC, with milliseconds. */
  at: string
  /** Null where there is no end to it. */
  until: string | null
  /** As the account is told it. */
  reason: string
}

/** An account, as admins see it in a list. */
export interface ListedUser {
  /** Ascending: newer accounts have higher ids. */
  id: number
  /** In the letter case that was chosen. */
  username: string
  /** As the account gives it. */
  email: string
  /** Null when none is given. */
  fullName: string | null
  /** What the account may do beside what all may. */
  role: Role
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
  /** Null for an account that is not shut out now. */
  suspension: Suspension | null
}

/** What an account has, by numbers. */
export interface UserCounters {
  /** Those that are in sight. */
  posts: number
  /** Those that staff has removed. */
  removedPosts: number
  /** Who follow it. */
  followers: number
  /** Whom it follows. */
  followees: number
  /** Those in its feed. */
  notifications: number
  /** Those of them that it has not read. */
  unread: number
}

/** A place where somebody else's account is signed in. */
export interface SignedInPlace {
  /** For `admin.users.revokeSession`. */
  id: string
  /** The user agent that signed in. */
  device: string
  /** The network address that signed in. */
  address: string
  /** When it was signed in. */
  createdAt: string
  /** When it was last renewed. */
  lastUsedAt: string
}

/** An account, with all that admins see of it. */
export interface UserDetail extends ListedUser {
  /** Null when none is given. */
  bio: string | null
  /** Null when there is no picture. */
  avatarUrl: string | null
  /** When the profile last changed. */
  updatedAt: string
  /** What it has. */
  counters: UserCounters
  /** Where it is signed in, the last used first. */
  sessions: SignedInPlace[]
}

/** Of accounts, the newest first. */
export interface ListedUserPage {
  /** As many as were asked for, fewer on the last page. */
  items: ListedUser[]
  /** Where the next page begins; null on the last. */
  nextCursor: number | null
}

/** Which accounts to list. Together they narrow. */
export interface ListedUserFilter {
  /** A part of a username, a full name or an address, in any case; or an id. */
  query?: string | undefined
  /** All, those with more than a user's rights, or those that are shut out now. */
  kind?: 'all' | 'staff' | 'suspended' | undefined
}

/** How to shut an account out. */
export interface SuspensionTerms {
  /** 1 to 500 characters. The account is told it: write it for them. */
  reason: string
  /** RFC 3339, and to come. Without one, or with null, there is no end to it. */
  until?: string | null | undefined
}

/** What staff has done to a post that is out of sight. */
export interface Removal {
  /** ISO 8601, UTC, with milliseconds. */
  at: string
  /** Who did it; null when it was done on the host. */
  by: number | null
  /** For staff alone. */
  reason: string
}

/** A post, as staff sees it. */
export interface StaffPost extends Post {
  /** Null for a post that is in sight. */
  removal: Removal | null
}

/** Of posts: those in sight by time, the newest first; those removed by id, the highest first. */
export interface StaffPostPage {
  /** May be few or none though there are more: a search for a text looks at 2,000 posts a page. */
  items: StaffPost[]
  /** Where the next page begins; null on the last. */
  nextCursor: string | null
}

/** Which posts to list. Together they narrow. */
export interface StaffPostFilter {
  /** A part of the title or the content, in any case; or an id. */
  query?: string | undefined
  /** Of one author. */
  authorId?: number | undefined
  /** Those in sight, unless told otherwise, or those that staff has removed. */
  state?: 'visible' | 'removed' | undefined
}

/** Something that staff did. */
export interface AuditEntry {
  /** Ascending: newer ones have higher ids. */
  id: number
  /** Who did it; null for the host. */
  actorId: number | null
  /** `host` for what was done by commands on the host. */
  actor: 'user' | 'host'
  /** `user.suspend`, `post.remove`: what it was done to, and what was done. */
  action: string
  /** `user`, `session`, `post`. */
  targetType: string
  /** Of what it was done to. */
  targetId: string
  /** What else there is to say of it, by the action. */
  detail: Record<string, string | number | null> | null
  /** The network address that it was done from; null for the host. */
  address: string | null
  /** ISO 8601, UTC, with milliseconds. */
  createdAt: string
}

/** Of what staff did, the newest first. */
export interface AuditPage {
  /** As many as were asked for, fewer on the last page. */
  items: AuditEntry[]
  /** Where the next page begins; null on the last. */
  nextCursor: number | null
}

/** Which entries to list. Together they narrow. */
export interface AuditFilter {
  /** Who did it. */
  actorId?: number | undefined
  /** `host` for what was done by commands on the host. */
  actor?: 'user' | 'host' | undefined
  /** Such as `user.suspend`. */
  action?: string | undefined
  /** `user`, `session`, `post`. */
  targetType?: string | undefined
  /** Of what it was done to. */
  targetId?: string | undefined
  /** RFC 3339. The time itself is part of it. */
  since?: string | undefined
  /** RFC 3339. The time itself is left out. */
  until?: string | undefined
}

interface ById {
  id: number
}

interface UserQuery extends PageInput, ListedUserFilter {}

interface PostQuery extends StaffPostFilter {
  limit?: number | undefined
  cursor?: string | undefined
}

interface AuditQuery extends PageInput, AuditFilter {}

interface Suspend extends SuspensionTerms {
  id: number
}

type Changed = { changed: boolean }

/** The calls for staff. Held equal to the router, with all others. */
export interface AdminProcedures {
  'admin.users.search': Query<UserQuery, ListedUserPage>
  'admin.users.byId': Query<ById, UserDetail>
  'admin.users.suspend': Mutation<Suspend, Changed>
  'admin.users.restore': Mutation<ById, Changed>
  'admin.users.setRole': Mutation<{ id: number; role: Role }, Changed>
  'admin.users.resetPassword': Mutation<{ id: number; password?: string | undefined }, { password: string | null }>
  'admin.users.revokeSession': Mutation<{ id: number; sessionId: string }, { revoked: boolean }>
  'admin.users.revokeSessions': Mutation<ById, { revoked: number }>
  'admin.users.delete': Mutation<ById, void>
  'admin.posts.search': Query<PostQuery, StaffPostPage>
  'admin.posts.byId': Query<ById, StaffPost>
  'admin.posts.remove': Mutation<{ id: number; reason: string }, Changed>
  'admin.posts.restore': Mutation<ById, Changed>
  'admin.audit.list': Query<AuditQuery, AuditPage>
}

export const adminProcedureKinds: { readonly [Path in keyof AdminProcedures]: AdminProcedures[Path]['kind'] } = {
  'admin.users.search': 'query',
  'admin.users.byId': 'query',
  'admin.users.suspend': 'mutation',
  'admin.users.restore': 'mutation',
  'admin.users.setRole': 'mutation',
  'admin.users.resetPassword': 'mutation',
  'admin.users.revokeSession': 'mutation',
  'admin.users.revokeSessions': 'mutation',
  'admin.users.delete': 'mutation',
  'admin.posts.search': 'query',
  'admin.posts.byId': 'query',
  'admin.posts.remove': 'mutation',
  'admin.posts.restore': 'mutation',
  'admin.audit.list': 'query',
}
