import type { AuthEvents } from './features/auth/auth.ts'
import type { UserEvents } from './features/users/users.ts'

/** Every event that can be in the outbox: its type, and the shape of its payload. */
export type Events = UserEvents & AuthEvents
export type EventType = keyof Events
