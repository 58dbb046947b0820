import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables, Tx } from '../../schema.ts'
import { loadPost } from './hydrate.ts'
import { postErrors, shardOf, type Media, type PostEvents, type Tag } from './posts.ts'
import { deleteRemoved, insertRemoved, selectRemoved } from './removed-store.ts'
import { addToTotal, countNewPost, putBackPost } from './store.ts'

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
        await putBackPost(tx, database.dialect, { ...removed, media: JSON.parse(removed.media) as Media[], tags })
        await addToTotal.run(tx, { shard: shardOf(authorId), count: 1 })
        await recordAudit(tx, { actor, action: 'post.restore', target: { type: 'post', id }, detail: { author_id: authorId } })
        await emitPost(tx, 'post_created', { id, authorId, tags })
        return { changed: true }
      })
      await forget(id)
      return result
    },
  }
}
