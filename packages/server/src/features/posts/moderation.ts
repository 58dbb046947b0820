import { sql } from 'kysely'
import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import { query } from '../../query.ts'
import type { Db, Tables, Tx } from '../../schema.ts'
import { loadPost } from './hydrate.ts'
import { postErrors, shardOf, type Media, type PostEvents, type Tag } from './posts.ts'
import { addToTotal, countNewPost, insertTagLinks } from './store.ts'
import type { PostTables } from './tables.ts'

export interface ModerationDeps {
  database: Database<Tables>
  clock: Clock
  recordAudit: RecordAudit
  authorise: Authorise
  removePosts(tx: Tx, authorId: number, ids: readonly number[]): Promise<number>
  emitPost(tx: Tx, type: keyof PostEvents, post: { id: number; authorId: number; tags: readonly Tag[] }): Promise<void>
  forget(id: number): unknown
}

/**
 * Takes posts out of sight and brings them back, as staff. A removed post is not in `post`: so it is in no list, no count and no answer,
 * for its author neither, and whoever hears events hears of a deletion. Rejects with `posts.not_found` and `auth.forbidden`.
 */
export function createModeration({ database, clock, recordAudit, authorise, removePosts, emitPost, forget }: ModerationDeps) {
  return {
    /** Idempotent: `changed` is false for a post that is removed already; what was said of it then stays. */
    async remove(actor: Actor, id: number, reason: string): Promise<{ changed: boolean }> {
      const result = await database.transaction(async (tx) => {
        await authorise(tx, actor, 'moderator')
        await database.dialect.lockRows(tx, 'post', [id]) // what is kept must be what was there at the end
        const post = await loadPost(tx, id)
        // @NOTE the post goes first: its author may be deleting it, and what is gone must not be kept here.
        if (!post || (await removePosts(tx, post.authorId, [id])) === 0) {
          if (await selectRemoved.first(tx, { id })) return { changed: false }
          throw postErrors.not_found()
        }
        const { media, tags, ...row } = post
        await insertRemoved.run(tx, {
          ...row,
          media: JSON.stringify(media),
          tags: JSON.stringify(tags),
          removedAt: isoTime(clock.nowMs()),
          removedBy: actor.kind === 'user' ? actor.id : null,
          reason,
        })
        await recordAudit(tx, {
          actor,
          action: 'post.remove',
          target: { type: 'post', id },
          detail: { author_id: post.authorId, reason },
        })
        return { changed: true }
      })
      await forget(id)
      return result
    },

    /** With its id, its times, its media and its tags. Idempotent: `changed` is false for a post that is in sight. */
    async restore(actor: Actor, id: number): Promise<{ changed: boolean }> {
      const result = await database.transaction(async (tx) => {
        await authorise(tx, actor, 'moderator')
        const removed = await deleteRemoved.first(tx, { id })
        if (!removed) {
          if (await loadPost(tx, id)) return { changed: false }
          throw postErrors.not_found()
        }
        const { authorId } = removed
        if ((await countNewPost.run(tx, { authorId })) === 0) throw postErrors.not_found() // the account is gone, and the rest follows
        const tags = JSON.parse(removed.tags) as Tag[]
        await putBack(tx, removed, { media: JSON.parse(removed.media) as Media[], tags })
        await addToTotal.run(tx, { shard: shardOf(authorId), count: 1 })
        await recordAudit(tx, { actor, action: 'post.restore', target: { type: 'post', id }, detail: { author_id: authorId } })
        await emitPost(tx, 'post_created', { id, authorId, tags })
        return { changed: true }
      })
      await forget(id)
      return result
    },
  }

  /** @NOTE in SQL by hand: Kysely has no place for what Postgres wants between the columns and the values. */
  async function putBack(tx: Tx, post: Removed, { media, tags }: { media: Media[]; tags: Tag[] }): Promise<void> {
    const { givenId } = database.dialect
    const { id, authorId, title, content, createdAt, updatedAt } = post
    const ref = sql.ref
    await sql`insert into ${sql.table('post')} (${ref('id')}, ${ref('authorId')}, ${ref('title')}, ${ref('content')}, ${ref('createdAt')}, ${ref('updatedAt')})
      ${givenId} values (${id}, ${authorId}, ${title}, ${content}, ${createdAt}, ${updatedAt})`.execute(tx)
    for (const { id: mediaId, position, url, type } of media) {
      await sql`insert into ${sql.table('postMedia')} (${ref('id')}, ${ref('postId')}, ${ref('position')}, ${ref('url')}, ${ref('type')})
        ${givenId} values (${mediaId}, ${id}, ${position}, ${url}, ${type})`.execute(tx)
    }
    await insertTagLinks.run(
      tx,
      tags.map((tag) => tag.id),
      { postId: id },
    )
  }
}

type Removed = PostTables['removedPost']

const insertRemoved = query<Removed>()((tx: Tx, row) =>
  tx.insertInto('removedPost').values({
    id: row.id,
    authorId: row.authorId,
    title: row.title,
    content: row.content,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    media: row.media,
    tags: row.tags,
    removedAt: row.removedAt,
    removedBy: row.removedBy,
    reason: row.reason,
  }),
)

const selectRemoved = query<{ id: number }>()((db: Db, { id }) => db.selectFrom('removedPost').where('id', '=', id).select('id'))

const deleteRemoved = query<{ id: number }>()((tx: Tx, { id }) => tx.deleteFrom('removedPost').where('id', '=', id).returningAll())

/** Of a deleted user, for the purge. */
export const deleteRemovedOf = query<{ authorId: number; limit: number }>()((tx: Tx, { authorId, limit }) =>
  tx
    .deleteFrom('removedPost')
    .where('id', 'in', (eb) => eb.selectFrom('removedPost').where('authorId', '=', authorId).limit(limit).select('id')),
)
