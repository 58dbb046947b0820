import * as z from 'zod'
import { accountErrors, accountLimits } from '../../core/account.ts'
import { bio, email, fullName, givenPassword, login, newPassword, username } from '../../rest/account-fields.ts'
import { sentence, text } from '../../rest/fields.ts'
import { route, type Route } from '../../rest/route.ts'
import { authErrors, type TokenPair } from './auth.ts'
import type { Auth } from './service.ts'

const token = z.string().meta({ format: 'password' })
const tokensReply = z.object({ access_token: token, refresh_token: token }).meta({ id: 'Tokens' })
const byRefreshToken = z.object({ refresh_token: text({ min: 1, max: 4096 }) })

// v1 at registration takes an empty text, but none that is only begun. The upper bounds of `password` and the form of
// `avatar_url` are looked at after the address: REST-V1 2.1, A1. The service does that, and this only documents them.
const emptyOr = (min: number) =>
  [(value: string) => value === '' || [...value].length >= min, `Expected nothing, or ${min} characters`] as const
const longestWait = 1_000_000
const registration = z.object({
  username,
  email,
  password: text({ min: accountLimits.password.min, max: longestWait }).meta({ format: 'password', maxLength: accountLimits.password.max }),
  full_name: fullName.refine(...emptyOr(3)).optional(),
  bio: bio.refine(...emptyOr(8)).optional(),
  avatar_url: text({ max: longestWait })
    .refine(...emptyOr(8))
    .meta({ format: 'uri', maxLength: accountLimits.avatarUrl.max })
    .optional(),
})

const sessionReply = z
  .object({
    id: z.string(),
    device: z.string().meta({ description: 'The user agent that signed in.' }),
    address: z.string(),
    created_at: z.string().meta({ format: 'date-time' }),
    last_used_at: z.string().meta({ format: 'date-time', description: 'When it signed in or refreshed last.' }),
    current: z.boolean().meta({ description: 'Whether it is the session of the token that asks.' }),
  })
  .meta({ id: 'Session' })

export function authRoutes({ auth }: { auth: Auth }): Route[] {
  return [
    route({
      name: 'auth.register',
      method: 'POST',
      path: '/auth/register',
      auth: 'open',
      status: 201,
      summary: 'Make an account, and sign in to it',
      body: registration,
      reply: tokensReply,
      async handle({ body, client }) {
        const { full_name: fullName, avatar_url: avatarUrl, ...rest } = body
        return toReply(await auth.register({ ...rest, fullName, avatarUrl: avatarUrl || undefined }, client))
      },
    }),
    route({
      name: 'auth.login',
      method: 'POST',
      path: '/auth/login',
      auth: 'open',
      summary: 'Sign in by username or e-mail address',
      errors: [accountErrors.not_found, authErrors.invalid_credentials],
      body: z.object({ login, password: givenPassword }),
      reply: tokensReply,
      async handle({ body, client }) {
        return toReply(await auth.login(body, client))
      },
    }),
    route({
      name: 'auth.refresh',
      method: 'POST',
      path: '/auth/refresh',
      auth: 'open',
      summary: 'Exchange a refresh token, which is spent by it, for a new pair',
      errors: [authErrors.invalid_refresh_token, accountErrors.not_found],
      body: byRefreshToken,
      reply: tokensReply,
      async handle({ body, client }) {
        return toReply(await auth.refresh(body.refresh_token, client))
      },
    }),
    route({
      name: 'auth.logout',
      method: 'POST',
      path: '/auth/logout',
      auth: 'open',
      summary: 'End the session of a refresh token',
      errors: [authErrors.invalid_refresh_token],
      body: byRefreshToken,
      async handle({ body, client }) {
        await auth.logout(body.refresh_token, client)
      },
    }),
    route({
      name: 'auth.update_password',
      method: 'POST',
      path: '/auth/update-password',
      auth: 'required',
      summary: 'Change the password; every other session ends',
      errors: [accountErrors.not_found, authErrors.invalid_credentials],
      body: z.object({ old_password: givenPassword, new_password: newPassword }),
      reply: z.object({ ...sentence.shape, ...tokensReply.shape }),
      async handle({ viewer, body }) {
        const pair = await auth.changePassword(viewer, { oldPassword: body.old_password, newPassword: body.new_password })
        return { message: 'Password updated successfully', ...toReply(pair) }
      },
    }),
    route({
      name: 'auth.list_sessions',
      method: 'GET',
      path: '/auth/sessions',
      auth: 'required',
      summary: 'Where this account is signed in, the last used first',
      reply: z.object({ sessions: z.array(sessionReply) }),
      async handle({ viewer }) {
        const sessions = await auth.listSessions(viewer)
        return {
          sessions: sessions.map(({ createdAt, lastUsedAt, ...rest }) => ({ ...rest, created_at: createdAt, last_used_at: lastUsedAt })),
        }
      },
    }),
    route({
      name: 'auth.revoke_session',
      method: 'DELETE',
      path: '/auth/sessions/{id}',
      auth: 'required',
      summary: 'End one of this account’s sessions',
      errors: [authErrors.session_not_found],
      params: z.object({ id: text({ max: 100 }) }),
      async handle({ viewer, params }) {
        const { revoked } = await auth.revokeSession(viewer, params.id)
        if (!revoked) throw authErrors.session_not_found()
      },
    }),
    route({
      name: 'auth.revoke_other_sessions',
      method: 'POST',
      path: '/auth/sessions/revoke-others',
      auth: 'required',
      summary: 'End all sessions but the one that asks',
      reply: z.object({ revoked: z.int() }),
      handle: ({ viewer }) => auth.revokeOtherSessions(viewer),
    }),
  ]
}

function toReply({ accessToken, refreshToken }: TokenPair): z.input<typeof tokensReply> {
  return { access_token: accessToken, refresh_token: refreshToken }
}
