import { defineErrors } from '../../core/errors.ts'
import { isStorableText, isWithin } from '../../core/text.ts'

/** `system` for what Pinstack itself reports; nobody can send one of those. */
export const notificationOrigins = ['system', 'user'] as const
export type NotificationOrigin = (typeof notificationOrigins)[number]

export interface Notification {
  id: number
  /** Who gets it. */
  userId: number
  /** `follow_created`, or whatever text a user has sent. Only with `origin` does it say what happened. */
  type: string
  origin: NotificationOrigin
  /** Who sent it; null when the system did. The account may be gone. */
  senderId: number | null
  /** Any JSON. Left out when there is none; null is a payload, too. */
  payload?: unknown
  createdAt: string
  /** Null while it is unread. */
  readAt: string | null
}

export interface NewNotification {
  userId: number
  type: string
  /** Undefined for none. */
  payload?: unknown
}

interface NotificationEvent {
  notification_id: number
  user_id: number
  type: string
}

export interface NotificationEvents {
  notification_created: NotificationEvent
  notification_read: NotificationEvent
  /** By its recipient, or withdrawn with what it told of. */
  notification_removed: NotificationEvent
}

export const notificationErrors = defineErrors('notifications', {
  not_found: ['not_found', 'notification not found'],
  access_denied: ['forbidden', 'access to notification denied'],
  sending_disabled: ['forbidden', 'forbidden'],
})

/** In Unicode code points. */
export const typeLimits = { min: 1, max: 255 } as const

export function isNotificationType(text: string): boolean {
  return isStorableText(text) && isWithin(text, typeLimits)
}

/** At most one unread notification tells of this follow. */
export function followSource(followerId: number, followeeId: number): string {
  return `follow:${followerId}:${followeeId}`
}
