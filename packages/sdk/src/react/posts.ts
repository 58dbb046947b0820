import { useMutation, useQueryClient, type QueryClient, type UseMutationResult } from '@tanstack/react-query'
import type { PinstackError } from '../errors.ts'
import type { Me, NewPost, Post, PostChanges, PostFilter } from '../procedures.ts'
import type { PinstackKeys } from './keys.ts'
import { useKeys, usePinstack } from './context.ts'
import { editLists, useList, useOne, type ListOptions, type ListResult, type Result } from './queries.ts'

/** A post by its id. `error.code` may be `posts.not_found`. */
export function usePost(id: number): Result<Post> {
  return useOne({ queryKey: useKeys().post(id) }, (pinstack, signal) => pinstack.posts.get(id, { signal }))
}

/**
 * Posts by the page, the newest first: all, or those of an author, of a tag, of a time.
 *
 * @example
 * ```tsx
 * const { data: posts = [], hasNextPage, fetchNextPage } = usePosts({ tag: 'intro' }, { limit: 20 })
 * return (
 *   <>
 *     {posts.map((post) => <article key={post.id}>{post.title}</article>)}
 *     {hasNextPage && <button onClick={() => fetchNextPage()}>More</button>}
 *   </>
 * )
 * ```
 */
export function usePosts(filter: PostFilter = {}, { limit, enabled }: ListOptions = {}): ListResult<Post> {
  return useList({ queryKey: useKeys().postList(filter, limit), enabled }, (pinstack, signal) =>
    pinstack.posts.list(filter, { signal, limit }),
  )
}

/** Posts that are on their way have ids below 0, each its own. */
let lastProvisionalId = 0

/**
 * Posts. The lists that the post belongs to show it at once, with an id below 0 until the server has it; should the server refuse it,
 * it goes again, and `error` says why.
 *
 * @example
 * ```tsx
 * const createPost = useCreatePost()
 * createPost.mutate({ title, content, tags })
 * ```
 */
export function useCreatePost(): UseMutationResult<Post, PinstackError, NewPost, { id: number }> {
  const pinstack = usePinstack()
  const cache = useQueryClient()
  const keys = useKeys()
  return useMutation({
    mutationFn: (post) => pinstack.posts.create(post),
    onMutate: async (post) => {
      await cache.cancelQueries({ queryKey: keys.postLists }) // an answer from before would take it away again
      const provisional = provisionalPost(post, cache.getQueryData<Me>(keys.me))
      prependPost(cache, keys, provisional)
      return { id: provisional.id }
    },
    onSuccess: (post, _, { id }) => {
      editLists<Post>(cache, keys.postLists, (items) => items.filter((item) => item.id !== post.id)) // the live stream may have been faster
      editLists<Post>(cache, keys.postLists, (items) => items.map((item) => (item.id === id ? post : item)))
    },
    onError: (_error, _post, context) => editLists<Post>(cache, keys.postLists, (items) => items.filter(({ id }) => id !== context?.id)),
    onSettled: () => void cache.invalidateQueries({ queryKey: keys.postLists }),
  })
}

/** Changes one's own post. `error.code` may be `posts.not_found` or `auth.forbidden`. */
export function useUpdatePost(): UseMutationResult<Post, PinstackError, PostChanges & { id: number }> {
  const pinstack = usePinstack()
  const cache = useQueryClient()
  const keys = useKeys()
  return useMutation({
    mutationFn: ({ id, ...changes }) => pinstack.posts.update(id, changes),
    onSuccess: (post) => {
      cache.setQueryData(keys.post(post.id), post)
      editLists<Post>(cache, keys.postLists, (items) => items.map((item) => (item.id === post.id ? post : item)))
      void cache.invalidateQueries({ queryKey: keys.postLists }) // its tags may have changed, and so the lists that it is in
    },
  })
}

/** Deletes one's own post. It is gone from the lists at once, and back should the server refuse. */
export function useDeletePost(): UseMutationResult<void, PinstackError, number> {
  const pinstack = usePinstack()
  const cache = useQueryClient()
  const keys = useKeys()
  return useMutation({
    mutationFn: (id) => pinstack.posts.delete(id),
    onMutate: async (id) => {
      await cache.cancelQueries({ queryKey: keys.posts })
      editLists<Post>(cache, keys.postLists, (items) => items.filter((item) => item.id !== id))
    },
    onSuccess: (_, id) => cache.removeQueries({ queryKey: keys.post(id) }),
    onSettled: () => void cache.invalidateQueries({ queryKey: keys.postLists }),
  })
}

/** Puts a post on top of the lists that it belongs to. */
export function prependPost(cache: QueryClient, keys: PinstackKeys, post: Post): void {
  for (const { queryKey } of cache.getQueryCache().findAll({ queryKey: keys.postLists })) {
    const filter = queryKey[keys.postLists.length] as PostFilter
    if (!belongs(post, filter)) continue
    editLists<Post>(cache, queryKey, (items, page) => (page === 0 && !items.some(({ id }) => id === post.id) ? [post, ...items] : items))
  }
}

function belongs(post: Post, { authorId, tag, createdAfter, createdBefore }: PostFilter): boolean {
  return (
    (authorId === undefined || authorId === post.author.id) &&
    (tag === undefined || post.tags.some(({ name }) => name.toLowerCase() === tag.toLowerCase())) &&
    (createdAfter === undefined || Date.parse(createdAfter) < Date.parse(post.createdAt)) &&
    (createdBefore === undefined || Date.parse(post.createdAt) < Date.parse(createdBefore))
  )
}

function provisionalPost({ title, content, tags = [], media = [] }: NewPost, me: Me | undefined): Post {
  const at = new Date().toISOString()
  return {
    id: --lastProvisionalId,
    title,
    content,
    author: { id: me?.id ?? 0, username: me?.username ?? '', fullName: me?.fullName ?? null, avatarUrl: me?.avatarUrl ?? null },
    createdAt: at,
    updatedAt: at,
    media: media.map((one, index) => ({ ...one, id: -1 - index })),
    tags: tags.map((name, index) => ({ id: -1 - index, name })),
  }
}
