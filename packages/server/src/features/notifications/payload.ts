import { isStorableText } from '../../core/text.ts'

export const payloadBytesMax = 16 * 1024
/** Objects and arrays inside each other. */
const depthMax = 32

/**
 * The one text of a JSON value, as PostgreSQL's JSONB has it and v1 shows it: no blanks, keys by their length in bytes and then by
 * their bytes. Undefined for what is too large, too deep, or holds what JSONB refuses: a NUL, half of a surrogate pair, no number.
 */
export function canonicalJson(value: unknown, limits = { bytesMax: payloadBytesMax, depthMax }): string | undefined {
  const text = write(value, limits.depthMax)
  return text !== undefined && Buffer.byteLength(text) <= limits.bytesMax ? text : undefined
}

function write(value: unknown, depthLeft: number): string | undefined {
  if (typeof value === 'string') return isStorableText(value) ? JSON.stringify(value) : undefined
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : undefined // @NOTE 1e400 is read as Infinity
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value !== 'object' || depthLeft === 0) return undefined
  if (Array.isArray(value)) {
    const items = allOf(value, (item) => write(item, depthLeft - 1))
    return items && `[${items.join()}]`
  }
  const members = allOf(Object.keys(value).toSorted(byLengthThenBytes), (key) => {
    const [name, text] = [write(key, 1), write((value as Record<string, unknown>)[key], depthLeft - 1)]
    return name !== undefined && text !== undefined ? `${name}:${text}` : undefined
  })
  return members && `{${members.join()}}`
}

/** Undefined when one of them is. */
function allOf<Item>(items: readonly Item[], toText: (item: Item) => string | undefined): string[] | undefined {
  const texts: string[] = []
  for (const item of items) {
    const text = toText(item)
    if (text === undefined) return
    texts.push(text)
  }
  return texts
}

function byLengthThenBytes(one: string, other: string): number {
  const [a, b] = [Buffer.from(one), Buffer.from(other)]
  return a.length - b.length || Buffer.compare(a, b)
}

/** Reads what `canonicalJson` wrote. Written as JSON again it has the same text. */
export function readCanonicalJson(text: string): unknown {
  return /"-?\d+":/.test(text) ? JSON.parse(text, (_key, value) => inOrder(value)) : JSON.parse(text)
}

/**
 * @NOTE an object of JavaScript tells keys that are whole numbers first, wherever they stood. One that has others besides is
 * given back as a proxy that tells them in their order; nothing else about it differs.
 */
function inOrder(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const keys = Object.keys(value)
  const ordered = keys.toSorted(byLengthThenBytes)
  return keys.every((key, index) => key === ordered[index]) ? value : new Proxy(value, { ownKeys: () => ordered })
}
