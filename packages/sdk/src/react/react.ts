'use client'
export { usePinstack, useSession } from './context.ts'
export { pinstackKeys, type PinstackKeys } from './keys.ts'
export { useLiveNotifications, useLivePosts, useLiveRelations, type LiveHookOptions } from './live-hooks.ts'
export {
  useNotifications,
  useReadAllNotifications,
  useReadNotification,
  useRemoveNotification,
  useUnreadCount,
} from './notifications.ts'
export { useCreatePost, useDeletePost, usePost, usePosts, useUpdatePost } from './posts.ts'
export { PinstackProvider, type PinstackProviderProps } from './provider.ts'
export type { ListOptions, ListResult, Result } from './queries.ts'
export { useFollow, useFollowees, useFollowers, useRelation, useRelationCounts, type Follow } from './relations.ts'
export type { SessionView } from './session-state.ts'
export { useMe, useUpdateMe, useUser, useUserByUsername, useUserSearch } from './users.ts'
