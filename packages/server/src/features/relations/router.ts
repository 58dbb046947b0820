import * as z from 'zod'
import { pageInput } from '../../core/page.ts'
import { id } from '../../rest/fields.ts'
import { authed, open, router } from '../../rpc/procedures.ts'
import type { Relations } from './service.ts'

const userInput = z.object({ userId: id })
const listInput = userInput.extend(pageInput.shape)
const statusUsersMax = 100

export function relationsRouter({ relations }: { relations: Relations }) {
  return router({
    follow: authed.input(userInput).mutation(({ ctx, input }) => relations.follow(ctx.viewer.id, input.userId)),
    unfollow: authed.input(userInput).mutation(({ ctx, input }) => relations.unfollow(ctx.viewer.id, input.userId)),

    followers: open
      .input(listInput)
      .query(({ input: { userId, cursor, limit } }) => relations.list('followers', userId, { start: { cursor }, limit })),
    followees: open
      .input(listInput)
      .query(({ input: { userId, cursor, limit } }) => relations.list('followees', userId, { start: { cursor }, limit })),

    /** How the viewer stands to each of up to 100 users. */
    status: authed
      .input(z.object({ userIds: z.array(id).max(statusUsersMax) }))
      .query(({ ctx, input }) => relations.status(ctx.viewer.id, input.userIds)),
    counts: open.input(userInput).query(({ input }) => relations.counts(input.userId)),
  })
}
