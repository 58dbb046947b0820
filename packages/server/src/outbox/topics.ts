import type { EventType } from '../events.ts'

export type TopicName = 'user' | 'post' | 'relation' | 'notification'

/** Which stream an event belongs to where events are divided by what they are about. Within one, events of a key keep their order. */
export const topicOfType: Record<EventType, TopicName> = {
  user_registered: 'user',
  user_updated: 'user',
  user_deleted: 'user',
  user_suspended: 'user',
  user_restored: 'user',
  session_revoked: 'user',
  post_created: 'post',
  post_updated: 'post',
  post_deleted: 'post',
  follow_created: 'relation',
  follow_deleted: 'relation',
  notification_created: 'notification',
  notification_read: 'notification',
  notification_removed: 'notification',
}
