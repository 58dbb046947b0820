// A feature of one's own: likes. A table, a procedure and a REST route, an event, a consumer that tells the author, and a hook.
import { authed, defineErrors, defineFeature, id, idInPath, open, route, router, type FeatureContext } from '@pinstack/server'
import type { Generated } from 'kysely'
import * as z from 'zod'

interface LikeTables {
  like: { id: Generated<number>; postId: number; userId: number }
}

interface LikeEvents {
  like_added: { post_id: number; user_id: number }
}

export const likeErrors = defineErrors('like', {
  banned_word: ['invalid', 'a word in this post is not wanted here'],
})
const bannedWords = /\bspam\b/i

export const like = defineFeature({
  name: 'like',

  migrations: {
    '0001-likes': {
      async up(db, { addId }) {
        await addId(db.schema.createTable('like'))
          .addColumn('postId', 'bigint', (column) => column.notNull().references('post.id').onDelete('cascade'))
          .addColumn('userId', 'bigint', (column) => column.notNull().references('user.id'))
          .addUniqueConstraint('like_once', ['postId', 'userId'])
          .execute()
        await db.schema.createIndex('like_user').on('like').column('userId').execute()
      },
      down: (db) => db.schema.dropTable('like').execute(),
    },
  },

  events: ['like_added'],

  create({ app, database, emit, notify, consumer }: FeatureContext<LikeTables, LikeEvents>) {
    /** The row and its event commit together. Liking twice changes nothing. */
    async function add(userId: number, postId: number): Promise<{ added: boolean }> {
      const { author } = await app.posts.byId(postId) // rejects with posts.not_found
      return database.transaction(async (tx) => {
        const row = await tx
          .insertInto('like')
          .values({ postId, userId })
          .onConflict((conflict) => conflict.columns(['postId', 'userId']).doNothing())
          .returning('id')
          .executeTakeFirst()
        if (row) await emit(tx, { type: 'like_added', key: author.id, payload: { post_id: postId, user_id: userId } })
        return { added: row !== undefined }
      })
    }

    async function count(postId: number): Promise<{ count: number }> {
      const rows = database.db.selectFrom('like').where('postId', '=', postId)
      const { count } = await rows.select((eb) => eb.fn.countAll<number>().as('count')).executeTakeFirstOrThrow()
      return { count: Number(count) }
    }

    return {
      router: router({
        add: authed.input(z.object({ postId: id })).mutation(({ ctx, input }) => add(ctx.viewer.id, input.postId)),
        count: open.input(z.object({ postId: id })).query(({ input }) => count(input.postId)),
      }),

      routes: [
        route({
          name: 'like.add',
          method: 'POST',
          path: '/posts/{post_id}/likes',
          auth: 'required',
          summary: 'Like a post',
          params: z.object({ post_id: idInPath }),
          reply: z.object({ added: z.boolean() }),
          handle: ({ viewer, params }) => add(viewer.id, params.post_id),
        }),
      ],

      consumers: [
        consumer({
          name: 'like.tell-author',
          types: ['like_added'],
          prepare: (tx, events) => database.dialect.lockRows(tx, 'user', [...new Set(events.map(({ key }) => key))]),
          async handle(tx, { key: authorId, payload: { post_id, user_id } }) {
            if (authorId === user_id) return
            await notify(tx, { userId: authorId, type: 'like', payload: { post_id, user_id }, source: `post ${post_id}` })
          },
        }),
      ],

      hooks: {
        'posts.create': {
          before({ input }) {
            if (bannedWords.test(`${input.title} ${input.content}`)) throw likeErrors.banned_word()
          },
        },
      },

      async purgeUser(tx, userId, rowsMax) {
        const rows: { id: number }[] = await tx.selectFrom('like').where('userId', '=', userId).limit(rowsMax).select('id').execute()
        const ids = rows.map(({ id }) => id)
        if (ids.length > 0) await tx.deleteFrom('like').where('id', 'in', ids).execute()
        return ids.length
      },

      service: { count },
    }
  },
})
