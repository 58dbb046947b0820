import * as z from 'zod'
import { id } from '../../rest/fields.ts'
import { eventRoute, type Route, type SentEvent } from '../../rest/route.ts'
import type { Live, NotificationItem } from '../live/service.ts'
import type { Mark, Sent } from '../live/stream.ts'
import { notificationReply, toReply } from './rest.ts'

const its = z.object({ id })

/** The viewer's notifications as they come, for clients without tRPC. */
export function notificationStreamRoutes({ live }: { live: Live }): Route[] {
  return [
    eventRoute({
      name: 'notification.stream',
      path: '/notification/stream',
      auth: 'required',
      summary: 'One’s own notifications as they happen, as server-sent events',
      description:
        'With `Last-Event-ID` it goes on after what came last, and nothing is missed or comes twice. It ends now and then, and when the server restarts: come back with the header.',
      events: {
        notification: notificationReply,
        read: its.describe('the notification with this `id` was read'),
        removed: its.describe('the notification with this `id` is gone'),
        ready: z.object({}).describe('all that was missed has been sent; what comes now is live'),
        reset: z.object({}).describe('what was missed is no longer kept: load the feed anew'),
      },
      async open({ viewer, ...opening }) {
        return toEvents(live.notifications(viewer, opening))
      },
    }),
  ]
}

async function* toEvents(stream: AsyncIterable<Sent<NotificationItem | Mark>>): AsyncGenerator<SentEvent, void> {
  for await (const { seq, item } of stream) yield { id: String(seq), ...toEvent(item) }
}

function toEvent(item: NotificationItem | Mark): Omit<SentEvent, 'id'> {
  if (item.type === 'created') return { event: 'notification', data: toReply(item.notification) }
  if ('notificationId' in item) return { event: item.type, data: { id: item.notificationId } }
  return { event: item.type, data: {} }
}
