import * as z from 'zod'
import { codePointLength } from '../../core/text.ts'
import { wholeSeconds } from '../../core/time.ts'
import { viewerErrors, type Viewer } from '../../core/viewer.ts'
import { id, integerInPath, text } from '../../rest/fields.ts'
import { route, type Route } from '../../rest/route.ts'
import { content, media, tags, title } from './fields.ts'
import { listQuery, readListQuery } from './list-query.ts'
import { mediaTypes, postErrors, postLimits, type Author, type Post } from './posts.ts'
import type { Posts } from './service.ts'

const time = z.string().meta({ format: 'date-time', examples: ['2026-01-31T18:41:35Z'] })
const bareShape = { id, title: z.string(), content: z.string().optional(), created_at: time, updated_at: time }
const listsShape = {
  media: z.array(z.object({ id, url: z.string(), type: z.enum(mediaTypes), position: z.int() })).optional(),
  tags: z.array(z.object({ id, name: z.string() })).optional(),
}
const authorReply = z
  .object({
    id: z.int().meta({ description: '0 for an account that is gone while its posts are not removed yet.' }),
    username: z.string(),
    full_name: z.string().optional(),
    avatar_url: z.string().optional(),
  })
  .meta({ id: 'Author' })
const postReply = z.object({ ...bareShape, author: authorReply, ...listsShape }).meta({ id: 'Post' })
const createdReply = z
  .object({
    ...bareShape,
    author_id: id,
    author_username: z.string(),
    author_email: z.string().meta({ description: 'One’s own: the author is who asks.' }),
    author_full_name: z.string().optional(),
    author_bio: z.string().optional(),
    author_avatar_url: z.string().optional(),
    ...listsShape,
  })
  .meta({ id: 'CreatedPost' })
const byId = z.object({ id: integerInPath })

/** The text, or nothing at all: v1 takes an empty one for "unchanged". */
const orEmpty = ({ min, max }: { min: number; max: number }) =>
  text({ max }).refine(
    (value) => value === '' || value.length >= 2 * min || codePointLength(value) >= min,
    `Expected ${min} to ${max} characters`,
  )

/** What v1 shows of an author in the answer to a creation. */
interface OwnAccount extends Author {
  email?: string
  bio: string | null
}

interface Features {
  posts: Posts
  users: { byId(id: number, viewer: Viewer): Promise<OwnAccount> }
}

export function postRoutes({ posts, users }: Features): Route[] {
  return [
    route({
      name: 'posts.create',
      method: 'POST',
      path: '/posts',
      root: true,
      auth: 'required',
      status: 201,
      summary: 'Publish a post',
      reply: createdReply,
      body: z.object({ title, content, tags: tags.optional(), media_items: media.optional() }),
      async handle({ viewer, body }) {
        const { media_items: media, ...rest } = body
        const post = await posts.create(viewer, { ...rest, media })
        return toCreatedReply(post, await users.byId(viewer.id, viewer))
      },
    }),
    route({
      name: 'posts.list',
      method: 'GET',
      path: '/posts/list',
      auth: 'open',
      summary: 'Posts, the newest first: all, or those of an author, of a tag, of a time',
      query: listQuery,
      reply: z.object({ posts: z.array(postReply), total: z.int(), next_cursor: z.string().optional() }),
      async handle({ query }) {
        const { filter, page } = readListQuery(query)
        const { items, total, nextCursor } = await posts.listWithTotal(filter, page)
        return { posts: items.map(toReply), total, next_cursor: nextCursor ?? undefined }
      },
    }),
    route({
      name: 'posts.get',
      method: 'GET',
      path: '/posts/{id}',
      auth: 'open',
      summary: 'A post by id',
      errors: [postErrors.invalid_id, postErrors.not_found],
      params: byId,
      reply: postReply,
      async handle({ params }) {
        return toReply(await posts.byId(params.id))
      },
    }),
    route({
      name: 'posts.update',
      method: 'PUT',
      path: '/posts/{id}',
      auth: 'required',
      summary: 'Change one’s own post; what is absent, null or empty stays as it is',
      errors: [postErrors.invalid_id, postErrors.not_found, viewerErrors.forbidden],
      params: byId,
      reply: postReply,
      body: z.object({
        title: orEmpty(postLimits.title).optional(),
        content: orEmpty(postLimits.content).optional(),
        tags: tags.optional(),
        media_items: media.optional(),
      }),
      async handle({ viewer, params, body }) {
        const { title, content, tags = [], media_items = [] } = body
        const post = await posts.update(viewer, params.id, {
          title: title || undefined,
          content: content || undefined,
          tags: tags.length > 0 ? tags : undefined,
          media: media_items.length > 0 ? media_items : undefined,
        })
        return toReply(post)
      },
    }),
    route({
      name: 'posts.delete',
      method: 'DELETE',
      path: '/posts/{id}',
      auth: 'required',
      summary: 'Delete one’s own post, for good',
      errors: [postErrors.invalid_id, postErrors.not_found, viewerErrors.forbidden],
      params: byId,
      async handle({ viewer, params }) {
        await posts.remove(viewer, params.id)
      },
    }),
  ]
}

/** @NOTE v1 leaves out what a post does not have: no null and no empty list ever goes out. */
function toReply({ id, title, content, createdAt, updatedAt, author, media, tags }: Post): z.input<typeof postReply> {
  return {
    id,
    title,
    content: content || undefined,
    created_at: wholeSeconds(createdAt),
    updated_at: wholeSeconds(updatedAt),
    author: {
      id: author.id,
      username: author.username,
      full_name: author.fullName ?? undefined,
      avatar_url: author.avatarUrl ?? undefined,
    },
    media: media.length > 0 ? media : undefined,
    tags: tags.length > 0 ? tags : undefined,
  }
}

function toCreatedReply(post: Post, own: OwnAccount): z.input<typeof createdReply> {
  const { author, ...bare } = toReply(post)
  return {
    ...bare,
    author_id: own.id,
    author_username: own.username,
    author_email: own.email!,
    author_full_name: own.fullName ?? undefined,
    author_bio: own.bio ?? undefined,
    author_avatar_url: own.avatarUrl ?? undefined,
  }
}
