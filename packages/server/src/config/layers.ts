import { readFileSync } from 'node:fs'
import { dirname, relative, resolve } from 'node:path'
import leven from 'leven'
import { isAlias, isMap, isScalar, LineCounter, parseDocument, type Document, type Node } from 'yaml'

/** A configuration that cannot be used. The message is one sentence for people and holds no secret. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  /** Wrong use, for the process that reports it. */
  readonly exitCode = 2
}

/** Where a value came from: `default`, `pinstack.yaml:3`, `PINSTACK_HTTP_PORT`, `--port`. */
export interface Origin {
  layer: 'default' | 'file' | 'environment' | 'flag'
  name: string
}

export interface Given {
  value: unknown
  /** A variable or a flag: text that stands for a number, a list or true and false as well. */
  isText: boolean
  origin: Origin
  /** Where relative paths start. */
  baseDir: string
}

/** Later layers overwrite earlier ones. */
export type Layer = Map<string, Given>

const fileBytesMax = 1024 * 1024
const aliasesMax = 100

/** Reads `pinstack.yaml`. An empty value counts as not set. */
export function readFileLayer(file: string, { keys, cwd }: { keys: readonly string[]; cwd: string }): Layer {
  const path = resolve(cwd, file)
  const label = relative(cwd, path).startsWith('..') ? path : relative(cwd, path)
  const lines = new LineCounter()
  const doc = parseDocument(readText(path, label), { lineCounter: lines, prettyErrors: false, strict: true, uniqueKeys: true })
  const [syntax] = doc.errors
  // @NOTE the parser's own message may quote the text, and so a secret; its code cannot
  if (syntax)
    throw new ConfigError(
      `${label}:${lines.linePos(syntax.pos[0]).line} cannot be read as YAML: ${syntax.code.toLowerCase().replaceAll('_', ' ')}.`,
    )

  const layer: Layer = new Map()
  const at = (node: unknown) => `${label}:${lines.linePos((node as Node | null)?.range?.[0] ?? 0).line}`

  function walk(node: unknown, prefix: string, origin: string): void {
    if (node === null || (isScalar(node) && node.value === null)) return
    if (!isMap(node)) throw new ConfigError(`${sectionName(prefix, keys)}, not a single value or a list (${origin}).`)
    for (const { key, value } of node.items) {
      const name = isScalar(key) ? String(key.value) : '(not a name)'
      const fullName = prefix === '' ? name : `${prefix}.${name}`
      const origin = at(key)
      const target = isAlias(value) ? value.resolve(doc as Document) : value
      if (target === undefined) throw new ConfigError(unresolved(origin))
      if (name.includes('.')) {
        throw new ConfigError(
          keys.includes(fullName) ? nestedHint(name, origin) : unknownName(`Unknown key "${fullName}" (${origin})`, fullName, keys),
        )
      } else if (keys.includes(fullName)) {
        const plain = plainValue(target as Node | null, doc as Document, origin)
        if (plain !== null && plain !== undefined)
          layer.set(fullName, { value: plain, isText: false, origin: { layer: 'file', name: origin }, baseDir: dirname(path) })
      } else if (keys.some((key) => key.startsWith(`${fullName}.`))) {
        walk(target, fullName, origin)
      } else {
        throw new ConfigError(unknownName(`Unknown key "${fullName}" (${origin})`, fullName, keys))
      }
    }
  }

  walk(doc.contents, '', `${label}:1`)
  return layer
}

function readText(path: string, label: string): string {
  try {
    const bytes = readFileSync(path)
    if (bytes.length > fileBytesMax) throw new ConfigError(`The configuration file ${label} is larger than 1 MiB.`)
    return bytes.toString('utf8')
  } catch (error) {
    if (error instanceof ConfigError) throw error
    const reasons: Record<string, string> = {
      ENOENT: 'does not exist',
      EACCES: 'cannot be read: permission denied',
      EISDIR: 'is a directory',
    }
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error'
    throw new ConfigError(`The configuration file ${label} ${reasons[code] ?? `cannot be read: ${code}`}.`, { cause: error })
  }
}

function plainValue(node: Node | null, doc: Document, origin: string): unknown {
  try {
    return node?.toJS(doc, { maxAliasCount: aliasesMax })
  } catch (error) {
    throw new ConfigError(unresolved(origin), { cause: error })
  }
}

const unresolved = (origin: string) => `${origin} cannot be read as YAML: bad alias.`

function sectionName(prefix: string, keys: readonly string[]): string {
  if (prefix === '') return `The configuration file must hold keys such as "${keys[0]!.split('.')[0]}:"`
  return `${prefix} must hold keys such as ${keys.find((key) => key.startsWith(`${prefix}.`))}`
}

function nestedHint(name: string, origin: string): string {
  const [section, ...rest] = name.split('.')
  return `Unknown key "${name}" (${origin}): write "${section}:" and, indented below it, "${rest.join('.')}:".`
}

/** `rateLimits.enabled` ↔ `PINSTACK_RATE_LIMITS_ENABLED`. */
export function variableOf(key: string): string {
  return `PINSTACK_${key.replaceAll('.', '_').replace(/[A-Z]/g, '_$&').toUpperCase()}`
}

/** Names the configuration file; no key of it. */
export const fileVariable = 'PINSTACK_CONFIG'

/** Names that platforms set by custom. Weaker than Pinstack's own. */
export const customVariables: Record<string, string> = {
  PORT: 'http.port',
  DATABASE_URL: 'database.url',
  REDIS_URL: 'redis.url',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'tracing.endpoint',
}

/**
 * Kubernetes gives every pod of a namespace variables for every service: one named `pinstack` makes `PINSTACK_PORT=tcp://…`,
 * one named `pinstack-http` even `PINSTACK_HTTP_PORT`. They are not the operator's words.
 */
const serviceLink = /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/
const isServiceLink = (name: string, value: string) =>
  serviceLink.test(name) || (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(value))

/** Reads `PINSTACK_*` and the customary names. An empty variable counts as not set. */
export function readEnvironmentLayer(
  env: Readonly<Record<string, string | undefined>>,
  { keys, cwd }: { keys: readonly string[]; cwd: string },
): Layer {
  const keyOf = new Map(keys.map((key) => [variableOf(key), key]))
  const layer: Layer = new Map()
  const give = (key: string, name: string, value: string) =>
    layer.set(key, { value, isText: true, origin: { layer: 'environment', name }, baseDir: cwd })
  for (const [name, key] of Object.entries(customVariables)) {
    const value = env[name]
    if (value && !isServiceLink(name, value)) give(key, name, value)
  }
  for (const name of Object.keys(env)
    .filter((name) => name.startsWith('PINSTACK_'))
    .sort()) {
    const value = env[name]
    if (!value || name === fileVariable || isServiceLink(name, value)) continue
    const key = keyOf.get(name)
    if (!key) throw new ConfigError(unknownName(`Unknown environment variable ${name}`, name, [...keyOf.keys()]))
    give(key, name, value)
  }
  return layer
}

export type FlagValue = string | number | boolean | readonly string[] | undefined

/** `names` says how each key was spelled on the command line. */
export function readFlagLayer(
  flags: Readonly<Record<string, FlagValue>>,
  { keys, cwd, names = {} }: { keys: readonly string[]; cwd: string; names?: Readonly<Record<string, string>> },
): Layer {
  const layer: Layer = new Map()
  for (const [key, value] of Object.entries(flags)) {
    if (value === undefined) continue
    const name = names[key] ?? `--set ${key}`
    if (!keys.includes(key)) throw new ConfigError(unknownName(`Unknown key "${key}" (${name})`, key, keys))
    layer.set(key, { value, isText: typeof value === 'string', origin: { layer: 'flag', name }, baseDir: cwd })
  }
  return layer
}

function unknownName(what: string, name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known)
  return nearest ? `${what}: did you mean ${nearest}?` : `${what}; \`pinstack config print\` lists all keys.`
}

/** Undefined when nothing is near enough to be what was meant. A bare last word (`port`) finds its key (`http.port`). */
function nearestName(name: string, known: readonly string[]): string | undefined {
  const distance = (candidate: string) =>
    Math.min(leven(name, candidate), name.includes('.') ? Infinity : leven(name, candidate.split('.').at(-1)!))
  const [nearest] = known.map((candidate) => ({ candidate, distance: distance(candidate) })).sort((a, b) => a.distance - b.distance)
  return nearest && nearest.distance <= Math.max(2, name.length * 0.35) ? nearest.candidate : undefined
}
