import type { Generated } from 'kysely'
import * as z from 'zod'
import {
  authed,
  defineErrors,
  defineFeature,
  idInPath,
  id,
  open,
  route,
  router,
  type FeatureContext,
  type FeatureTx,
} from '../src/server.ts'

interface ReactionTables {
  reaction: { id: Generated<number>; postId: number; userId: number; kind: string }
  /** What its consumer has written: a row for each time that it was handed an event. */
  reactionSeen: { eventId: string; userId: number }
}

interface ReactionEvents {
  reaction_added: { post_id: number; user_id: number; kind: string }
}

export const reactionErrors = defineErrors('reaction', {
  no_such_post: ['not_found', 'there is no such post to react to'],
  banned: ['invalid', 'this word is not wanted here'],
})

const kind = z.enum(['like', 'love'])
/** Thrown by the consumer when it is told of this kind, for as long as it is set. */
export const trouble = { failing: false, jobs: 0, closed: 0 }

/** What an author may want to add, with all that a feature can have. For tests. */
export const reaction = defineFeature({
  name: 'reaction',
  migrations: {
    '0001-reactions': {
      async up(db, { addId }) {
        await addId(db.schema.createTable('reaction'))
          .addColumn('postId', 'bigint', (column) => column.notNull().references('post.id').onDelete('cascade'))
          .addColumn('userId', 'bigint', (column) => column.notNull().references('user.id'))
          .addColumn('kind', 'text', (column) => column.notNull())
          .addUniqueConstraint('reaction_once', ['postId', 'userId'])
          .execute()
        await db.schema
          .createTable('reactionSeen')
          .addColumn('eventId', 'text', (column) => column.notNull())
          .addColumn('userId', 'bigint', (column) => column.notNull())
          .execute()
      },
      async down(db) {
        await db.schema.dropTable('reactionSeen').execute()
        await db.schema.dropTable('reaction').execute()
      },
    },
  },
  events: ['reaction_added'],

  create({ database, app, emit, notify, withdraw, consumer, logger }: FeatureContext<ReactionTables, ReactionEvents>) {
    async function add(userId: number, postId: number, kind: string): Promise<{ added: boolean }> {
      const { author } = await app.posts.byId(postId)
      return database.transaction(async (tx: FeatureTx<ReactionTables>) => {
        const inserted = await tx
          .insertInto('reaction')
          .values({ postId, userId, kind })
          .onConflict((conflict) => conflict.columns(['postId', 'userId']).doNothing())
          .returning('id')
          .executeTakeFirst()
        if (inserted) await emit(tx, { type: 'reaction_added', key: author.id, payload: { post_id: postId, user_id: userId, kind } })
        return { added: inserted !== undefined }
      })
    }
    const count = async (postId: number) => {
      const { count } = await database.db
        .selectFrom('reaction')
        .where('postId', '=', postId)
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      return { count: Number(count) }
    }
    const parameters = z.object({ post_id: idInPath })
    return {
      router: router({
        add: authed.input(z.object({ postId: id, kind })).mutation(({ ctx, input }) => add(ctx.viewer.id, input.postId, input.kind)),
        count: open.input(z.object({ postId: id })).query(({ input }) => count(input.postId)),
        nested: router({ refuse: open.mutation(() => Promise.reject(reactionErrors.no_such_post())) }),
      }),
      routes: [
        route({
          name: 'reaction.add',
          method: 'POST',
          path: '/posts/{post_id}/reactions',
          auth: 'required',
          summary: 'React to a post',
          params: parameters,
          body: z.object({ kind }),
          status: 201,
          reply: z.object({ added: z.boolean() }),
          errors: [reactionErrors.no_such_post],
          handle: ({ viewer, params, body }) => add(viewer.id, params.post_id, body.kind),
        }),
        route({
          name: 'reaction.count',
          method: 'GET',
          path: '/posts/{post_id}/reactions',
          auth: 'open',
          params: parameters,
          reply: z.object({ count: z.int() }),
          handle: ({ params }) => count(params.post_id),
        }),
      ],
      consumers: [
        consumer({
          name: 'reaction.tell-author',
          types: ['reaction_added', 'post_deleted'],
          prepare: (tx, events) => database.dialect.lockRows(tx, 'user', [...new Set(events.map(({ key }) => key))]),
          async handle(tx, event) {
            await tx.insertInto('reactionSeen').values({ eventId: event.id, userId: event.key }).execute()
            if (trouble.failing) throw new Error('out of order')
            if (event.type === 'post_deleted') return void (await withdraw(tx, `post ${event.payload.post_id}`))
            const { post_id, kind } = event.payload
            await notify(tx, { userId: event.key, type: 'reaction', payload: { post_id, kind }, source: `post ${post_id}` })
            logger.info('told')
          },
        }),
      ],
      jobs: {
        async sweep() {
          trouble.jobs++
          return trouble.jobs < 3
        },
      },
      purgeUser: async (tx, userId, rowsMax) => {
        const { rows } = { rows: await tx.selectFrom('reaction').where('userId', '=', userId).limit(rowsMax).select('id').execute() }
        if (rows.length === 0) return 0
        const ids = rows.map(({ id }: { id: number }) => id)
        return Number((await tx.deleteFrom('reaction').where('id', 'in', ids).executeTakeFirst()).numDeletedRows)
      },
      hooks: {
        'posts.create': {
          before({ input }) {
            if (input.content.includes('verboten'))
              throw reactionErrors.banned({ issues: [{ path: 'content', message: 'Holds verboten' }] })
          },
        },
      },
      service: { count },
      close: async () => void trouble.closed++,
    }
  },
})
