/** As much of a JSON schema as ours have. */
export interface Schema {
  $ref?: string
  type?: string | string[]
  format?: string
  const?: unknown
  enum?: unknown[]
  items?: Schema
  properties?: Record<string, Schema>
  required?: string[]
  anyOf?: Schema[]
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
  maxItems?: number
  default?: unknown
  description?: string
}

export function membersOf(schema: Schema | undefined): [string, Schema][] {
  return Object.entries(schema?.properties ?? {})
}

/** A type in words; `link` says where a named one is described. */
export function typeOf(
  { $ref, type, format, enum: values, items, anyOf, properties, ...rest }: Schema,
  link: (name: string) => string,
): string {
  if ($ref) {
    const name = $ref.slice($ref.lastIndexOf('/') + 1)
    return `[${name}](${link(name)})`
  }
  if (values) return values.map((value) => `\`${JSON.stringify(value)}\``).join(' or ')
  if ('const' in rest) return `\`${JSON.stringify(rest.const)}\``
  if (anyOf) return anyOf.map((one) => typeOf(one, link)).join(' or ')
  if (items) return `list of ${typeOf(items, link)}`
  if (properties)
    return `object of ${Object.keys(properties)
      .map((name) => `\`${name}\``)
      .join(', ')}`
  return `${[type ?? 'any JSON'].flat().join(' or ')}${format ? ` (${format})` : ''}`
}

/** What its values have to keep to, in words. */
export function boundsOf(schema: Schema): string[] {
  const { minLength = 0, maxLength, minimum, maximum, maxItems, default: initial } = schema
  const least = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined
  const most = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined
  const bounds: string[] = []
  if (maxLength !== undefined) bounds.push(`${minLength > 0 ? `${minLength} to ` : 'at most '}${maxLength} characters`)
  if (least !== undefined && most !== undefined) bounds.push(`${least} to ${most}`)
  else if (least !== undefined) bounds.push(`from ${least}`)
  else if (most !== undefined) bounds.push(`at most ${most}`)
  if (maxItems !== undefined) bounds.push(`at most ${maxItems}`)
  if (initial !== undefined) bounds.push(`\`${JSON.stringify(initial)}\` unless told otherwise`)
  return bounds
}

/** Text for a cell of a table. */
export function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('\n', ' ')
}
