import type { Role } from '../../core/viewer.ts'
import type { Session, Suspension } from '../auth/auth.ts'
import type { Post } from '../posts/posts.ts'

// What staff sees.

export interface ListedUser {
  id: number
  username: string
  email: string
  fullName: string | null
  role: Role
  createdAt: string
  /** Null for an account that is not shut out now. */
  suspension: Suspension | null
}

export interface UserCounters {
  posts: number
  removedPosts: number
  followers: number
  followees: number
  notifications: number
  unread: number
}

export interface UserDetail extends ListedUser {
  bio: string | null
  avatarUrl: string | null
  updatedAt: string
  counters: UserCounters
  /** Where it is signed in, the last used first. */
  sessions: Session[]
}

/** What became of a post that staff has removed. */
export interface Removal {
  at: string
  /** Null when it was done on the host. */
  by: number | null
  reason: string
}

export interface StaffPost extends Post {
  /** Null for a post that is in sight. */
  removal: Removal | null
}

/** As `/healthz` has it. */
export interface HealthView {
  status: 'up' | 'degraded' | 'down' | 'closing'
  version: string
  uptime_seconds: number
  parts: Record<string, Record<string, string | number | null>>
}
