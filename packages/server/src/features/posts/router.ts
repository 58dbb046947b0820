import * as z from 'zod'
import { id } from '../../rest/fields.ts'
import { authed, open, router } from '../../rpc/procedures.ts'
import { content, cursor, media, tag, tags, time, title } from './fields.ts'
import type { Posts } from './service.ts'

const newPost = z.object({ title, content, tags: tags.optional(), media: media.optional() })
/** What is absent stays. Null or an empty text takes the content away, an empty list the tags or media; v1 cannot. */
const changes = z.object({
  id,
  title: title.optional(),
  content: content.or(z.literal('')).nullish(),
  tags: tags.optional(),
  media: media.optional(),
})
const list = z.object({
  authorId: id.optional(),
  tag: tag.optional(),
  createdAfter: time('floor').optional(),
  createdBefore: time('ceil').optional(),
  limit: z.int().min(1).max(100).default(50),
  cursor: cursor.optional(),
})

export function postsRouter({ posts }: { posts: Posts }) {
  return router({
    create: authed.input(newPost).mutation(({ ctx, input }) => posts.create(ctx.viewer, input)),
    byId: open.input(z.object({ id })).query(({ input }) => posts.byId(input.id)),
    list: open
      .input(list)
      .query(({ input: { cursor, limit, ...filter } }) => posts.list(filter, { start: cursor ? { cursor } : { offset: 0 }, limit })),
    update: authed
      .input(changes)
      .mutation(({ ctx, input: { id, content, ...rest } }) =>
        posts.update(ctx.viewer, id, { ...rest, ...(content !== undefined && { content: content || null }) }),
      ),
    delete: authed.input(z.object({ id })).mutation(({ ctx, input }) => posts.remove(ctx.viewer, input.id)),
  })
}
