import type { Db } from '../../schema.ts'
import type { Media, PostRow, Tag } from './posts.ts'
import { selectParts, selectPost } from './store.ts'

/** Fills in the media and tags of posts that have none yet, by one query for all. */
export async function hydratePosts(db: Db, posts: readonly Pick<PostRow, 'id' | 'media' | 'tags'>[]): Promise<void> {
  const byId = new Map(posts.map((post) => [post.id, post]))
  for (const { postId, id, text, type, position } of await selectParts.all(db, [...byId.keys()], {})) {
    const post = byId.get(postId)!
    if (type === null) post.tags.push({ id, name: text })
    else post.media.push({ id, url: text, type, position })
  }
  for (const { media, tags } of posts) {
    if (media.length > 1) media.sort(byPosition)
    if (tags.length > 1) tags.sort(byTagId)
  }
}

/** The whole of a post whose own row is read already. */
export async function withParts(db: Db, row: Omit<PostRow, 'media' | 'tags'>): Promise<PostRow> {
  const post: PostRow = { ...row, media: [], tags: [] }
  await hydratePosts(db, [post])
  return post
}

export async function loadPost(db: Db, id: number): Promise<PostRow | undefined> {
  const row = await selectPost.first(db, { id })
  return row && (await withParts(db, row))
}

export const byPosition = (a: Media, b: Media) => a.position - b.position || a.id - b.id
export const byTagId = (a: Tag, b: Tag) => a.id - b.id
