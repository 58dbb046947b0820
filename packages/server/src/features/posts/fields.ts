import * as z from 'zod'
import { parseRfc3339 } from '../../core/time.ts'
import { text } from '../../rest/fields.ts'
import { fromCursor, isMediaUrl, mediaTypes, mergeTags, postLimits } from './posts.ts'

// Fields that REST and tRPC ask for alike. The rules themselves are in posts.ts.

export const title = text(postLimits.title).meta({ examples: ['A day at the lake'] })
export const content = text(postLimits.content)
export const tag = text(postLimits.tag).meta({ examples: ['summer'] })
export const tags = z
  .array(tag)
  .refine((list) => mergeTags(list).length <= postLimits.tagsMax, `Expected up to ${postLimits.tagsMax} tags`)
  .meta({ description: 'Those that are equal are one. They differ by letter case.' })
export const media = z
  .array(
    z.object({
      url: text(postLimits.mediaUrl)
        .refine(isMediaUrl, 'Expected an http or https URL')
        .meta({ format: 'uri', examples: ['https://example.com/lake.jpg'] }),
      type: z.enum(mediaTypes),
      position: z.int().min(postLimits.position.min).max(postLimits.position.max),
    }),
  )
  .max(postLimits.mediaMax)

/** Where a page ended. Opaque for clients. */
export const cursor = z.string().transform((given, context) => {
  const place = fromCursor(given)
  if (!place) context.addIssue({ code: 'custom', message: 'Expected a cursor of an earlier page' })
  return place ?? z.NEVER
})

/** A time of RFC 3339, as a list that leaves out that very time takes it. */
export const time = (side: 'floor' | 'ceil') =>
  z.string().transform((given, context) => {
    const read = parseRfc3339(given)?.[side]
    if (read === undefined) context.addIssue({ code: 'custom', message: 'Expected a time with a zone, as 2026-01-31T18:41:35Z' })
    return read ?? z.NEVER
  })
