import * as z from 'zod'
import { inputErrors, toIssues } from '../core/input.ts'
import { idInPath, integerInPath } from './fields.ts'
import type { Route } from './route.ts'

interface Raw {
  params: unknown
  query: unknown
  body?: unknown
}
export interface ReadInput {
  params?: any
  query?: any
  body?: any
}
type Normalise = (value: unknown) => unknown

/** Reads a request as v1 does: what cannot be read at all is `invalid input`, and only then is the rest `validation failed`. */
export function inputReader({ params, query, body }: Route): (raw: Raw) => ReadInput {
  if (!params && !query && !body) return () => nothing
  const schema = z.object({ ...(params && { params }), ...(query && { query }), ...(body && { body }) })
  const queryNames = query && Object.keys(query.shape)
  const normaliseBody = body && normaliserOf(body)
  const onlyId = params && !query && !body ? onlyIdOf(params) : undefined
  return (raw) => {
    const id = onlyId && plainId((raw.params as Record<string, string>)[onlyId]!)
    if (id) return withParam(onlyId, id)
    const given: Record<string, unknown> = {}
    if (params) given.params = raw.params
    if (queryNames) given.query = firstOfEach(queryNames, raw.query as Record<string, unknown>)
    if (normaliseBody) given.body = normaliseBody(readJson(raw.body))
    const { data, error } = schema.safeParse(given)
    if (!error) return data
    if (error.issues.some((issue) => isUnreadable(issue, given))) throw inputErrors.unreadable()
    throw inputErrors.invalid({ issues: toIssues(error, 1) })
  }
}

const nothing: ReadInput = {}

/** The routes that are asked most take one id and nothing else. */
function onlyIdOf({ shape }: z.ZodObject): string | undefined {
  const [[name, field] = [], ...others] = Object.entries(shape)
  return others.length === 0 && (field === idInPath || field === integerInPath) ? name : undefined
}

/** An id as everybody writes it, at a tenth of what the schema costs; the rest is the schema's to judge. */
function plainId(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
}

/** @NOTE not `{ [name]: value }`, which V8 makes by its slow way (1.5 µs). */
function withParam(name: string, value: number): ReadInput {
  const params: Record<string, number> = {}
  params[name] = value
  return { params }
}

/** v1 takes the first of a repeated parameter, and an empty one as absent. */
function firstOfEach(names: string[], query: Record<string, unknown>) {
  const read: Record<string, unknown> = {}
  for (const name of names) {
    const value = query[name]
    read[name] = (Array.isArray(value) ? value[0] : value) || undefined
  }
  return read
}

/** v1 takes `null` for `{}`, and no other value than an object. */
function readJson(text: unknown): object {
  let json: unknown
  try {
    json = JSON.parse(text as string) ?? {}
  } catch {
    throw inputErrors.unreadable()
  }
  if (typeof json !== 'object' || Array.isArray(json)) throw inputErrors.unreadable()
  return json as object
}

/**
 * v1 takes a field that is null as absent (unless null is a value of it), and a name in any letter case; at any depth that
 * the schema knows. Names that it does not know are dropped here, so that none of them (`__proto__`) ever becomes a member.
 */
function normaliserOf(schema: z.ZodType): Normalise {
  if (schema instanceof z.ZodObject) return objectNormaliser(schema)
  if (schema instanceof z.ZodArray) {
    const normalise = normaliserOf(schema.element as z.ZodType)
    return (value) => (Array.isArray(value) ? value.map(normalise) : value)
  }
  const { innerType } = schema.def as { innerType?: z.ZodType } // of optional, nullable, default and their like
  return innerType ? normaliserOf(innerType) : (value) => value
}

function objectNormaliser({ shape }: z.ZodObject): Normalise {
  const fields = new Map(
    Object.entries<any>(shape).map(
      ([name, field]: [string, z.ZodType]) =>
        [name.toLowerCase(), { name, takesNull: field.isNullable(), normalise: normaliserOf(field) }] as const,
    ),
  )
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    const read: Record<string, unknown> = {}
    for (const [name, member] of Object.entries(value)) {
      const field = fields.get(name) ?? fields.get(name.toLowerCase())
      if (field && (member !== null || field.takesNull)) read[field.name] = field.normalise(member)
    }
    return read
  }
}

/** A value that is missing is wrong; one of another type, or beyond all integers, is not even readable. */
function isUnreadable(issue: z.core.$ZodIssue, given: object): boolean {
  const value = issue.path.reduce((node: any, key) => node?.[key], given)
  if (value === undefined || value === null) return false
  if (issue.code === 'invalid_value') return !issue.values.some((allowed) => typeof allowed === typeof value)
  if (issue.code === 'invalid_union') {
    return (
      issue.errors.length > 0 &&
      issue.errors.every((inner) => inner.some((one) => isUnreadable({ ...one, path: [...issue.path, ...one.path] }, given)))
    )
  }
  return issue.code === 'invalid_type' || ('origin' in issue && issue.origin === 'int')
}
