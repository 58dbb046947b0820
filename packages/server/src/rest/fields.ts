import * as z from 'zod'
import { isStorableText, isWithin } from '../core/text.ts'

export const id = z.int().min(1)

/** An id in a path: digits, perhaps a sign and leading zeros, as v1 reads them. */
export const idInPath = z.preprocess(toInteger, id)

/** The same for routes that have an answer of their own for an id that nothing can have. */
export const integerInPath = z.preprocess(toInteger, z.int())

/** Text of `min` to `max` code points that every database can keep. What is no text at all is `invalid input`, the rest `validation failed`. */
export function text({ min = 0, max }: { min?: number; max: number }) {
  return z
    .string()
    .refine(isStorableText, 'Holds a NUL, or half of a surrogate pair')
    .refine((value) => isWithin(value, { min, max }), `Expected ${min} to ${max} characters`)
    .meta({ minLength: min, maxLength: max }) // JSON Schema counts code points, too; zod's own min and max do not
}

/** v1's page numbers. Whatever is wrong with one silently becomes its default. */
export function pageQuery({ limitDefault }: { limitDefault: number }) {
  return z.object({
    page: z
      .preprocess(
        toInteger,
        z
          .int()
          .min(1)
          .max(2 ** 31 - 1),
      )
      .catch(1),
    limit: z.preprocess(toInteger, z.int().min(1).max(100)).catch(limitDefault),
  })
}

/** A sentence for people, where v1 has nothing else to say. */
export const sentence = z.object({ message: z.string() })

/** NaN for what is no integer: the schema behind it refuses that. */
function toInteger(text: unknown): number {
  return typeof text === 'string' && /^[+-]?\d+$/.test(text) ? Number(text) : NaN
}
