import * as z from 'zod'
import type { Actor } from '../../audit/audit.ts'
import type { Client } from '../../core/client.ts'
import type { Viewer } from '../../core/viewer.ts'
import { newPassword } from '../../rest/account-fields.ts'
import { id } from '../../rest/fields.ts'
import { admin as forAdmins, moderator as forModerators, router } from '../../rpc/procedures.ts'
import { pageLimits } from './admin.ts'
import { auditText, kind, limit, postCursor, postState, reason, role, search, sessionId, time, until } from './fields.ts'
import type { Admin } from './service.ts'

const page = { limit: limit.default(pageLimits.default), cursor: z.int().min(1).optional() }
const byId = z.object({ id })
const trail = z.object({
  ...page,
  actorId: id.optional(),
  /** `host` for what was done by commands on the host. */
  actor: z.enum(['user', 'host']).optional(),
  action: auditText.optional(),
  targetType: auditText.optional(),
  targetId: auditText.optional(),
  since: time.optional(),
  until: time.optional(),
})

/** Every procedure is for admins, but those of content, which are for moderators, too. */
export function adminRouter({ admin }: { admin: Admin }) {
  const { users, posts, audit } = admin
  return router({
    users: router({
      search: forAdmins
        .input(z.object({ ...page, query: search.default(''), kind: kind.default('all') }))
        .query(({ input }) => users.search(input)),
      byId: forAdmins.input(byId).query(({ input }) => users.byId(input.id)),
      suspend: forAdmins
        .input(z.object({ id, reason, until: until.nullable().default(null) }))
        .mutation(({ ctx, input: { id, ...terms } }) => users.suspend(actorOf(ctx), id, terms)),
      restore: forAdmins.input(byId).mutation(({ ctx, input }) => users.restore(actorOf(ctx), input.id)),
      setRole: forAdmins.input(z.object({ id, role })).mutation(({ ctx, input }) => users.setRole(actorOf(ctx), input.id, input.role)),
      resetPassword: forAdmins
        .input(z.object({ id, password: newPassword.optional() }))
        .mutation(({ ctx, input }) => users.resetPassword(actorOf(ctx), input.id, input.password)),
      revokeSession: forAdmins
        .input(z.object({ id, sessionId }))
        .mutation(({ ctx, input }) => users.revokeSession(actorOf(ctx), input.id, input.sessionId)),
      revokeSessions: forAdmins.input(byId).mutation(({ ctx, input }) => users.revokeSessions(actorOf(ctx), input.id)),
      delete: forAdmins.input(byId).mutation(({ ctx, input }) => users.remove(actorOf(ctx), input.id)),
    }),
    posts: router({
      search: forModerators
        .input(
          z.object({
            query: search.default(''),
            authorId: id.optional(),
            state: postState.default('visible'),
            limit: page.limit,
            cursor: postCursor.optional(),
          }),
        )
        .query(({ input }) => posts.search(input)),
      byId: forModerators.input(byId).query(({ input }) => posts.byId(input.id)),
      remove: forModerators
        .input(z.object({ id, reason }))
        .mutation(({ ctx, input }) => posts.remove(actorOf(ctx), input.id, input.reason)),
      restore: forModerators.input(byId).mutation(({ ctx, input }) => posts.restore(actorOf(ctx), input.id)),
    }),
    audit: router({
      list: forAdmins.input(trail).query(({ input }) => audit.list(input)),
    }),
  })
}

function actorOf({ viewer, client }: { viewer: Viewer; client: Client }): Extract<Actor, { kind: 'user' }> {
  return { kind: 'user', id: viewer.id, address: client.address }
}
