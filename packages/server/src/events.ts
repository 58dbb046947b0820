import type { AuthEvents } from './features/auth/auth.ts'
import type { NotificationEvents } from './features/notifications/notifications.ts'
import type { PostEvents } from './features/posts/posts.ts'
import type { RelationEvents } from './features/relations/relations.ts'
import type { UserEvents } from './features/users/users.ts'

/** Every event that can be in the outbox: its type, and the shape of its payload. */
export type Events = UserEvents & AuthEvents & PostEvents & RelationEvents & NotificationEvents
export type EventType = keyof Events
