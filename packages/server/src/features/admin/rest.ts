import * as z from 'zod'
import type { Actor, ListedEntry } from '../../audit/audit.ts'
import { accountErrors } from '../../core/account.ts'
import type { Client } from '../../core/client.ts'
import type { DomainError } from '../../core/errors.ts'
import type { Viewer } from '../../core/viewer.ts'
import { newPassword } from '../../rest/account-fields.ts'
import { id, idInPath } from '../../rest/fields.ts'
import { lineRoute, route, type Route } from '../../rest/route.ts'
import { adminErrors, pageLimits, type ListedUser, type StaffPost } from './admin.ts'
import { auditText, kind, limit, postCursor, postState, reason, role, search, sessionId, time, until } from './fields.ts'
import type { Admin } from './service.ts'

const dateTime = z.string().meta({ format: 'date-time' })
const changed = z.object({ changed: z.boolean().meta({ description: 'False when it was so already.' }) })
const suspension = z.object({ at: dateTime, until: dateTime.nullable(), reason: z.string() }).nullable()
const userShape = {
  id,
  username: z.string(),
  email: z.string(),
  full_name: z.string().nullable(),
  role,
  created_at: dateTime,
  suspension,
}
const userReply = z.object(userShape).meta({ id: 'StaffUser' })
const detailReply = z
  .object({
    ...userShape,
    bio: z.string().nullable(),
    avatar_url: z.string().nullable(),
    updated_at: dateTime,
    counters: z.object({
      posts: z.int(),
      removed_posts: z.int(),
      followers: z.int(),
      followees: z.int(),
      notifications: z.int(),
      unread: z.int(),
    }),
    sessions: z.array(z.object({ id: z.string(), device: z.string(), address: z.string(), created_at: dateTime, last_used_at: dateTime })),
  })
  .meta({ id: 'StaffUserDetail' })
const postReply = z
  .object({
    id,
    title: z.string(),
    content: z.string().nullable(),
    author: z.object({ id: z.int(), username: z.string(), full_name: z.string().nullable(), avatar_url: z.string().nullable() }),
    created_at: dateTime,
    updated_at: dateTime,
    media: z.array(z.object({ id, url: z.string(), type: z.string(), position: z.int() })),
    tags: z.array(z.object({ id, name: z.string() })),
    removal: z
      .object({ at: dateTime, by: z.int().nullable().meta({ description: 'Null when it was done on the host.' }), reason: z.string() })
      .nullable(),
  })
  .meta({ id: 'StaffPost' })
const entryReply = z
  .object({
    id,
    actor: z.enum(['user', 'host']),
    actor_id: z.int().nullable(),
    action: z.string(),
    target_type: z.string(),
    target_id: z.string(),
    detail: z.record(z.string(), z.union([z.string(), z.number(), z.null()])).nullable(),
    address: z.string().nullable(),
    created_at: dateTime,
  })
  .meta({ id: 'AuditEntry' })

const integer = (schema: z.ZodType<number>) => z.preprocess((given) => (/^\d+$/.test(String(given)) ? Number(given) : given), schema)
const pageQuery = { cursor: integer(id).optional(), limit: integer(limit).default(pageLimits.default) }
const trailQuery = {
  actor: z.enum(['user', 'host']).optional(),
  actor_id: integer(id).optional(),
  action: auditText.optional(),
  target_type: auditText.optional(),
  target_id: auditText.optional(),
  since: time.optional(),
  until: time.optional(),
}
const byId = z.object({ id: idInPath })
const forAdmins = { auth: 'required', role: 'admin' } as const
const forModerators = { auth: 'required', role: 'moderator' } as const
const onUser = [accountErrors.not_found, adminErrors.own_account]

interface Features {
  admin: Admin
}

/** `postNotFound` is another feature's error. */
export function adminRoutes({ admin }: Features, { postNotFound }: { postNotFound: () => DomainError }): Route[] {
  const { users, posts, audit } = admin
  return [
    route({
      name: 'admin.users.search',
      method: 'GET',
      path: '/admin/users',
      ...forAdmins,
      summary: 'Accounts, the newest first: all, or by a part of a name or an address, or by an id',
      query: z.object({ ...pageQuery, query: search.default(''), kind: kind.default('all') }),
      reply: z.object({ users: z.array(userReply), next_cursor: z.int().nullable() }),
      async handle({ query }) {
        const { items, nextCursor } = await users.search(query)
        return { users: items.map(toUser), next_cursor: nextCursor }
      },
    }),
    route({
      name: 'admin.users.get',
      method: 'GET',
      path: '/admin/users/{id}',
      ...forAdmins,
      summary: 'All that staff may know of an account',
      errors: [accountErrors.not_found],
      params: byId,
      reply: detailReply,
      async handle({ params }) {
        const { bio, avatarUrl, updatedAt, counters, sessions, ...user } = await users.byId(params.id)
        const { removedPosts, ...counts } = counters
        return {
          ...toUser(user),
          bio,
          avatar_url: avatarUrl,
          updated_at: updatedAt,
          counters: { ...counts, removed_posts: removedPosts },
          sessions: sessions.map(({ createdAt, lastUsedAt, ...rest }) => ({ ...rest, created_at: createdAt, last_used_at: lastUsedAt })),
        }
      },
    }),
    route({
      name: 'admin.users.suspend',
      method: 'POST',
      path: '/admin/users/{id}/suspend',
      ...forAdmins,
      summary: 'Shut an account out, until a time or for good',
      errors: onUser,
      params: byId,
      body: z.object({ reason, until: until.nullable().default(null) }),
      reply: changed,
      handle: ({ viewer, client, params, body }) => users.suspend(actorOf(viewer, client), params.id, body),
    }),
    route({
      name: 'admin.users.restore',
      method: 'POST',
      path: '/admin/users/{id}/restore',
      ...forAdmins,
      summary: 'Let an account in again',
      errors: [accountErrors.not_found],
      params: byId,
      reply: changed,
      handle: ({ viewer, client, params }) => users.restore(actorOf(viewer, client), params.id),
    }),
    route({
      name: 'admin.users.set_role',
      method: 'PUT',
      path: '/admin/users/{id}/role',
      ...forAdmins,
      summary: 'Give an account a role',
      errors: onUser,
      params: byId,
      body: z.object({ role }),
      reply: changed,
      handle: ({ viewer, client, params, body }) => users.setRole(actorOf(viewer, client), params.id, body.role),
    }),
    route({
      name: 'admin.users.reset_password',
      method: 'POST',
      path: '/admin/users/{id}/reset-password',
      ...forAdmins,
      summary: 'Give an account a new password, and end its sessions',
      errors: onUser,
      params: byId,
      body: z.object({ password: newPassword.optional() }),
      reply: z.object({ password: z.string().nullable().meta({ description: 'The new one, where none was given. It is shown once.' }) }),
      handle: ({ viewer, client, params, body }) => users.resetPassword(actorOf(viewer, client), params.id, body.password),
    }),
    route({
      name: 'admin.users.revoke_session',
      method: 'DELETE',
      path: '/admin/users/{id}/sessions/{session_id}',
      ...forAdmins,
      summary: 'End one session of an account',
      errors: [adminErrors.session_not_found],
      params: z.object({ id: idInPath, session_id: sessionId }),
      async handle({ viewer, client, params }) {
        const { revoked } = await users.revokeSession(actorOf(viewer, client), params.id, params.session_id)
        if (!revoked) throw adminErrors.session_not_found()
      },
    }),
    route({
      name: 'admin.users.revoke_sessions',
      method: 'DELETE',
      path: '/admin/users/{id}/sessions',
      ...forAdmins,
      summary: 'End all sessions of an account',
      errors: [accountErrors.not_found],
      params: byId,
      reply: z.object({ revoked: z.int() }),
      handle: ({ viewer, client, params }) => users.revokeSessions(actorOf(viewer, client), params.id),
    }),
    route({
      name: 'admin.users.delete',
      method: 'DELETE',
      path: '/admin/users/{id}',
      ...forAdmins,
      summary: 'Delete an account and all that is its own, for good',
      errors: onUser,
      params: byId,
      handle: ({ viewer, client, params }) => users.remove(actorOf(viewer, client), params.id),
    }),
    route({
      name: 'admin.posts.search',
      method: 'GET',
      path: '/admin/posts',
      ...forModerators,
      summary: 'Posts in sight, the newest first, or removed ones: all, of an author, or by a part of the title or content',
      description: 'A search looks at 2,000 posts at most: a page with a `next_cursor` may have few posts, or none, and the next goes on.',
      query: z.object({
        query: search.default(''),
        author_id: integer(id).optional(),
        state: postState.default('visible'),
        limit: pageQuery.limit,
        cursor: postCursor.optional(),
      }),
      reply: z.object({ posts: z.array(postReply), next_cursor: z.string().nullable() }),
      async handle({ query: { author_id: authorId, ...query } }) {
        const { items, nextCursor } = await posts.search({ ...query, authorId })
        return { posts: items.map(toPost), next_cursor: nextCursor }
      },
    }),
    route({
      name: 'admin.posts.get',
      method: 'GET',
      path: '/admin/posts/{id}',
      ...forModerators,
      summary: 'A post, in sight or removed',
      errors: [postNotFound],
      params: byId,
      reply: postReply,
      handle: async ({ params }) => toPost(await posts.byId(params.id)),
    }),
    route({
      name: 'admin.posts.remove',
      method: 'POST',
      path: '/admin/posts/{id}/remove',
      ...forModerators,
      summary: 'Take a post out of sight',
      errors: [postNotFound],
      params: byId,
      body: z.object({ reason }),
      reply: changed,
      handle: ({ viewer, client, params, body }) => posts.remove(actorOf(viewer, client), params.id, body.reason),
    }),
    route({
      name: 'admin.posts.restore',
      method: 'POST',
      path: '/admin/posts/{id}/restore',
      ...forModerators,
      summary: 'Bring a removed post back',
      errors: [postNotFound],
      params: byId,
      reply: changed,
      handle: ({ viewer, client, params }) => posts.restore(actorOf(viewer, client), params.id),
    }),
    route({
      name: 'admin.audit.list',
      method: 'GET',
      path: '/admin/audit',
      ...forAdmins,
      summary: 'What staff and the host have done, the newest first',
      query: z.object({ ...trailQuery, ...pageQuery }),
      reply: z.object({ entries: z.array(entryReply), next_cursor: z.int().nullable() }),
      async handle({ query }) {
        const { items, nextCursor } = await audit.list({ ...toFilter(query), cursor: query.cursor, limit: query.limit })
        return { entries: items.map(toEntry), next_cursor: nextCursor }
      },
    }),
    lineRoute({
      name: 'admin.audit.export',
      path: '/admin/audit/export',
      ...forAdmins,
      summary: 'The same, all of it, as JSON lines',
      query: z.object(trailQuery),
      line: entryReply,
      lines: ({ query }) => mapped(audit.export(toFilter(query)), toEntry),
    }),
  ]
}

function actorOf({ id }: Viewer, { address }: Client): Extract<Actor, { kind: 'user' }> {
  return { kind: 'user', id, address }
}

function toUser({ fullName, createdAt, ...user }: ListedUser): z.input<typeof userReply> {
  return { ...user, full_name: fullName, created_at: createdAt }
}

function toPost({ author, createdAt, updatedAt, ...post }: StaffPost): z.input<typeof postReply> {
  const { id, username, fullName, avatarUrl } = author
  return {
    ...post,
    author: { id, username, full_name: fullName, avatar_url: avatarUrl },
    created_at: createdAt,
    updated_at: updatedAt,
  }
}

function toFilter({ actor_id: actorId, target_type: targetType, target_id: targetId, ...rest }: z.output<z.ZodObject<typeof trailQuery>>) {
  const { actor, action, since, until } = rest
  return { actor, actorId, action, targetType, targetId, since, until }
}

function toEntry({
  id,
  actor,
  actorId,
  action,
  targetType,
  targetId,
  detail,
  address,
  createdAt,
}: ListedEntry): z.input<typeof entryReply> {
  return {
    id,
    actor,
    actor_id: actorId,
    action,
    target_type: targetType,
    target_id: targetId,
    detail,
    address,
    created_at: createdAt,
  }
}

async function* mapped<From, To>(items: AsyncIterable<From>, map: (item: From) => To): AsyncGenerator<To, void> {
  for await (const item of items) yield map(item)
}
