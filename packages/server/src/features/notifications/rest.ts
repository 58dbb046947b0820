import * as z from 'zod'
import { accountErrors } from '../../core/account.ts'
import { id, idInPath, text } from '../../rest/fields.ts'
import { route, type Route } from '../../rest/route.ts'
import { notificationErrors, notificationOrigins, typeLimits, type Notification } from './notifications.ts'
import type { Notifications } from './service.ts'

export const notificationReply = z
  .object({
    id,
    user_id: id,
    type: z.string(),
    is_read: z.boolean(),
    created_at: z.string().meta({ format: 'date-time', examples: ['2026-01-31T18:41:35.12Z'] }),
    payload: z.unknown().optional().meta({ description: 'Any JSON, with the keys of objects by length and then by bytes.' }),
    origin: z.enum(notificationOrigins).meta({ description: 'Only `system` ones tell of what happened; the others say what a user sent.' }),
    sender_id: id.optional().meta({ description: 'Who sent it, where `origin` is `user`.' }),
  })
  .meta({ id: 'Notification' })

const byId = z.object({ id: idInPath })
const done = z.object({ success: z.boolean(), message: z.string() })
const itsErrors = [notificationErrors.not_found, notificationErrors.access_denied]

/** @NOTE here, unlike in other lists, v1 refuses a bad page number, and says the same of every kind of bad. */
function numberInQuery(max: number, fallback: number) {
  const read = (value: unknown) => {
    const number = typeof value === 'string' && /^[+-]?\d+$/.test(value) ? Number(value) : Number.NaN
    return number >= 1 && number <= max ? number : Number.NaN
  }
  return z.preprocess((value) => (value === undefined ? fallback : read(value)), z.int().min(1).max(max)).optional()
}

export function notificationRoutes({ notifications }: { notifications: Notifications }): Route[] {
  return [
    route({
      name: 'notification.feed',
      method: 'GET',
      path: '/notification/feed',
      auth: 'required',
      summary: 'One’s own notifications, the newest first',
      query: z.object({
        page: numberInQuery(2 ** 31 - 1, 1),
        limit: numberInQuery(100, 10),
        cursor: numberInQuery(Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
      }),
      reply: z.object({
        notifications: z.array(notificationReply),
        total: z.int(),
        page: z.int(),
        limit: z.int(),
        total_pages: z.int(),
        next_cursor: id.optional(),
      }),
      async handle({ viewer, query: { page = 1, limit = 10, cursor } }) {
        const start = cursor === undefined ? { offset: (page - 1) * limit } : { cursor }
        const { items, total, nextCursor } = await notifications.feed(viewer, { start, limit })
        const pages = { total, page, limit, total_pages: Math.ceil(total / limit), next_cursor: nextCursor ?? undefined }
        return { notifications: items.map(toReply), ...pages }
      },
    }),
    route({
      name: 'notification.unread_count',
      method: 'GET',
      path: '/notification/unread-count',
      auth: 'required',
      summary: 'How many of one’s own notifications are unread',
      reply: z.object({ count: z.int() }),
      handle: ({ viewer }) => notifications.unreadCount(viewer),
    }),
    route({
      name: 'notification.get',
      method: 'GET',
      path: '/notification/{id}',
      auth: 'required',
      summary: 'One of one’s own notifications',
      errors: itsErrors,
      params: byId,
      reply: notificationReply,
      async handle({ viewer, params }) {
        return toReply(await notifications.byId(viewer, params.id))
      },
    }),
    route({
      name: 'notification.read',
      method: 'PUT',
      path: '/notification/{id}/read',
      auth: 'required',
      summary: 'Mark a notification as read',
      errors: itsErrors,
      params: byId,
      reply: done,
      async handle({ viewer, params }) {
        const { changed } = await notifications.read(viewer, params.id)
        return { success: true, message: changed ? 'Notification marked as read' : 'Notification already marked as read' }
      },
    }),
    route({
      name: 'notification.read_all',
      method: 'PUT',
      path: '/notification/read-all',
      auth: 'required',
      summary: 'Mark all of one’s own notifications as read',
      reply: done,
      async handle({ viewer }) {
        await notifications.readAll(viewer)
        return { success: true, message: 'All notifications marked as read' }
      },
    }),
    route({
      name: 'notification.remove',
      method: 'DELETE',
      path: '/notification/{id}',
      auth: 'required',
      summary: 'Remove a notification',
      errors: itsErrors,
      params: byId,
      reply: done,
      async handle({ viewer, params }) {
        const { removed } = await notifications.remove(viewer, params.id)
        if (!removed) throw notificationErrors.not_found()
        return { success: true, message: 'Notification removed successfully' }
      },
    }),
    route({
      name: 'notification.send',
      method: 'POST',
      path: '/notification/send',
      auth: 'required',
      summary: 'Send a notification of any type to any user',
      description: 'The recipient sees who sent it, and can tell it from what the system reports, whatever its type says.',
      errors: [notificationErrors.sending_disabled, accountErrors.not_found],
      body: z.object({ user_id: id, type: text(typeLimits), payload: z.unknown().optional() }),
      reply: z.object({ notification_id: id, message: z.string() }),
      async handle({ viewer, body: { user_id: userId, type, payload } }) {
        const { id } = await notifications.send(viewer, { userId, type, payload })
        return { notification_id: id, message: 'Notification sent successfully' }
      },
    }),
  ]
}

/** @NOTE v1 leaves out what the row does not have; a payload of null is one, and goes out. */
export function toReply({
  id,
  userId,
  type,
  origin,
  senderId,
  payload,
  createdAt,
  readAt,
}: Notification): z.input<typeof notificationReply> {
  return {
    id,
    user_id: userId,
    type,
    is_read: readAt !== null,
    created_at: trimFraction(createdAt),
    payload,
    origin,
    sender_id: senderId ?? undefined,
  }
}

/** REST-V1 1.7: no zeros at the end of the fraction, and no fraction when it is nothing but zeros. */
function trimFraction(time: string): string {
  return time.replace(/\.?0*Z$/, 'Z')
}
