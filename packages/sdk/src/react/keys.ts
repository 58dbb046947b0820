import type { PostFilter } from '../procedures.ts'

/** Names in the query cache. Whose eyes a thing was seen with is a part of its name: nobody is shown what another account has loaded. */
export type PinstackKeys = ReturnType<typeof pinstackKeys>

/**
 * The keys under which the hooks keep what they load, to read, change or invalidate it by hand. `userId` is that of `useSession()`.
 *
 * @example
 * ```ts
 * await queryClient.invalidateQueries({ queryKey: pinstackKeys(userId).posts })
 * ```
 */
export function pinstackKeys(userId: number | null) {
  const all = ['pinstack', userId] as const
  const users = [...all, 'users'] as const
  const posts = [...all, 'posts'] as const
  const relations = [...all, 'relations'] as const
  const notifications = [...all, 'notifications'] as const
  return {
    all,
    me: [...all, 'me'] as const,
    users,
    user: (id: number) => [...users, 'id', id] as const,
    userByUsername: (username: string) => [...users, 'username', username.toLowerCase()] as const,
    userSearch: (text: string, limit?: number) => [...users, 'search', text, limit] as const,
    posts,
    post: (id: number) => [...posts, 'id', id] as const,
    postLists: [...posts, 'list'] as const,
    postList: (filter: PostFilter, limit?: number) => [...posts, 'list', filter, limit] as const,
    relations,
    relation: (id: number) => [...relations, 'status', id] as const,
    relationCounts: (id: number) => [...relations, 'counts', id] as const,
    followers: (id: number, limit?: number) => [...relations, 'followers', id, ...limited(limit)] as const,
    followees: (id: number, limit?: number) => [...relations, 'followees', id, ...limited(limit)] as const,
    notifications,
    feeds: [...notifications, 'feed'] as const,
    feed: (limit?: number) => [...notifications, 'feed', limit] as const,
    unreadCount: [...notifications, 'unread'] as const,
  }
}

/** So that a key without a limit names the lists of all limits. */
function limited(limit: number | undefined): [number] | [] {
  return limit === undefined ? [] : [limit]
}
