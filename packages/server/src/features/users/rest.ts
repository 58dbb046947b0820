import * as z from 'zod'
import { accountErrors, isEmailSyntax, isPlainEmail } from '../../core/account.ts'
import { inputErrors } from '../../core/input.ts'
import { wholeSeconds } from '../../core/time.ts'
import { roles } from '../../core/viewer.ts'
import { avatarUrl, bio, email, fullName, newPassword, username } from '../../rest/account-fields.ts'
import { id, idInPath, pageQuery } from '../../rest/fields.ts'
import { route, type Route } from '../../rest/route.ts'
import type { Users } from './service.ts'
import { userErrors, type User } from './users.ts'

const userShape = {
  id,
  username: z.string(),
  email: z.string().optional().meta({ description: 'In one’s own account, and for admins.' }),
  full_name: z.string().optional(),
  bio: z.string().optional(),
  avatar_url: z.string().optional(),
  created_at: z.string().meta({ format: 'date-time', examples: ['2026-01-31T18:41:35Z'] }),
  updated_at: z.string().meta({ format: 'date-time', examples: ['2026-01-31T18:41:35Z'] }),
}
const userReply = z.object(userShape).meta({ id: 'User' })
const meReply = z.object({ ...userShape, role: z.enum(roles) }).meta({ id: 'Me' })
const byId = z.object({ id: idInPath })
const taken = [userErrors.invalid_email, userErrors.username_taken, userErrors.email_taken]

export function userRoutes({ users }: { users: Users }): Route[] {
  return [
    route({
      name: 'auth.me',
      method: 'GET',
      path: '/auth/me',
      auth: 'required',
      summary: 'The account of the token',
      reply: meReply,
      async handle({ viewer }) {
        return { ...toReply(await users.byId(viewer.id, viewer)), role: viewer.role }
      },
    }),
    route({
      name: 'users.create',
      method: 'POST',
      path: '/users',
      root: true,
      auth: 'required',
      status: 201,
      summary: 'Make an account for somebody else',
      errors: [userErrors.creation_disabled, ...taken],
      reply: userReply,
      body: z.object({
        username,
        email,
        password: newPassword,
        full_name: fullName.optional(),
        bio: bio.optional(),
        avatar_url: avatarUrl.optional(),
      }),
      async handle({ viewer, body }) {
        const { full_name: fullName, avatar_url: avatarUrl, ...rest } = body
        return toReply(await users.create(viewer, { ...rest, fullName, avatarUrl }))
      },
    }),
    route({
      name: 'users.update',
      method: 'PUT',
      path: '/users',
      root: true,
      auth: 'required',
      summary: 'Change one’s own account; what is absent stays as it is',
      errors: [accountErrors.not_found, ...taken],
      reply: userReply,
      body: z.object({ id, username: username.optional(), email: email.optional(), full_name: fullName.optional(), bio: bio.optional() }),
      async handle({ viewer, body }) {
        const { id, full_name: fullName, ...rest } = body
        return toReply(await users.update(viewer, id, { ...rest, fullName }))
      },
    }),
    route({
      name: 'users.set_avatar',
      method: 'PUT',
      path: '/users/avatar',
      auth: 'required',
      summary: 'Set the picture of one’s own account',
      errors: [accountErrors.not_found],
      body: z.object({ avatar_url: avatarUrl }),
      async handle({ viewer, body }) {
        await users.update(viewer, viewer.id, { avatarUrl: body.avatar_url })
      },
    }),
    route({
      name: 'users.search',
      method: 'GET',
      path: '/users/search',
      auth: 'optional',
      summary: 'Users by a part of their username or full name, by ascending id',
      errors: [userErrors.invalid_search],
      query: pageQuery({ limitDefault: 10 }).extend({ query: z.string().optional(), cursor: idInPath.optional() }),
      reply: z.object({ users: z.array(userReply), total: z.int(), next_cursor: id.optional() }),
      async handle({ viewer, query: { query = '', page, limit, cursor } }) {
        const start = cursor === undefined ? { offset: (page - 1) * limit } : { cursor }
        const { items, total, nextCursor } = await users.search(query, { start, limit, viewer })
        return { users: items.map(toReply), total, next_cursor: nextCursor ?? undefined }
      },
    }),
    route({
      name: 'users.get_by_username',
      method: 'GET',
      path: '/users/username/{username}',
      auth: 'optional',
      summary: 'A user by username, in any letter case',
      errors: [accountErrors.not_found],
      params: z.object({ username: z.string() }),
      reply: userReply,
      async handle({ viewer, params }) {
        return toReply(await users.byUsername(params.username, viewer))
      },
    }),
    route({
      name: 'users.get_by_email',
      method: 'GET',
      path: '/users/email/{email}',
      auth: 'optional',
      summary: 'One’s own account by its e-mail address; for admins, any',
      errors: [accountErrors.not_found],
      params: z.object({ email: z.string() }),
      reply: userReply,
      async handle({ viewer, params }) {
        const { email } = params
        if (!isPlainEmail(email) || !isEmailSyntax(email))
          throw inputErrors.invalid({ issues: [{ path: 'email', message: 'Expected an e-mail address' }] })
        return toReply(await users.byEmail(email, viewer))
      },
    }),
    route({
      name: 'users.get',
      method: 'GET',
      path: '/users/{id}',
      auth: 'optional',
      summary: 'A user by id',
      errors: [accountErrors.not_found],
      params: byId,
      reply: userReply,
      async handle({ viewer, params }) {
        return toReply(await users.byId(params.id, viewer))
      },
    }),
    route({
      name: 'users.delete',
      method: 'DELETE',
      path: '/users/{id}',
      auth: 'required',
      status: 204,
      summary: 'Delete one’s own account, for good',
      errors: [accountErrors.not_found],
      params: byId,
      async handle({ viewer, params }) {
        await users.remove(viewer, params.id)
      },
    }),
  ]
}

/** @NOTE v1 leaves out what the row does not have: no null ever goes out. */
function toReply(user: User): z.input<typeof userReply> {
  return {
    id: user.id,
    username: user.username,
    email: user.email,
    full_name: user.fullName ?? undefined,
    bio: user.bio ?? undefined,
    avatar_url: user.avatarUrl ?? undefined,
    created_at: wholeSeconds(user.createdAt),
    updated_at: wholeSeconds(user.updatedAt),
  }
}
