import * as z from 'zod'
import { parseRfc3339 } from '../../core/time.ts'
import { roles } from '../../core/viewer.ts'
import { text } from '../../rest/fields.ts'
import { pageLimits, reasonLimits, searchLimits, userKinds } from './admin.ts'

// Fields that REST and tRPC ask for alike.

export const reason = text(reasonLimits).meta({ examples: ['spam'] })
export const search = text(searchLimits)
export const kind = z.enum(userKinds)
export const role = z.enum(roles)
export const postState = z.enum(['visible', 'removed'])
export const limit = z.int().min(pageLimits.min).max(pageLimits.max)
export const postCursor = z.string().min(1).max(100)
export const sessionId = text({ min: 1, max: 100 })
export const auditText = text({ min: 1, max: 100 })

/** Of RFC 3339; the service brings it into the form that tables have. */
export const time = z
  .string()
  .refine((given) => parseRfc3339(given) !== undefined, 'Expected a time with a zone, as 2026-01-31T18:41:35Z')
  .meta({ format: 'date-time' })

/** When a suspension ends: one that is over already would do nothing. */
export const until = time.refine((given) => Date.parse(given) > Date.now(), 'Expected a time to come')
