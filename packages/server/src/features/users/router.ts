import * as z from 'zod'
import { isEmailSyntax, isPlainEmail } from '../../core/account.ts'
import { pageInput } from '../../core/page.ts'
import { avatarUrl, bio, email, fullName, newPassword, username } from '../../rest/account-fields.ts'
import { id } from '../../rest/fields.ts'
import { authed, open, router } from '../../rpc/procedures.ts'
import type { Users } from './service.ts'

const newUser = z.object({
  username,
  email,
  password: newPassword,
  fullName: fullName.optional(),
  bio: bio.optional(),
  avatarUrl: avatarUrl.optional(),
})
/** Null takes a value away; v1 cannot. */
const changes = z.object({
  username: username.optional(),
  email: email.optional(),
  fullName: fullName.nullish(),
  bio: bio.nullish(),
  avatarUrl: avatarUrl.nullish(),
})
const plainEmail = z.string().refine((text) => isPlainEmail(text) && isEmailSyntax(text), 'Expected an e-mail address')

export function usersRouter({ users }: { users: Users }) {
  return router({
    create: authed.input(newUser).mutation(({ ctx, input }) => users.create(ctx.viewer, input)),

    byId: open.input(z.object({ id })).query(async ({ ctx, input }) => users.byId(input.id, await ctx.optionalViewer())),
    byUsername: open
      .input(z.object({ username: z.string() }))
      .query(async ({ ctx, input }) => users.byUsername(input.username, await ctx.optionalViewer())),
    byEmail: open
      .input(z.object({ email: plainEmail }))
      .query(async ({ ctx, input }) => users.byEmail(input.email, await ctx.optionalViewer())),
    search: open
      .input(pageInput.extend({ query: z.string() }))
      .query(async ({ ctx, input: { query, cursor, limit } }) =>
        users.search(query, { start: { cursor: cursor ?? 0 }, limit, viewer: await ctx.optionalViewer() }),
      ),

    update: authed.input(changes).mutation(({ ctx, input }) => users.update(ctx.viewer, ctx.viewer.id, input)),
    setAvatar: authed
      .input(z.object({ avatarUrl: avatarUrl.nullable() }))
      .mutation(({ ctx, input }) => users.update(ctx.viewer, ctx.viewer.id, input)),
    /** The account that asks. */
    delete: authed.mutation(({ ctx }) => users.remove(ctx.viewer, ctx.viewer.id)),
  })
}
