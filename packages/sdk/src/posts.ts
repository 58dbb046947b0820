import type { Call } from './call.ts'
import { pagesOf, type PageOptions, type Pages } from './pages.ts'
import type { NewPost, Post, PostChanges, PostFilter, PostPage } from './procedures.ts'
import type { CallOptions } from './transport.ts'

/** What users write. */
export interface Posts {
  /**
   * Writes a post of whoever is signed in.
   *
   * @example
   * ```ts
   * const post = await pinstack.posts.create({ title: 'Hello', content: 'The first of many.', tags: ['intro'] })
   * ```
   */
  create(post: NewPost, options?: CallOptions): Promise<Post>
  /** One post, by its id. @throws `posts.not_found` */
  get(id: number, options?: CallOptions): Promise<Post>
  /**
   * Posts, the newest first: all, or those of an author, of a tag, of a time.
   *
   * @example
   * ```ts
   * for await (const post of pinstack.posts.list({ tag: 'intro' })) console.log(post.author.username, post.title)
   * ```
   */
  list(filter?: PostFilter, options?: PageOptions): Pages<PostPage>
  /** Changes one's own post. What is not given stays. @throws `posts.not_found`, `auth.forbidden` */
  update(id: number, changes: PostChanges, options?: CallOptions): Promise<Post>
  /** Deletes one's own post, for good. @throws `posts.not_found`, `auth.forbidden` */
  delete(id: number, options?: CallOptions): Promise<void>
}

export function createPosts(call: Call): Posts {
  return {
    create: (post, options) => call('posts.create', post, options),
    get: (id, options) => call('posts.byId', { id }, options),
    list: (filter, { limit, ...options } = {}) => pagesOf((cursor?: string) => call('posts.list', { ...filter, limit, cursor }, options)),
    update: (id, changes, options) => call('posts.update', { ...changes, id }, options),
    delete: (id, options) => call('posts.delete', { id }, options),
  }
}
