import * as z from 'zod'
import { avatarUrl, bio, email, fullName, givenPassword, login, newPassword, username } from '../../rest/account-fields.ts'
import { text } from '../../rest/fields.ts'
import { authed, open, router } from '../../rpc/procedures.ts'
import type { Users } from '../users/service.ts'
import type { Auth } from './service.ts'

const credentials = z.object({ login, password: givenPassword })
const newAccount = z.object({
  username,
  email,
  password: newPassword,
  fullName: fullName.optional(),
  bio: bio.optional(),
  avatarUrl: avatarUrl.optional(),
})
const byRefreshToken = z.object({ refreshToken: text({ min: 1, max: 4096 }) })
const setupToken = { token: text({ min: 1, max: 4096 }) }

export function authRouter({ auth, users }: { auth: Auth; users: Pick<Users, 'byId'> }) {
  return router({
    register: open.input(newAccount).mutation(({ ctx, input }) => auth.register(input, ctx.client)),
    login: open.input(credentials).mutation(({ ctx, input }) => auth.login(input, ctx.client)),
    refresh: open.input(byRefreshToken).mutation(({ ctx, input }) => auth.refresh(input.refreshToken, ctx.client)),
    logout: open.input(byRefreshToken).mutation(({ ctx, input }) => auth.logout(input.refreshToken, ctx.client)),
    changePassword: authed
      .input(z.object({ oldPassword: givenPassword, newPassword }))
      .mutation(({ ctx, input }) => auth.changePassword(ctx.viewer, input)),
    /** One's own account. */
    me: authed.query(async ({ ctx }) => ({ ...(await users.byId(ctx.viewer.id, ctx.viewer)), role: ctx.viewer.role })),
    /** Makes the first admin, by the token of the setup link: a new account, or one that exists. */
    claimAdmin: open
      .input(z.union([credentials.extend(setupToken), newAccount.extend(setupToken)]))
      .mutation(({ ctx, input }) => auth.claimAdmin(input, ctx.client)),

    sessions: router({
      list: authed.query(({ ctx }) => auth.listSessions(ctx.viewer)),
      revoke: authed.input(z.object({ id: z.string().max(100) })).mutation(({ ctx, input }) => auth.revokeSession(ctx.viewer, input.id)),
      revokeOthers: authed.mutation(({ ctx }) => auth.revokeOtherSessions(ctx.viewer)),
    }),
  })
}
