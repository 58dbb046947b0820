import * as z from 'zod'
import { accountErrors } from '../../core/account.ts'
import { id, idInPath, pageQuery, sentence } from '../../rest/fields.ts'
import { route, type Route } from '../../rest/route.ts'
import { relationErrors, type Relation } from './relations.ts'
import type { Relations, RelationSide } from './service.ts'

const followee = z.object({ followee_id: id })
const ofUser = z.object({ user_id: idInPath })
const query = pageQuery({ limitDefault: 20 }).extend({ cursor: idInPath.optional() })
const relationUser = z.object({ id, username: z.string(), avatar_url: z.string().optional() }).meta({ id: 'RelationUser' })
const pageReply = { total: z.int(), page: z.int(), limit: z.int(), next_cursor: id.optional() }

export function relationRoutes({ relations }: { relations: Relations }): Route[] {
  async function page(side: RelationSide, userId: number, { page, limit, cursor }: z.output<typeof query>) {
    const start = cursor === undefined ? { offset: (page - 1) * limit } : { cursor }
    const { items, total, nextCursor } = await relations.list(side, userId, { start, limit })
    return { users: items.map(toRelationUser), total, page, limit, next_cursor: nextCursor ?? undefined }
  }

  return [
    route({
      name: 'relation.follow',
      method: 'POST',
      path: '/relation/follow',
      auth: 'required',
      summary: 'Follow a user',
      errors: [relationErrors.self_follow, accountErrors.not_found, relationErrors.already_following],
      body: followee,
      reply: sentence,
      async handle({ viewer, body }) {
        const { created } = await relations.follow(viewer.id, body.followee_id)
        if (!created) throw relationErrors.already_following()
        return { message: 'Followed successfully' }
      },
    }),
    route({
      name: 'relation.unfollow',
      method: 'POST',
      path: '/relation/unfollow',
      auth: 'required',
      summary: 'Follow a user no longer; a follow notification that was not read is withdrawn',
      errors: [relationErrors.self_unfollow, relationErrors.not_following],
      body: followee,
      reply: sentence,
      async handle({ viewer, body }) {
        const { removed } = await relations.unfollow(viewer.id, body.followee_id)
        if (!removed) throw relationErrors.not_following()
        return { message: 'Unfollowed successfully' }
      },
    }),
    route({
      name: 'relation.followers',
      method: 'GET',
      path: '/relation/{user_id}/followers',
      auth: 'open',
      summary: 'Who follows a user, the newest first',
      errors: [accountErrors.not_found],
      params: ofUser,
      query,
      reply: z.object({ followers: z.array(relationUser), ...pageReply }),
      async handle({ params, query }) {
        const { users, ...rest } = await page('followers', params.user_id, query)
        return { followers: users, ...rest }
      },
    }),
    route({
      name: 'relation.followees',
      method: 'GET',
      path: '/relation/{user_id}/followees',
      auth: 'open',
      summary: 'Whom a user follows, the newest first',
      errors: [accountErrors.not_found],
      params: ofUser,
      query,
      reply: z.object({ followees: z.array(relationUser), ...pageReply }),
      async handle({ params, query }) {
        const { users, ...rest } = await page('followees', params.user_id, query)
        return { followees: users, ...rest }
      },
    }),
  ]
}

/** @NOTE v1 leaves out what the row does not have: no null ever goes out. */
function toRelationUser({ userId, username, avatarUrl }: Relation): z.input<typeof relationUser> {
  return { id: userId, username, avatar_url: avatarUrl ?? undefined }
}
