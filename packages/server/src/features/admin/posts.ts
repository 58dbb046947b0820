import { setImmediate as othersTurn } from 'node:timers/promises'
import { inputErrors } from '../../core/input.ts'
import { fold, isStorableText } from '../../core/text.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { Author, Post } from '../posts/posts.ts'
import type { StaffPost } from './admin.ts'
import { selectPostTexts, selectPostTextsOf, selectRemovedPost, selectRemovedPosts, selectRemovedPostsOf } from './store.ts'

export interface PostQuery {
  /** A part of the title or the content, in any case; or an id. Nothing for all. */
  query: string
  authorId?: number | undefined
  /** Those that are in sight, or those that staff has removed. */
  state: 'visible' | 'removed'
  /** What the page before ended with. */
  cursor?: string | undefined
  limit: number
}

export interface StaffPostPage {
  items: StaffPost[]
  /** Null when this page is the last. A page with one may have few posts, or none: a search looks at 2,000 posts at most, and goes on from there. */
  nextCursor: string | null
}

/** What one search looks at before it says how far it came; and what one statement does, since a post may have 100,000 characters. */
const lookedAtMax = 2_000
const lookedAtOnce = 100

interface Place {
  createdAt: string
  id: number
}

interface Deps {
  database: Database<Tables>
  findPosts(ids: readonly number[]): Promise<Post[]>
  findAuthor(id: number): Promise<Author | undefined>
  /** Of pages of posts: opaque for clients. */
  cursors: { toCursor(place: Place): string; fromCursor(cursor: string): Place | undefined }
}

type RemovedRow = NonNullable<Awaited<ReturnType<typeof selectRemovedPost.first>>>
type Match = (post: { id: number; title: string; content: string | null }) => boolean

/** Reads posts as staff sees them: in sight, the newest first; or removed, by the id. */
export function createPostLists({ database, findPosts, findAuthor, cursors }: Deps) {
  const { db } = database
  const top: Place = { createdAt: '~', id: 0 }

  function startOf(cursor: string | undefined): Place | undefined {
    const place = cursor === undefined ? undefined : cursors.fromCursor(cursor)
    if (cursor !== undefined && !place)
      throw inputErrors.invalid({ issues: [{ path: 'cursor', message: 'Expected a cursor of an earlier page' }] })
    return place
  }

  async function visible({ authorId, cursor, limit }: PostQuery, isMatch: Match): Promise<StaffPostPage> {
    const found: number[] = []
    let place = startOf(cursor) ?? top
    for (let lookedAt = 0; lookedAt < lookedAtMax; lookedAt += lookedAtOnce) {
      const values = { ...place, limit: lookedAtOnce }
      const rows = authorId === undefined ? await selectPostTexts.all(db, values) : await selectPostTextsOf.all(db, { ...values, authorId })
      for (const row of rows) {
        if (isMatch(row)) {
          if (found.length === limit) return { items: await shown(found), nextCursor: cursors.toCursor(place) }
          found.push(row.id)
        }
        place = { createdAt: row.createdAt, id: row.id }
      }
      if (rows.length < lookedAtOnce) return { items: await shown(found), nextCursor: null }
      await othersTurn()
    }
    return { items: await shown(found), nextCursor: cursors.toCursor(place) }
  }

  async function removed({ authorId, cursor, limit }: PostQuery, isMatch: Match): Promise<StaffPostPage> {
    const found: RemovedRow[] = []
    let before = startOf(cursor)?.id ?? Number.MAX_SAFE_INTEGER
    const page = async (nextCursor: string | null) => ({ items: await Promise.all(found.map(toRemoved)), nextCursor })
    const end = (row: Place | undefined) => (row ? cursors.toCursor(row) : null)
    let last: RemovedRow | undefined
    for (let lookedAt = 0; lookedAt < lookedAtMax; lookedAt += lookedAtOnce) {
      const values = { before, limit: lookedAtOnce }
      const rows =
        authorId === undefined ? await selectRemovedPosts.all(db, values) : await selectRemovedPostsOf.all(db, { ...values, authorId })
      for (const row of rows) {
        if (isMatch(row)) {
          if (found.length === limit) return page(end(last))
          found.push(row)
        }
        last = row
        before = row.id
      }
      if (rows.length < lookedAtOnce) return page(null)
      await othersTurn()
    }
    return page(end(last))
  }

  async function shown(ids: readonly number[]): Promise<StaffPost[]> {
    const byId = new Map((await findPosts(ids)).map((post) => [post.id, post]))
    return ids.flatMap((id) => (byId.has(id) ? [{ ...byId.get(id)!, removal: null }] : [])) // what went meanwhile is left out
  }

  async function toRemoved(row: RemovedRow): Promise<StaffPost> {
    const { id, authorId, title, content, createdAt, updatedAt, media, tags, removedAt, removedBy, reason } = row
    const author = (await findAuthor(authorId)) ?? { id: 0, username: 'unknown', fullName: 'Unknown Author', avatarUrl: null }
    const { username, fullName, avatarUrl } = author
    return {
      id,
      title,
      content,
      author: { id: author.id, username, fullName, avatarUrl },
      createdAt,
      updatedAt,
      media: JSON.parse(media) as Post['media'],
      tags: JSON.parse(tags) as Post['tags'],
      removal: { at: removedAt, by: removedBy, reason },
    }
  }

  return {
    /** Rejects with `input.invalid` for a cursor that is none. */
    async search(query: PostQuery): Promise<StaffPostPage> {
      if (!isStorableText(query.query)) return { items: [], nextCursor: null }
      const text = fold(query.query.trim())
      const isMatch: Match = ({ id, title, content }) =>
        text === '' || String(id) === text || fold(title).includes(text) || (content !== null && fold(content).includes(text))
      return query.state === 'visible' ? visible(query, isMatch) : removed(query, isMatch)
    },

    /** In sight or removed; undefined for one that is neither. */
    async byId(id: number): Promise<StaffPost | undefined> {
      const [post] = await shown([id])
      if (post) return post
      const row = await selectRemovedPost.first(db, { id })
      return row && toRemoved(row)
    },
  }
}
