import type { Db } from '../../schema.ts'
import type { Media, PostRow, Tag } from './posts.ts'
import { selectParts, selectPost } from './store.ts'

type Bare = Omit<PostRow, 'media' | 'tags'>

/** Gives each post its media and tags, by one query for all. */
export async function hydratePosts<Row extends Bare>(db: Db, rows: readonly Row[]): Promise<(Row & PostRow)[]> {
  const posts = rows.map((row) => ({ ...row, media: [] as Media[], tags: [] as Tag[] }))
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
  return posts
}

export async function loadPost(db: Db, id: number): Promise<PostRow | undefined> {
  const row = await selectPost.first(db, { id })
  return row && (await hydratePosts(db, [row]))[0]
}

export const byPosition = (a: Media, b: Media) => a.position - b.position || a.id - b.id
export const byTagId = (a: Tag, b: Tag) => a.id - b.id
