import type { Call } from './call.ts'
import { pagesOf, type PageOptions, type Pages } from './pages.ts'
import type { RelationCounts, RelationPage, RelationStatus } from './procedures.ts'
import type { CallOptions } from './transport.ts'

/** Who follows whom. */
export interface Relations {
  /** False when one followed that user already. @throws `users.not_found`, `relations.self_follow` */
  follow(userId: number, options?: CallOptions): Promise<boolean>
  /** False when one did not follow that user. @throws `relations.self_unfollow` */
  unfollow(userId: number, options?: CallOptions): Promise<boolean>
  /**
   * Who follows a user, the newest follow first.
   *
   * @example
   * ```ts
   * for await (const follower of pinstack.relations.followers(7)) console.log(follower.username)
   * ```
   *
   * @throws `users.not_found`
   */
  followers(userId: number, options?: PageOptions): Pages<RelationPage>
  /** Whom a user follows, the newest follow first. @throws `users.not_found` */
  followees(userId: number, options?: PageOptions): Pages<RelationPage>
  /** How one stands to each of up to 100 users: in the order that was asked for. */
  status(userIds: number[], options?: CallOptions): Promise<RelationStatus[]>
  /** How many followers and followees a user has. @throws `users.not_found` */
  counts(userId: number, options?: CallOptions): Promise<RelationCounts>
}

export function createRelations(call: Call): Relations {
  return {
    follow: async (userId, options) => (await call('relations.follow', { userId }, options)).created,
    unfollow: async (userId, options) => (await call('relations.unfollow', { userId }, options)).removed,
    followers: (userId, { limit, ...options } = {}) =>
      pagesOf((cursor?: number) => call('relations.followers', { userId, limit, cursor }, options)),
    followees: (userId, { limit, ...options } = {}) =>
      pagesOf((cursor?: number) => call('relations.followees', { userId, limit, cursor }, options)),
    status: (userIds, options) => call('relations.status', { userIds }, options),
    counts: (userId, options) => call('relations.counts', { userId }, options),
  }
}
