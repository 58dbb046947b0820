import * as z from 'zod'
import { inputErrors } from '../../core/input.ts'
import { parseRfc3339 } from '../../core/time.ts'
import type { ListStart, PostFilter } from './list.ts'
import { fromCursor, isTag } from './posts.ts'

const limitDefault = 100
const limitMax = 100

const integer = (description: string, bounds: object) =>
  z
    .string()
    .optional()
    .meta({ type: 'integer', description, ...bounds })
const time = (description: string) => z.string().optional().meta({ format: 'date-time', description })

/** @NOTE all are texts here: v1 looks at them in an order of its own, so this module reads them and the route's schema does not. */
export const listQuery = z.object({
  author_id: integer('Of one author. 0 is any.', { minimum: 0 }),
  created_after: time('After this time, which is left out itself. A plus in the zone is sent as %2B.'),
  created_before: time('Before this time, which is left out itself.'),
  offset: integer('How many posts to pass over.', { minimum: 0 }),
  limit: integer(`How many posts to answer; ${limitDefault} for 0.`, { minimum: 0, maximum: limitMax, default: limitDefault }),
  tag: z.string().optional().meta({ description: 'Of one tag, in its very spelling.' }),
  cursor: z.string().optional().meta({ description: 'The `next_cursor` of the page before; then `offset` says nothing.' }),
})

/** All formats in v1's order, and only then the bounds: REST-V1 3.7. What this project has added comes after what v1 has. */
export function readListQuery(query: z.output<typeof listQuery>): { filter: PostFilter; page: { start: ListStart; limit: number } } {
  const authorId = readInteger(query.author_id)
  const createdAfter = readTime('created_after', query.created_after)?.floor
  const createdBefore = readTime('created_before', query.created_before)?.ceil
  const offset = readInteger(query.offset)
  const limit = readInteger(query.limit)
  const cursor = query.cursor === undefined ? undefined : fromCursor(query.cursor)
  if (query.cursor !== undefined && !cursor) throw inputErrors.unreadable()
  if (authorId < 0) throw invalid('author_id', 'an id')
  if (offset < 0) throw invalid('offset', '0 or more')
  if (limit < 0 || limit > limitMax) throw invalid('limit', `1 to ${limitMax}`)
  if (query.tag !== undefined && !isTag(query.tag)) throw invalid('tag', 'a tag')
  return {
    filter: { authorId: authorId || undefined, tag: query.tag, createdAfter, createdBefore },
    page: { start: cursor ? { cursor } : { offset }, limit: limit || limitDefault },
  }
}

/** What is absent is 0, as v1 has it. */
function readInteger(text = '0'): number {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN
  if (!Number.isSafeInteger(value)) throw inputErrors.unreadable()
  return value
}

function readTime(path: string, text: string | undefined) {
  const time = text === undefined ? undefined : parseRfc3339(text)
  if (text !== undefined && !time) throw invalid(path, 'a time with a zone, as 2026-01-31T18:41:35Z')
  return time
}

function invalid(path: string, expected: string) {
  return inputErrors.invalid({ issues: [{ path, message: `Expected ${expected}` }] })
}
