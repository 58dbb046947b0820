/** A setting of a set. */
export interface EnvEntry {
  key: string
  /** Of a new file, or of one that lacks the key. Called only then, so a secret is made once. */
  initial: () => string
  /** Replaces what is there: it was given on the command line, or it is ours (the version). */
  value?: string | undefined
  /** Never shown. */
  secret?: boolean
  comment?: string
}

const assignment = /^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=(.*)$/

/** The values of a file. Quotes round a value are not part of it. */
export function readEnv(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = assignment.exec(line) ?? []
    if (key !== undefined) values.set(key, unquoted(value!.trim()))
  }
  return values
}

function unquoted(value: string): string {
  if (/^'.*'$/.test(value)) return value.slice(1, -1)
  return /^".*"$/.test(value) ? value.slice(1, -1).replace(/\\(["\\])/g, '$1') : value
}

/**
 * The file with all entries in it. Every other line, order and comment stays, and so does each value that is there already, but for
 * those that `value` replaces.
 */
export function mergeEnv(before: string | undefined, entries: readonly EnvEntry[], quote: (value: string) => string): string {
  const there = readEnv(before ?? '')
  let text = before ?? ''
  for (const { key, initial, value, comment } of entries) {
    if (there.has(key)) {
      if (value !== undefined && there.get(key) !== value) text = replaced(text, key, quote(value))
      continue
    }
    if (text !== '' && !text.endsWith('\n')) text += '\n'
    if (comment) text += `${text === '' ? '' : '\n'}# ${comment}\n`
    text += `${key}=${quote(value ?? initial())}\n`
  }
  return text
}

/** @NOTE the last of several lines counts, as it does for whoever reads the file. */
function replaced(text: string, key: string, value: string): string {
  const lines = text.split('\n')
  const at = lines.findLastIndex((line) => assignment.exec(line)?.[1] === key)
  lines[at] = `${key}=${value}`
  return lines.join('\n')
}

/** For eyes: only what is known to be no secret is shown. */
export function maskEnv(text: string, entries: readonly EnvEntry[]): string {
  const open = new Set(entries.filter(({ secret }) => !secret).map(({ key }) => key))
  return text
    .split('\n')
    .map((line) => {
      const [, key, value] = assignment.exec(line) ?? []
      return key === undefined || open.has(key) || value === '' ? line : `${key}=********`
    })
    .join('\n')
}
