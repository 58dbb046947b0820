import { isIP } from 'node:net'
import * as z from 'zod'

/** What the schema cannot say about a key by itself: the words of its messages and of its row in docs/config.md. */
export interface KeyNote {
  /** Column "type" of the docs. */
  type: string
  /** Completes "KEY must be …". */
  expects: string
  /** The value never leaves: not in messages, not in `config print`. Database URLs hide only the password when printed. */
  secret?: 'all' | 'password'
  /** Relative paths start at the configuration file's directory, or at the working directory. */
  path?: true
  /** Turns the text of a variable or flag into what the file would hold. */
  fromText(text: string): unknown
  /** The value as one would write it. */
  show?(value: unknown): string
}

const notes = z.registry<KeyNote>()

function note<Schema extends z.ZodType>(schema: Schema, about: KeyNote): Schema {
  notes.add(schema, about)
  return schema
}

/** The note of a key, whatever default is wrapped around it. Throws for a schema that is no key. */
export function noteOf(schema: z.ZodType): KeyNote {
  const about = notes.get(unwrap(schema))
  if (!about) throw new TypeError('a configuration key is made by config/values.ts')
  return about
}

/** Takes defaults and optionality off. */
export function unwrap(schema: z.ZodType): z.ZodType {
  while (schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional)
    schema = schema.unwrap() as z.ZodType
  return schema
}

const asIs = (text: string) => text
const asNumber = (text: string) => (/^-?\d+(\.\d+)?$/.test(text.trim()) ? Number(text) : text)

/** Comma-separated; `none` is the empty list, since an empty variable counts as not set. */
const asList = (text: string) =>
  text.trim() === 'none'
    ? []
    : text
        .split(',')
        .map((item) => item.trim())
        .filter((item) => item !== '')

const asSwitch = (text: string) => {
  const read = z.stringbool({ case: 'insensitive' }).safeParse(text.trim())
  return read.success ? read.data : text
}

export function text(description: string, charsMax = 255) {
  return note(
    z
      .string()
      .min(1)
      .max(charsMax)
      .regex(/^[^\0-\x1f\x7f]*$/)
      .describe(description),
    {
      type: 'text',
      expects: `a text of 1 to ${charsMax} characters without line breaks`,
      fromText: asIs,
    },
  )
}

export function path(description: string) {
  return note(
    z
      .string()
      .min(1)
      .regex(/^[^\0]*$/)
      .describe(description),
    { type: 'path', expects: 'a path', path: true, fromText: asIs },
  )
}

/** Without a user and a password: those are headers (`OTEL_EXPORTER_OTLP_HEADERS`), and belong in no listing of the configuration. */
export function httpUrl(description: string) {
  const isUrl = (text: string) => {
    if (!/^https?:\/\//.test(text) || !URL.canParse(text)) return false
    const { username, password } = new URL(text)
    return username === '' && password === ''
  }
  return note(z.string().refine(isUrl).describe(description), {
    type: '`http://` or `https://` URL',
    expects: 'an http:// or https:// URL without a user and a password',
    fromText: asIs,
  })
}

export function whole(description: string, { min, max }: { min: number; max: number }) {
  return note(z.int().min(min).max(max).describe(description), {
    type: `whole number, ${min} to ${max}`,
    expects: `a whole number from ${min} to ${max}`,
    fromText: asNumber,
  })
}

export function port(description: string) {
  return note(z.int().min(0).max(65535).describe(description), {
    type: 'port, 0 to 65535',
    expects: 'a port from 0 to 65535',
    fromText: asNumber,
  })
}

export function onOff(description: string) {
  return note(z.boolean().describe(description), { type: 'true or false', expects: 'true or false', fromText: asSwitch })
}

export function oneOf<const Words extends readonly [string, ...string[]]>(description: string, words: Words) {
  return note(z.enum(words).describe(description), {
    type: words.map((word) => `\`${word}\``).join(' '),
    expects: `one of ${words.join(', ')}`,
    fromText: asIs,
  })
}

/** At least one of `words`, each once. */
export function someOf<const Words extends readonly [string, ...string[]]>(description: string, words: Words) {
  const isSet = (chosen: readonly string[]) => new Set(chosen).size === chosen.length
  return note(z.array(z.enum(words)).min(1).refine(isSet).describe(description), {
    type: `list of ${words.map((word) => `\`${word}\``).join(' ')}`,
    expects: `a list of ${words.join(', ')}, each at most once`,
    fromText: asList,
  })
}

interface ListOf {
  items: string
  itemsMax: number
  isItem(item: string): boolean
}

function list(description: string, { items, itemsMax, isItem }: ListOf) {
  return note(z.array(z.string().min(1).max(500).refine(isItem)).max(itemsMax).describe(description), {
    type: `list of ${items}`,
    expects: `a list of at most ${itemsMax} ${items}`,
    fromText: asList,
  })
}

/** As browsers send them: scheme and host, no path and no slash at the end. */
export function origins(description: string) {
  const isItem = (item: string) => item === '*' || (/^https?:/.test(item) && URL.canParse(item) && new URL(item).origin === item)
  return list(description, { items: 'origins (`https://app.example.com`, without a slash at the end, or `*`)', itemsMax: 100, isItem })
}

export function proxies(description: string) {
  const isItem = (item: string) => {
    const [address = '', bits = '0', ...rest] = item.split('/')
    const bitsMax = { 0: -1, 4: 32, 6: 128 }[isIP(address)]!
    return (
      ['loopback', 'linklocal', 'uniquelocal'].includes(item) || (/^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax && rest.length === 0)
    )
  }
  return list(description, {
    items: 'addresses, ranges such as `10.0.0.0/8`, or `loopback`, `linklocal`, `uniquelocal`',
    itemsMax: 100,
    isItem,
  })
}

/** `host:port`, where a client first asks a cluster for all of its servers. An IPv6 address stands in brackets. */
export function brokers(description: string) {
  const isItem = (item: string) => {
    const [, port] = /^(?:\[[0-9a-f:.]+\]|[\w.-]+):(\d{1,5})$/i.exec(item) ?? []
    return port !== undefined && Number(port) > 0 && Number(port) < 65_536
  }
  return list(description, { items: 'addresses such as `kafka-1.example.com:9092`', itemsMax: 100, isItem })
}

/** What Kafka takes as the name of a topic. */
export function topic(description: string) {
  return note(
    z
      .string()
      .regex(/^(?!\.{1,2}$)[\w.-]{1,249}$/)
      .describe(description),
    { type: 'topic', expects: 'the name of a topic: 1 to 249 letters, digits, `.`, `_` and `-`', fromText: asIs },
  )
}

/** A secret of another system: how long and how strong it is is not decided here. */
export function password(description: string) {
  return note(z.string().min(1).max(1000).describe(description), {
    type: 'password',
    expects: 'a text of 1 to 1000 characters',
    secret: 'all',
    fromText: asIs,
  })
}

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
type Unit = keyof typeof unitMs

/** Written `15m` or `30d` (s, m, h, d; whole numbers), held in milliseconds. */
export function duration(description: string, { min, max }: { min: string; max: string }) {
  const read = z
    .string()
    .regex(/^[1-9]\d{0,8}[smhd]$/)
    .describe(description)
    .transform(durationMs)
    .refine((valueMs) => valueMs >= durationMs(min) && valueMs <= durationMs(max))
  return note(read.describe(description), {
    type: `duration, ${min} to ${max}`,
    expects: `a duration from ${min} to ${max}, written like 30s, 15m, 12h or 30d`,
    fromText: asIs,
    show: (value) => durationText(Number(value)),
  })
}

function durationMs(text: string): number {
  return Number(text.slice(0, -1)) * unitMs[text.at(-1) as Unit]
}

function durationText(valueMs: number): string {
  const unit = (['d', 'h', 'm', 's'] as const).find((unit) => valueMs % unitMs[unit] === 0) ?? 's'
  return `${valueMs / unitMs[unit]}${unit}`
}

export const secretBytesMin = 32
const distinctCharsMin = 8

/** Examples of manuals and templates that are long enough to pass as secrets. Compared without case, blanks, `-` and `_`. */
const knownSecret =
  /change(me|this|it)|your(secret|super|jwt|password)|(my|super|string)secret|secretkey|placeholder|example|0123456789abcdef012345|abcdefghijklmnop|<.*>/i

/** Undefined when it will do; else the rest of a sentence that begins with the key. Says nothing of the secret but its length. */
function weakness(secret: string): string | undefined {
  const bytes = Buffer.byteLength(secret)
  if (knownSecret.test(secret.replace(/[\s_-]/g, ''))) return 'is a known example, not a secret: make one with `openssl rand -base64 48`'
  if (bytes < secretBytesMin)
    return `is too short: it has ${bytes} bytes, at least ${secretBytesMin} are needed (\`openssl rand -base64 48\` makes one)`
  if (new Set(secret).size < distinctCharsMin)
    return 'can be guessed: too few different characters (`openssl rand -base64 48` makes a good one)'
}

function secretText() {
  return z.string().superRefine((secret, ctx) => {
    const message = weakness(secret)
    if (message) ctx.addIssue({ code: 'custom', message })
  })
}

export function secret(description: string) {
  return note(secretText().describe(description), {
    type: `secret, ${secretBytesMin} bytes or more`,
    expects: `a text of at least ${secretBytesMin} bytes`,
    secret: 'all',
    fromText: asIs,
  })
}

export function secrets(description: string, { itemsMax }: { itemsMax: number }) {
  return note(z.array(secretText()).max(itemsMax).describe(description), {
    type: 'list of secrets',
    expects: `a list of at most ${itemsMax} secrets`,
    secret: 'all',
    fromText: asList,
  })
}

export function databaseUrl(description: string, { schemes }: { schemes: readonly ('sqlite' | 'postgres')[] }) {
  const forms = schemes.map((scheme) => (scheme === 'sqlite' ? 'sqlite:PATH' : 'postgres://USER:PASSWORD@HOST:PORT/DATABASE')).join(' or ')
  const read = z.string().superRefine((url, ctx) => {
    const message = urlProblem(url, { schemes, forms })
    if (message) ctx.addIssue({ code: 'custom', message })
  })
  return note(read.describe(description), {
    type: schemes.map((scheme) => (scheme === 'sqlite' ? '`sqlite:` URL' : '`postgres://` URL')).join(' or '),
    expects: forms,
    secret: 'password',
    fromText: asIs,
    show: (value) => maskDatabaseUrl(String(value)),
  })
}

export function redisUrl(description: string) {
  const forms = 'redis://USER:PASSWORD@HOST:PORT/NUMBER or rediss://… for TLS'
  const read = z.string().superRefine((url, ctx) => {
    if (!/^rediss?:\/\//i.test(url)) ctx.addIssue({ code: 'custom', message: `must be ${forms}` })
    else if (!URL.canParse(url) || new URL(url).hostname === '') {
      ctx.addIssue({
        code: 'custom',
        message: 'cannot be read as a URL: special characters of the user name and password are written as %XX',
      })
    } else if (!/^\/?\d*$/.test(new URL(url).pathname)) {
      ctx.addIssue({ code: 'custom', message: 'ends in something that is no number of a database (redis://HOST:PORT/0)' })
    }
  })
  return note(read.describe(description), {
    type: '`redis://` URL',
    expects: forms,
    secret: 'password',
    fromText: asIs,
    show: (value) => maskDatabaseUrl(String(value)),
  })
}

/** Never repeats the URL: a password may be anywhere in one that does not parse. */
export function urlProblem(url: string, { schemes, forms }: { schemes: readonly string[]; forms: string }): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):/i
    .exec(url)?.[1]
    ?.toLowerCase()
    .replace(/^postgresql$/, 'postgres')
  if (!scheme) return `must be ${forms}; this one has no scheme`
  if (!schemes.includes(scheme)) return `must be ${forms}; ${scheme}: is not supported`
  if (scheme === 'sqlite') {
    const path = url.slice('sqlite:'.length)
    if (path === ':memory:') return 'must name a file: Pinstack keeps nothing in memory only'
    if (path === '') return 'names no file: write sqlite:PATH'
    if (path.includes('\0')) return 'has a NUL character in its path'
    if (/^\/\/[^/]/.test(path))
      return 'has two slashes after sqlite: and takes none for a relative path (sqlite:pinstack.db), one for an absolute path'
    return
  }
  if (!/^postgres(ql)?:\/\//i.test(url)) return `must be ${forms}`
  if (!URL.canParse(url)) return 'cannot be read as a URL: special characters of the user name and password are written as %XX'
  if (new URL(url).pathname.length < 2) return 'names no database: the URL ends in /DATABASE'
}

const mask = '********'
const secretParameters = ['password', 'sslpassword', 'sslkey']

/** Hides the password of a database URL, wherever it stands. A URL that does not parse is hidden whole. */
export function maskDatabaseUrl(url: string): string {
  if (url.startsWith('sqlite:')) return url
  if (!URL.canParse(url)) return mask
  const parsed = new URL(url)
  if (parsed.password !== '') parsed.password = mask
  for (const name of secretParameters) if (parsed.searchParams.has(name)) parsed.searchParams.set(name, mask)
  return parsed.href
}

/** The value as `config print` shows it. */
export function showValue(about: KeyNote, value: unknown): string | number | boolean | string[] | null {
  if (value === undefined) return null
  if (about.secret === 'all') return Array.isArray(value) ? value.map(() => mask) : mask
  return about.show ? about.show(value) : (value as string | number | boolean | string[])
}
