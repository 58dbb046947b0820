import * as z from 'zod'
import { pageInput } from '../../core/page.ts'
import { id, text } from '../../rest/fields.ts'
import { authed, router } from '../../rpc/procedures.ts'
import { typeLimits } from './notifications.ts'
import type { Notifications } from './service.ts'

const one = z.object({ id })

export function notificationsRouter({ notifications }: { notifications: Notifications }) {
  return router({
    send: authed
      .input(z.object({ userId: id, type: text(typeLimits), payload: z.unknown().optional() }))
      .mutation(({ ctx, input }) => notifications.send(ctx.viewer, input)),

    feed: authed
      .input(pageInput)
      .query(({ ctx, input: { cursor, limit } }) => notifications.feed(ctx.viewer, { start: { cursor }, limit })),
    unreadCount: authed.query(({ ctx }) => notifications.unreadCount(ctx.viewer)),
    byId: authed.input(one).query(({ ctx, input }) => notifications.byId(ctx.viewer, input.id)),

    read: authed.input(one).mutation(({ ctx, input }) => notifications.read(ctx.viewer, input.id)),
    readAll: authed.mutation(({ ctx }) => notifications.readAll(ctx.viewer)),
    remove: authed.input(one).mutation(({ ctx, input }) => notifications.remove(ctx.viewer, input.id)),
  })
}
