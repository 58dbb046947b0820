import type {
  AuditFilter,
  AuditPage,
  ListedUserFilter,
  ListedUserPage,
  StaffPost,
  StaffPostFilter,
  StaffPostPage,
  SuspensionTerms,
  UserDetail,
} from './admin-procedures.ts'
import type { Call } from './call.ts'
import { pagesOf, type PageOptions, type Pages } from './pages.ts'
import type { Role } from './procedures.ts'
import type { CallOptions } from './transport.ts'

/**
 * What staff sees and does. For accounts with the role `admin`, posts also for those with `moderator`; all others get
 * `auth.forbidden`. Each action has its entry in the trail.
 *
 * @example
 * ```ts
 * for await (const post of pinstack.admin.posts.search({ query: 'casino' })) {
 *   await pinstack.admin.posts.remove(post.id, 'advertises a casino')
 *   await pinstack.admin.users.suspend(post.author.id, { reason: 'Advertising is not allowed here.' })
 * }
 * ```
 */
export interface Admin {
  /** Accounts. For admins. */
  readonly users: AdminUsers
  /** Posts, in sight or not. For admins and moderators. */
  readonly posts: AdminPosts
  /** What staff did. For admins. */
  readonly audit: AdminAudit
}

/** Accounts, as admins see and treat them. Nobody acts on their own (`admin.own_account`). */
export interface AdminUsers {
  /** Accounts, the newest first. */
  search(filter?: ListedUserFilter, options?: PageOptions): Pages<ListedUserPage>
  /** With address, role, suspension, counters and sessions. @throws `users.not_found` */
  get(id: number, options?: CallOptions): Promise<UserDetail>
  /**
   * Shuts an account out: all that it does is refused with `auth.suspended`. False when it was shut out on the same terms already.
   *
   * @throws `users.not_found`, `admin.own_account`
   */
  suspend(id: number, terms: SuspensionTerms, options?: CallOptions): Promise<boolean>
  /** Lets it in again. False when it was not shut out. @throws `users.not_found` */
  restore(id: number, options?: CallOptions): Promise<boolean>
  /** False when it had that role already. @throws `users.not_found`, `admin.own_account` */
  setRole(id: number, role: Role, options?: CallOptions): Promise<boolean>
  /**
   * Gives it another password, and ends all of its sessions. Resolves to the password where the server made one up, since none was
   * given: it is in no other place. Else to null.
   *
   * @throws `users.not_found`, `admin.own_account`, `input.invalid`
   */
  resetPassword(id: number, password?: string, options?: CallOptions): Promise<string | null>
  /** False when there was no such session of that account. */
  revokeSession(id: number, sessionId: string, options?: CallOptions): Promise<boolean>
  /** Ends all sessions of an account; says how many. @throws `users.not_found` */
  revokeSessions(id: number, options?: CallOptions): Promise<number>
  /** Deletes it for good, as if by its owner. @throws `users.not_found`, `admin.own_account` */
  delete(id: number, options?: CallOptions): Promise<void>
}

/** Posts, as staff sees and treats them. */
export interface AdminPosts {
  /** Posts in sight, or those that staff has removed. */
  search(filter?: StaffPostFilter, options?: PageOptions): Pages<StaffPostPage>
  /** In sight or removed. @throws `posts.not_found` */
  get(id: number, options?: CallOptions): Promise<StaffPost>
  /** Takes it out of sight, for everybody. The reason is for staff alone. False when it was out of sight already. @throws `posts.not_found` */
  remove(id: number, reason: string, options?: CallOptions): Promise<boolean>
  /** False when it was in sight already. @throws `posts.not_found` */
  restore(id: number, options?: CallOptions): Promise<boolean>
}

/** The trail: each action of staff, with who, what, when and from where. */
export interface AdminAudit {
  /** The newest first. */
  list(filter?: AuditFilter, options?: PageOptions): Pages<AuditPage>
}

export function createAdmin(call: Call): Admin {
  return {
    users: {
      search: (filter, { limit, ...options } = {}) =>
        pagesOf((cursor?: number) => call('admin.users.search', { ...filter, limit, cursor }, options)),
      get: (id, options) => call('admin.users.byId', { id }, options),
      suspend: async (id, terms, options) => (await call('admin.users.suspend', { ...terms, id }, options)).changed,
      restore: async (id, options) => (await call('admin.users.restore', { id }, options)).changed,
      setRole: async (id, role, options) => (await call('admin.users.setRole', { id, role }, options)).changed,
      resetPassword: async (id, password, options) => (await call('admin.users.resetPassword', { id, password }, options)).password,
      revokeSession: async (id, sessionId, options) => (await call('admin.users.revokeSession', { id, sessionId }, options)).revoked,
      revokeSessions: async (id, options) => (await call('admin.users.revokeSessions', { id }, options)).revoked,
      delete: (id, options) => call('admin.users.delete', { id }, options),
    },
    posts: {
      search: (filter, { limit, ...options } = {}) =>
        pagesOf((cursor?: string) => call('admin.posts.search', { ...filter, limit, cursor }, options)),
      get: (id, options) => call('admin.posts.byId', { id }, options),
      remove: async (id, reason, options) => (await call('admin.posts.remove', { id, reason }, options)).changed,
      restore: async (id, options) => (await call('admin.posts.restore', { id }, options)).changed,
    },
    audit: {
      list: (filter, { limit, ...options } = {}) =>
        pagesOf((cursor?: number) => call('admin.audit.list', { ...filter, limit, cursor }, options)),
    },
  }
}
