/** The form in which names and e-mail addresses are compared: one for all spellings that look alike (Unicode TR 15, NFKC). */
export function fold(text: string): string {
  // Twice, since lower case can undo the normal form (and the other way round): İ, the Kelvin sign.
  return text.normalize('NFKC').toLowerCase().normalize('NFKC')
}

/** Length in Unicode code points, as REST v1 counts characters. */
export function codePointLength(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

/** Whether `text` has `min` to `max` code points. */
export function isWithin(text: string, { min, max }: { min: number; max: number }): boolean {
  // A code point is one or two units: what is far too long, or long and short enough in any case, need not be counted.
  if (text.length > 2 * max) return false
  if (text.length <= max && text.length >= 2 * min) return true
  const length = codePointLength(text)
  return length >= min && length <= max
}

/** False for what not every database keeps: a NUL, and half of a surrogate pair. */
export function isStorableText(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed()
}
