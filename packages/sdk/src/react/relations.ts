import { useIsMutating, useMutation, useQueryClient } from '@tanstack/react-query'
import type { PinstackError } from '../errors.ts'
import type { Relation, RelationCounts, RelationStatus } from '../procedures.ts'
import { useKeys, usePinstack, useSession, useShared } from './context.ts'
import { useList, useOne, type ListOptions, type ListResult, type Result } from './queries.ts'

/** Who follows a user, by the page, the newest follow first. */
export function useFollowers(userId: number, { limit, enabled }: ListOptions = {}): ListResult<Relation> {
  return useList({ queryKey: useKeys().followers(userId, limit ?? 0), enabled }, (pinstack, signal) =>
    pinstack.relations.followers(userId, { signal, limit }),
  )
}

/** Whom a user follows, by the page, the newest follow first. */
export function useFollowees(userId: number, { limit, enabled }: ListOptions = {}): ListResult<Relation> {
  return useList({ queryKey: useKeys().followees(userId, limit ?? 0), enabled }, (pinstack, signal) =>
    pinstack.relations.followees(userId, { signal, limit }),
  )
}

/** How many follow a user, and how many the user follows. */
export function useRelationCounts(userId: number): Result<RelationCounts> {
  return useOne({ queryKey: useKeys().relationCounts(userId) }, (pinstack, signal) => pinstack.relations.counts(userId, { signal }))
}

/** How one stands to a user. All components of a page that ask together share one call. */
export function useRelation(userId: number): Result<RelationStatus> {
  const { statusOf } = useShared()
  return useOne({ queryKey: useKeys().relation(userId), own: true }, () => statusOf(userId))
}

/** What `useFollow` gives. */
export interface Follow {
  /** As it will be once the server has heard. Undefined until it is known, and while nobody is signed in. */
  isFollowing: boolean | undefined
  isFollowedBy: boolean | undefined
  follow(): void
  unfollow(): void
  /** The server has not answered yet. */
  isPending: boolean
  /** Why the last one was refused: `relations.self_follow`, `users.not_found`, `network` … */
  error: PinstackError | null
}

/**
 * Follows and unfollows a user. `isFollowing` and the counts change at once, and change back should the server refuse. Clicks in quick
 * succession reach the server one after the other, in their order.
 *
 * @example
 * ```tsx
 * const { isFollowing, follow, unfollow, error } = useFollow(user.id)
 * return <button onClick={isFollowing ? unfollow : follow}>{isFollowing ? 'Following' : 'Follow'}</button>
 * ```
 */
export function useFollow(userId: number): Follow {
  const pinstack = usePinstack()
  const { userId: ownId } = useSession()
  const cache = useQueryClient()
  const keys = useKeys()
  const { data: relation } = useRelation(userId)
  const mutationKey = [...keys.relations, 'follow', userId]
  const isLast = () => cache.isMutating({ mutationKey }) <= 1

  /** Returns whether that changed what is shown. */
  function show(following: boolean): boolean {
    const before = cache.getQueryData<RelationStatus>(keys.relation(userId))
    if (before?.following === following) return false
    cache.setQueryData<RelationStatus>(keys.relation(userId), { userId, followedBy: before?.followedBy ?? false, following })
    const by = following ? 1 : -1
    const add = (id: number, { followers = 0, followees = 0 }: Partial<RelationCounts>) =>
      cache.setQueryData<RelationCounts>(
        keys.relationCounts(id),
        (counts) => counts && { followers: counts.followers + followers, followees: counts.followees + followees },
      )
    add(userId, { followers: by })
    if (ownId !== null) add(ownId, { followees: by })
    return true
  }

  const { mutate, error } = useMutation<boolean, PinstackError, boolean, { changed: boolean }>({
    mutationKey,
    scope: { id: mutationKey.join('.') },
    mutationFn: (following) => (following ? pinstack.relations.follow(userId) : pinstack.relations.unfollow(userId)),
    onMutate: async (following) => {
      const shown = [keys.relation(userId), keys.relationCounts(userId), ...(ownId === null ? [] : [keys.relationCounts(ownId)])]
      await Promise.all(shown.map((queryKey) => cache.cancelQueries({ queryKey }))) // an answer from before would undo it
      return { changed: show(following) }
    },
    onError: (_, following, context) => {
      if (context?.changed && isLast()) show(!following) // with another one on its way, that one is what is shown
    },
    onSettled: () => {
      if (isLast()) void cache.invalidateQueries({ queryKey: keys.relations }) // what a mutation returns, its outcome would wait for
    },
  })
  return {
    isFollowing: relation?.following,
    isFollowedBy: relation?.followedBy,
    follow: () => mutate(true),
    unfollow: () => mutate(false),
    isPending: useIsMutating({ mutationKey }) > 0,
    error,
  }
}
