import { isStorableText } from './text.ts'

/** Something that a browser may load: http or https, and nothing that runs (`javascript:`) or hides its origin (`data:`). */
export function isWebUrl(text: string): boolean {
  if (!isStorableText(text) || /\s/u.test(text)) return false
  // @NOTE the parser would mend `https:x` and `https:\\x`; browsers would too, other clients would not.
  return /^https?:\/\/[^/\\]/i.test(text) && URL.canParse(text)
}
