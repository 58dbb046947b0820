import type { Actor, AuditFilter, AuditPage, ListedEntry } from '../../audit/audit.ts'
import { accountErrors } from '../../core/account.ts'
import { inputErrors } from '../../core/input.ts'
import type { DomainError } from '../../core/errors.ts'
import type { Page } from '../../core/page.ts'
import { parseRfc3339 } from '../../core/time.ts'
import type { Role } from '../../core/viewer.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { Auth } from '../auth/service.ts'
import type { suspensionOf } from '../auth/suspension.ts'
import type { fromCursor, toCursor } from '../posts/posts.ts'
import type { Posts } from '../posts/service.ts'
import type { Users } from '../users/service.ts'
import { adminErrors, newPassword, type ListedUser, type StaffPost, type UserDetail } from './admin.ts'
import { createPostLists, type PostQuery, type StaffPostPage } from './posts.ts'
import { selectSessionOwner } from './store.ts'
import { createUserLists, type UserQuery } from './users.ts'

export interface AdminDeps {
  database: Database<Tables>
  clock: Clock
  users: Pick<Users, 'find' | 'removeAs'>
  auth: Pick<Auth, 'suspend' | 'restore' | 'grantRole' | 'resetPassword' | 'listSessionsOf' | 'endSession' | 'endSessionsOf'>
  posts: Pick<Posts, 'byIds' | 'removeAs' | 'restoreAs'>
  audit: { list(filter: AuditFilter): Promise<AuditPage>; export(filter: AuditFilter): AsyncIterable<ListedEntry> }
  /** Pure functions of the features whose rows are read here. */
  rules: {
    suspensionOf: typeof suspensionOf
    toCursor: typeof toCursor
    fromCursor: typeof fromCursor
    postNotFound(): DomainError
  }
}

export type Admin = ReturnType<typeof createAdmin>

/** An admin who asks; the host has commands of its own. */
type AdminUser = Extract<Actor, { kind: 'user' }>

/**
 * What staff sees and does. Who may ask is decided by the surfaces, and once more in the transaction of each action, which also has its
 * row in the audit trail: `auth.forbidden`. Nobody acts on their own account (`admin.own_account`), so one admin always remains.
 */
export function createAdmin({ database, clock, users, auth, posts, audit, rules }: AdminDeps) {
  const userLists = createUserLists({ database, clock, suspensionOf: rules.suspensionOf })
  const postLists = createPostLists({ database, findPosts: posts.byIds, findAuthor: users.find, cursors: rules })

  function assertOther(actor: AdminUser, userId: number): void {
    if (actor.id === userId) throw adminErrors.own_account()
  }

  return {
    users: {
      search: (query: UserQuery): Promise<Page<ListedUser>> => userLists.search(query),

      async byId(id: number): Promise<UserDetail> {
        const user = await userLists.byId(id)
        if (!user) throw accountErrors.not_found()
        return { ...user, sessions: await auth.listSessionsOf(id) }
      },

      /** Every surface refuses the account from now on, on other processes within a second. `until` is null for no end. */
      async suspend(
        actor: AdminUser,
        id: number,
        { reason, until }: { reason: string; until: string | null },
      ): Promise<{ changed: boolean }> {
        assertOther(actor, id)
        return auth.suspend(actor, id, { reason, until: until === null ? null : toTime(until) })
      },

      restore: (actor: AdminUser, id: number): Promise<{ changed: boolean }> => auth.restore(actor, id),

      async setRole(actor: AdminUser, id: number, role: Role): Promise<{ changed: boolean }> {
        assertOther(actor, id)
        const { changed } = await auth.grantRole(actor, id, role)
        return { changed }
      },

      /** Ends all of its sessions. The password is in the answer, and nowhere else, where none was given. */
      async resetPassword(actor: AdminUser, id: number, given?: string): Promise<{ password: string | null }> {
        assertOther(actor, id)
        const password = given ?? newPassword()
        await auth.resetPassword(actor, id, password)
        return { password: given === undefined ? password : null }
      },

      async revokeSession(actor: AdminUser, id: number, sessionId: string): Promise<{ revoked: boolean }> {
        const owner = await selectSessionOwner.first(database.db, { sessionId })
        if (owner?.userId !== id) return { revoked: false }
        const { ended } = await auth.endSession(actor, sessionId)
        return { revoked: ended }
      },

      async revokeSessions(actor: AdminUser, id: number): Promise<{ revoked: number }> {
        const { ended } = await auth.endSessionsOf(actor, id)
        return { revoked: ended }
      },

      /** For good. What hangs on it goes afterwards, in batches. */
      async remove(actor: AdminUser, id: number): Promise<void> {
        assertOther(actor, id)
        await users.removeAs(actor, id)
      },
    },

    posts: {
      search: (query: PostQuery): Promise<StaffPostPage> => postLists.search(query),

      async byId(id: number): Promise<StaffPost> {
        const post = await postLists.byId(id)
        if (!post) throw rules.postNotFound()
        return post
      },

      remove: (actor: AdminUser, id: number, reason: string): Promise<{ changed: boolean }> => posts.removeAs(actor, id, reason),
      restore: (actor: AdminUser, id: number): Promise<{ changed: boolean }> => posts.restoreAs(actor, id),
    },

    audit: {
      list: (filter: AuditFilter): Promise<AuditPage> => audit.list(inOneForm(filter)),
      /** All of it, a page at a time. */
      export: (filter: AuditFilter): AsyncIterable<ListedEntry> => audit.export(inOneForm(filter)),
    },
  }
}

function inOneForm({ since, until, ...filter }: AuditFilter): AuditFilter {
  return { ...filter, since: since && toTime(since), until: until && toTime(until) }
}

/** A time of RFC 3339 as tables have it. */
function toTime(text: string): string {
  const time = parseRfc3339(text)
  if (!time) throw inputErrors.invalid({ issues: [{ path: 'until', message: 'Expected a time with a zone, as 2026-01-31T18:41:35Z' }] })
  return time.floor
}
