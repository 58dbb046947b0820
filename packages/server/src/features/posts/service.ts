import { isoTime } from '../../core/time.ts'
import { viewerErrors, type Viewer } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { createReadThrough } from '../../read-through.ts'
import type { Tables, Tx } from '../../schema.ts'
import { byPosition, byTagId, loadPost, withParts } from './hydrate.ts'
import { createListing } from './list.ts'
import { createModeration, deleteRemovedOf } from './moderation.ts'
import {
  assertNewPost,
  assertPostChanges,
  mergeTags,
  postErrors,
  shardOf,
  unknownAuthor,
  type Author,
  type NewPost,
  type Post,
  type PostChanges,
  type PostEvents,
  type PostRow,
  type Tag,
} from './posts.ts'
import {
  addToTotal,
  countNewPost,
  deleteMedia,
  deletePosts,
  deleteTagLinks,
  insertMedia,
  insertPost,
  insertTag,
  insertTagLinks,
  selectIdsOf,
  selectParts,
  selectPost,
  selectTags,
  uncountPosts,
  updatePost,
} from './store.ts'

const cacheTtlMs = 30 * 60_000
/** Of a purge: with each post up to 59 other rows go, and on SQLite nobody else writes meanwhile. */
const postsPerBatch = 100

export interface PostsDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  cache: Cache
  recordAudit: RecordAudit
  authorise: Authorise
  /** Looks an author up where users are cached, so that a new name shows in cached posts at once. Undefined for a deleted account. */
  findAuthor(id: number): Promise<Author | undefined>
  record?: { post(): void; cache(name: string, outcome: 'hit' | 'miss', seconds: number): void }
}

export type Posts = ReturnType<typeof createPosts>

/** Posts and their tags and media. Rejects with `posts.*`, `input.invalid`, `auth.forbidden`, `auth.unauthenticated`. */
export function createPosts(deps: PostsDeps) {
  const { database, clock, emit, cache, findAuthor, record } = deps
  const { db } = database
  const read = createReadThrough(cache, (outcome, seconds) => record?.cache('posts', outcome, seconds))
  const listing = createListing(database)
  const cacheKey = (id: number) => `post:${id}`
  const forget = (id: number) => cache.delete([cacheKey(id)])

  async function shown(post: PostRow): Promise<Post> {
    return toPost(post, await findAuthor(post.authorId))
  }

  async function linkTags(tx: Tx, postId: number, names: readonly string[]): Promise<Tag[]> {
    if (names.length === 0) return []
    let tags = await selectTags.all(tx, names, {})
    if (tags.length < names.length) {
      const known = new Set(tags.map(({ name }) => name))
      // @NOTE in one order for all: two posts that bring the same new tags would wait for each other for ever.
      for (const name of names.filter((name) => !known.has(name)).toSorted()) await insertTag.run(tx, { name })
      tags = await selectTags.all(tx, names, {})
    }
    const ids = tags.map(({ id }) => id)
    await insertTagLinks.run(tx, ids, { postId })
    return tags.sort(byTagId)
  }

  const emitPost = (tx: Tx, type: keyof PostEvents, { id, authorId, tags }: { id: number; authorId: number; tags: readonly Tag[] }) =>
    emit(tx, { type, key: authorId, payload: { post_id: id, author_id: authorId, tags: tags.map(({ name }) => name) } })

  /** Removes those of the posts that are the author's, with all that hangs on them, and returns how many they were. */
  async function removePosts(tx: Tx, authorId: number, ids: readonly number[]): Promise<number> {
    const tags = Map.groupBy(
      (await selectParts.all(tx, ids, {})).filter(({ type }) => type === null),
      ({ postId }) => postId,
    )
    const removed = (await deletePosts.all(tx, ids, { authorId })).map(({ id }) => id)
    if (removed.length === 0) return 0
    await uncountPosts.run(tx, { authorId, count: removed.length })
    await addToTotal.run(tx, { shard: shardOf(authorId), count: -removed.length })
    for (const id of removed) {
      const had = (tags.get(id) ?? []).map(({ id, text }) => ({ id, name: text })).sort(byTagId)
      await emitPost(tx, 'post_deleted', { id, authorId, tags: had })
    }
    return removed.length
  }

  const moderation = createModeration({ ...deps, removePosts, emitPost, forget })

  async function assertOwn(tx: Tx, viewer: Viewer, id: number): Promise<void> {
    const post = await selectPost.first(tx, { id })
    if (!post) throw postErrors.not_found()
    if (post.authorId !== viewer.id) throw viewerErrors.forbidden()
  }

  return {
    async create(viewer: Viewer, input: NewPost): Promise<Post> {
      assertNewPost(input)
      const now = isoTime(clock.nowMs())
      const row = { authorId: viewer.id, title: input.title, content: input.content, createdAt: now, updatedAt: now }
      const names = mergeTags(input.tags ?? [])
      const post = await database.transaction(async (tx): Promise<PostRow> => {
        if ((await countNewPost.run(tx, { authorId: viewer.id })) === 0) throw viewerErrors.unauthenticated()
        const { id } = (await insertPost.first(tx, row))!
        const media = (await insertMedia(tx, id, input.media ?? [])).sort(byPosition)
        const tags = await linkTags(tx, id, names)
        await addToTotal.run(tx, { shard: shardOf(viewer.id), count: 1 })
        await emitPost(tx, 'post_created', { id, authorId: viewer.id, tags })
        return { id, ...row, media, tags }
      })
      record?.post()
      return shown(post)
    },

    /** `posts.invalid_id` for an id that no post can have. */
    async byId(id: number): Promise<Post> {
      if (id < 1) throw postErrors.invalid_id()
      const cached = await read<PostRow>(cacheKey(id), { ttlMs: cacheTtlMs, load: () => loadPost(db, id) })
      const author = cached && (await findAuthor(cached.authorId))
      if (author) return toPost(cached, author)
      // Without its author it may be gone at any moment, so what is cached says nothing.
      const post = cached && (await loadPost(db, id))
      if (!post) throw postErrors.not_found()
      return toPost(post, undefined)
    },

    /** Those that are there, in no order: for whoever has heard of them by their ids. */
    byIds: listing.byIds,

    /** The newest first. */
    list: listing.page,
    /** With the number of all that match, which costs more where they are of a tag or of a time. */
    listWithTotal: listing.pageAndTotal,

    /** Writes what is given; `updatedAt` moves in any case. Of two at once, both are done, one after the other. */
    async update(viewer: Viewer, id: number, changes: PostChanges): Promise<Post> {
      assertPostChanges(changes)
      if (id < 1) throw postErrors.invalid_id()
      const { title, content, media, tags } = changes
      const columns = {
        ...(title !== undefined && { title }),
        ...(content !== undefined && { content }),
        updatedAt: isoTime(clock.nowMs()),
      }
      const names = tags && mergeTags(tags)
      const post = await database.transaction(async (tx) => {
        await assertOwn(tx, viewer, id)
        // @NOTE first of the writes: its lock on the row makes a second update wait before it replaces what hangs on the post.
        const row = await updatePost(tx, { id, authorId: viewer.id }, columns)
        if (!row) throw postErrors.not_found() // somebody removed it just now
        if (media) {
          await deleteMedia.run(tx, { postId: id })
          await insertMedia(tx, id, media)
        }
        if (names) {
          await deleteTagLinks.run(tx, { postId: id })
          await linkTags(tx, id, names)
        }
        const post = await withParts(tx, row)
        await emitPost(tx, 'post_updated', post)
        return post
      })
      await forget(id)
      return shown(post)
    },

    /** Media and tag links go with it; the tags themselves stay. */
    async remove(viewer: Viewer, id: number): Promise<void> {
      if (id < 1) throw postErrors.invalid_id()
      await database.transaction(async (tx) => {
        await assertOwn(tx, viewer, id)
        if ((await removePosts(tx, viewer.id, [id])) === 0) throw postErrors.not_found()
      })
      await forget(id)
    },

    /** For moderators: out of sight, and back. */
    removeAs: moderation.remove,
    restoreAs: moderation.restore,

    /** Drops what this process has cached of a post, for whoever hears that another process has changed it. */
    forget,

    /** A step of purging a deleted user: removes some of the posts, with all that hangs on them, and says how many. 0 means that none is left. */
    async purgeOf(tx: Tx, userId: number, rowsMax: number): Promise<number> {
      const ids = (await selectIdsOf.all(tx, { authorId: userId, limit: Math.min(rowsMax, postsPerBatch) })).map(({ id }) => id)
      return ids.length > 0 ? removePosts(tx, userId, ids) : deleteRemovedOf.run(tx, { authorId: userId, limit: rowsMax })
    },
  }
}

function toPost({ id, title, content, createdAt, updatedAt, media, tags }: PostRow, author: Author | undefined): Post {
  const shown = author
    ? { id: author.id, username: author.username, fullName: author.fullName, avatarUrl: author.avatarUrl }
    : unknownAuthor
  return { id, title, content, author: shown, createdAt, updatedAt, media, tags }
}
