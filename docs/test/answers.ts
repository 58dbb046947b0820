/** The JSON documents of a text, one or more, each on a line of its own or laid out over several. @throws for what is no JSON */
export function documentsOf(text: string): unknown[] {
  try {
    return [JSON.parse(text)]
  } catch {
    return text
      .split('\n')
      .filter((line) => line.trim() !== '')
      .map((line) => JSON.parse(line) as unknown)
  }
}

const generated = /(^\d{4}-\d\d-\d\dT)|…/

/**
 * Where an answer is not as the page shows it: other members, other types, other text. Numbers and times are of the moment; `…` stands for
 * what is too long to show, and a list may go on beyond what is shown.
 */
export function differences(shown: unknown, answered: unknown, path = '$'): string[] {
  if (Array.isArray(shown) && Array.isArray(answered)) {
    if (shown.length > answered.length) return [`${path} has ${answered.length} items`]
    return shown.flatMap((item, index) => differences(item, answered[index], `${path}[${index}]`))
  }
  if (isObject(shown) && isObject(answered)) {
    const members = new Set([...Object.keys(shown), ...Object.keys(answered)])
    return [...members].flatMap((name) => {
      if (!(name in answered)) return [`${path}.${name} is not in the answer`]
      if (!(name in shown)) return [`${path}.${name} is not shown`]
      return differences(shown[name], answered[name], `${path}.${name}`)
    })
  }
  if (typeof shown !== typeof answered) return [`${path} is ${JSON.stringify(answered)}`]
  if (path === '$.status' || typeof shown === 'boolean' || (typeof shown === 'string' && !generated.test(shown)))
    return shown === answered ? [] : [`${path} is ${JSON.stringify(answered)}`]
  return []
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
