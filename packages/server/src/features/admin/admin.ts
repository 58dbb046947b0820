import { randomInt } from 'node:crypto'
import { defineErrors } from '../../core/errors.ts'
import type { Role } from '../../core/viewer.ts'
import type { Session, Suspension } from '../auth/auth.ts'
import type { Post } from '../posts/posts.ts'

export const adminErrors = defineErrors('admin', {
  own_account: ['conflict', 'not on your own account'],
  session_not_found: ['not_found', 'session not found'],
})

/** In Unicode code points. */
export const reasonLimits = { min: 1, max: 500 } as const
export const searchLimits = { min: 0, max: 256 } as const
export const pageLimits = { min: 1, max: 100, default: 50 } as const

/** Whom a list of users has: all, those with more than a user's rights, or those that are shut out now. */
export const userKinds = ['all', 'staff', 'suspended'] as const
export type UserKind = (typeof userKinds)[number]

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

/** Without those that are taken for each other. */
const letters = 'abcdefghijkmnpqrstuvwxyz23456789'

/** One that is said over the phone: four groups of five, 99 bits. */
export function newPassword(): string {
  const group = () => Array.from({ length: 5 }, () => letters[randomInt(letters.length)]).join('')
  return Array.from({ length: 4 }, group).join('-')
}
