import { defineErrors } from '../../core/errors.ts'

export interface Follow {
  followerId: number
  followeeId: number
  createdAt: string
}

/** A follow as a list shows it, from the side of the other one. */
export interface Relation {
  /** Of the follow. */
  id: number
  userId: number
  username: string
  avatarUrl: string | null
  createdAt: string
}

/** How the viewer and another user stand to each other. */
export interface RelationStatus {
  userId: number
  /** The viewer follows them. */
  following: boolean
  /** They follow the viewer. */
  followedBy: boolean
}

export interface RelationCounts {
  followers: number
  followees: number
}

interface FollowEvent {
  follower_id: number
  followee_id: number
  timestamptz: string
}

export interface RelationEvents {
  follow_created: FollowEvent
  /** Also of each follow that goes with the account of one of the two. */
  follow_deleted: FollowEvent
}

export const relationErrors = defineErrors('relations', {
  self_follow: ['invalid', 'cannot follow yourself'],
  self_unfollow: ['invalid', 'cannot unfollow yourself'],
  already_following: ['conflict', 'already following this user'],
  not_following: ['not_found', 'follow relation not found'],
})

/** Of users whose account is gone while the follow still waits to be removed. */
export const missingUsername = 'Missing user'

/** The rules that need no database. */
export function assertMayFollow(followerId: number, followeeId: number): void {
  if (followerId === followeeId) throw relationErrors.self_follow()
}

export function assertMayUnfollow(followerId: number, followeeId: number): void {
  if (followerId === followeeId) throw relationErrors.self_unfollow()
}
