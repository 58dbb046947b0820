import { tracked } from '@trpc/server'
import * as z from 'zod'
import { authed, router } from '../../rpc/procedures.ts'
import type { Live, Stream } from './service.ts'

/** tRPC's client fills it in when it comes back, so that it goes on where it was. */
const resume = z.object({ lastEventId: z.string().optional() }).optional()

export function liveRouter({ live }: { live: Live }) {
  return router({
    notifications: authed
      .input(resume)
      .subscription(({ ctx, input, signal }) => told(live.notifications(ctx.viewer, { ...input, signal }))),
    relations: authed.input(resume).subscription(({ ctx, input, signal }) => told(live.relations(ctx.viewer, { ...input, signal }))),
    posts: authed.input(resume).subscription(({ ctx, input, signal }) => told(live.posts(ctx.viewer, { ...input, signal }))),
    /** The number itself, now and whenever it changes: there is nothing to go on from. */
    unreadCount: authed.subscription(({ ctx, signal }) => untold(live.unreadCount(ctx.viewer, { signal }))),
  })
}

async function* told<Item>(stream: Stream<Item>) {
  for await (const { seq, item } of stream) yield tracked(String(seq), item)
}

async function* untold<Item>(stream: Stream<Item>) {
  for await (const { item } of stream) yield item
}
