import { defineErrors, type Issue } from '../../core/errors.ts'
import { inputErrors } from '../../core/input.ts'
import { isStorableText, isWithin } from '../../core/text.ts'
import { isWebUrl } from '../../core/web-url.ts'

export const mediaTypes = ['image', 'video'] as const
export type MediaType = (typeof mediaTypes)[number]

export interface NewMedia {
  url: string
  type: MediaType
  /** 1 to 9: media are shown by ascending position, those of one position in the order in which they were given. */
  position: number
}

export interface NewPost {
  title: string
  content: string
  /** Those that are equal are one. */
  tags?: readonly string[] | undefined
  media?: readonly NewMedia[] | undefined
}

/** What is absent stays as it is. Lists replace those that were there. */
export interface PostChanges {
  title?: string | undefined
  /** Null takes it away. */
  content?: string | null | undefined
  tags?: readonly string[] | undefined
  media?: readonly NewMedia[] | undefined
}

export interface Media extends NewMedia {
  id: number
}

export interface Tag {
  id: number
  name: string
}

/** A post as it is kept and cached: without its author, who may change at any time. */
export interface PostRow {
  id: number
  authorId: number
  title: string
  content: string | null
  createdAt: string
  updatedAt: string
  media: Media[]
  tags: Tag[]
}

/** What everybody sees of an author. */
export interface Author {
  id: number
  username: string
  fullName: string | null
  avatarUrl: string | null
}

export interface Post extends Omit<PostRow, 'authorId'> {
  author: Author
}

interface PostEvent {
  post_id: number
  author_id: number
  tags: string[]
}

export interface PostEvents {
  post_created: PostEvent
  post_updated: PostEvent
  /** Also of each post that goes with its author's account. `tags` are those that it had. */
  post_deleted: PostEvent
}

export const postErrors = defineErrors('posts', {
  not_found: ['not_found', 'post not found'],
  invalid_id: ['invalid', 'post validation failed'],
})

/** In Unicode code points, where it is text. One rule for every surface. */
export const postLimits = {
  title: { min: 3, max: 255 },
  content: { min: 10, max: 100_000 },
  tag: { min: 2, max: 50 },
  mediaUrl: { min: 0, max: 512 },
  position: { min: 1, max: 9 },
  tagsMax: 50,
  mediaMax: 9,
} as const

/** Stands for an author whose account is gone while the post still waits to be removed. */
export const unknownAuthor: Author = { id: 0, username: 'unknown', fullName: 'Unknown Author', avatarUrl: null }

export function isTag(text: string): boolean {
  return isStorableText(text) && isWithin(text, postLimits.tag)
}

export function isMediaUrl(text: string): boolean {
  return isWithin(text, postLimits.mediaUrl) && isWebUrl(text)
}

/** Each once; tags differ by letter case. */
export function mergeTags(tags: readonly string[]): string[] {
  return [...new Set(tags)]
}

/** Holds the rules of a post for callers that have no schema of their own. */
export function assertNewPost({ title, content, ...lists }: NewPost): void {
  assertTitle(title)
  assertContent(content)
  assertLists(lists)
}

export function assertPostChanges({ title, content, ...lists }: PostChanges): void {
  if (title !== undefined) assertTitle(title)
  if (content != null) assertContent(content)
  assertLists(lists)
}

function assertTitle(title: string): void {
  if (!isStorableText(title) || !isWithin(title, postLimits.title)) throw refused('title', '3 to 255 characters')
}

function assertContent(content: string): void {
  if (!isStorableText(content) || !isWithin(content, postLimits.content)) throw refused('content', '10 to 100000 characters')
}

function assertLists({ tags = [], media = [] }: Pick<PostChanges, 'tags' | 'media'>): void {
  if (mergeTags(tags).length > postLimits.tagsMax) throw refused('tags', `up to ${postLimits.tagsMax}`)
  if (!tags.every(isTag)) throw refused('tags', 'tags of 2 to 50 characters')
  if (media.length > postLimits.mediaMax) throw refused('media', `up to ${postLimits.mediaMax}`)
  for (const { url, type, position } of media) {
    if (!isMediaUrl(url)) throw refused('media', 'http or https URLs of up to 512 characters')
    if (!mediaTypes.includes(type)) throw refused('media', 'images and videos')
    if (!Number.isInteger(position) || position < postLimits.position.min || position > postLimits.position.max)
      throw refused('media', 'positions from 1 to 9')
  }
}

function refused(path: string, expected: string) {
  const issues: Issue[] = [{ path, message: `Expected ${expected}` }]
  return inputErrors.invalid({ issues })
}

/** Where a post stands in every list: the newest first, and of two of the same millisecond the later one. */
export interface Place {
  createdAt: string
  id: number
}

/** A page by cursor goes on after the last post seen, so posts that come and go meanwhile shift nothing. */
export function toCursor({ createdAt, id }: Place): string {
  return Buffer.from(`${createdAt}|${id}`).toString('base64url')
}

/** Undefined for what `toCursor` did not make. */
export function fromCursor(cursor: string): Place | undefined {
  const text = Buffer.from(cursor.slice(0, cursorCharsMax), 'base64url').toString('latin1')
  const [, createdAt, id] = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)\|([1-9]\d{0,15})$/.exec(text) ?? []
  if (createdAt === undefined || !Number.isSafeInteger(Number(id))) return
  const place = { createdAt, id: Number(id) }
  return toCursor(place) === cursor ? place : undefined
}

const cursorCharsMax = 64

/** As many as migration 0005 makes. */
const totalShards = 16

/** The row of the total in which a post counts. An author's all count in one: they wait for each other anyway, at the author's row. */
export const shardOf = (authorId: number): number => authorId % totalShards
