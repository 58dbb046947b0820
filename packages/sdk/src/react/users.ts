import { useMutation, useQueryClient, type UseMutationResult } from '@tanstack/react-query'
import type { PinstackError } from '../errors.ts'
import type { Me, User, UserChanges } from '../procedures.ts'
import { useKeys, usePinstack } from './context.ts'
import { useList, useOne, type ListOptions, type ListResult, type Result } from './queries.ts'

/** The account that is signed in. Waits while nobody is. */
export function useMe(): Result<Me> {
  return useOne({ queryKey: useKeys().me, own: true }, (pinstack, signal) => pinstack.me({ signal }))
}

/** An account by its id. `error.code` may be `users.not_found`. */
export function useUser(id: number): Result<User> {
  return useOne({ queryKey: useKeys().user(id) }, (pinstack, signal) => pinstack.users.get(id, { signal }))
}

/** An account by its name, in any case of letters. `error.code` may be `users.not_found`. */
export function useUserByUsername(username: string): Result<User> {
  return useOne({ queryKey: useKeys().userByUsername(username) }, (pinstack, signal) => pinstack.users.getByUsername(username, { signal }))
}

/**
 * Accounts whose username or full name contains `text`, by the page. What was asked for before is given up when the text changes.
 *
 * @example
 * ```tsx
 * const { data: people = [], hasNextPage, fetchNextPage } = useUserSearch(text, { limit: 20, enabled: text !== '' })
 * ```
 */
export function useUserSearch(text: string, { limit, enabled }: ListOptions = {}): ListResult<User> {
  return useList({ queryKey: useKeys().userSearch(text, limit), enabled }, (pinstack, signal) =>
    pinstack.users.search(text, { signal, limit }),
  )
}

/** Changes the account that is signed in. `error.code` may be `users.username_taken`, or `input.invalid` with `issues`. */
export function useUpdateMe(): UseMutationResult<User, PinstackError, UserChanges> {
  const pinstack = usePinstack()
  const cache = useQueryClient()
  const keys = useKeys()
  return useMutation({
    mutationFn: (changes) => pinstack.users.update(changes),
    onSuccess: (user) => {
      cache.setQueryData<Me>(keys.me, (me) => me && { ...me, ...user })
      for (const queryKey of [keys.me, keys.users, keys.posts]) void cache.invalidateQueries({ queryKey })
    },
  })
}
