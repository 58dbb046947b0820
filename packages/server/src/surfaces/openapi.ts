import * as z from 'zod'
import type { DomainError } from '../core/errors.ts'
import { inputErrors } from '../core/input.ts'
import { viewerErrors } from '../core/viewer.ts'
import { limitErrors } from '../ports/rate-limiter.ts'
import type { Route } from '../rest/route.ts'
import { httpStatusOf } from '../rpc/error-kinds.ts'
import { failure, internalFailure, loadErrors, successOf, type Failure } from './envelope.ts'

interface Context {
  schemas: Record<string, object>
}

/** Describes the routes by the same definitions that serve them. */
export function openApi(routes: Route[], prefix: string, { version, basePath = '' }: { version: string; basePath?: string }): object {
  const context: Context = { schemas: {} }
  const paths: Record<string, Record<string, object>> = {}
  for (const route of routes) (paths[prefix + route.path] ??= {})[route.method.toLowerCase()] = operation(route, context)
  const failed = jsonSchema(failure, 'input', context)
  return {
    openapi: '3.1.0',
    info: {
      title: 'Pinstack REST API',
      version,
      description:
        'Answers are `{"status": …, "data": …}`, failures `{"status": …, "message": …, "code": …, "request_id": …}`. Programs go by `code`, which is stable.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: basePath || '/' }],
    tags: [...new Set(routes.map(tagOf))].map((name) => ({ name })),
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT', description: 'The `access_token` of a login.' } },
      schemas: { ...context.schemas, Failure: failed },
      headers: { RetryAfter: { description: 'Seconds after which trying again makes sense.', schema: { type: 'integer', minimum: 1 } } },
    },
  }
}

function operation(route: Route, context: Context): object {
  const { name, auth, params, query, body, status = 200, summary, description } = route
  return {
    operationId: name,
    tags: [tagOf(route)],
    ...(summary && { summary }),
    ...(description && { description }),
    ...(auth === 'required' && { security: [{ bearer: [] }] }),
    ...(auth === 'optional' && { security: [{}, { bearer: [] }] }),
    parameters: [
      ...parameters('path', params, context),
      ...parameters('query', query, context),
      ...(route.events
        ? [
            {
              in: 'header',
              name: 'Last-Event-ID',
              required: false,
              description: 'The `id` that came last, to go on after it.',
              schema: { type: 'string' },
            },
          ]
        : []),
    ],
    ...(body && { requestBody: { required: true, ...json(jsonSchema(body, 'input', context)) } }),
    responses: {
      [status]: route.events
        ? eventStream(route.events, context)
        : route.line
          ? lineStream(route.line, context)
          : { description: 'Done.', ...(status !== 204 && json(jsonSchema(successOf(route), 'input', context))) },
      ...failures(route),
    },
  }
}

function eventStream(events: Record<string, z.ZodObject>, context: Context): object {
  const lines = Object.entries(events).map(([name, schema]) => {
    const { $ref = '', description = '' } = { ...(jsonSchema(z.object({ data: schema }), 'input', context) as any).properties.data }
    return `\`${name}\`${$ref && ` with a ${$ref.slice($ref.lastIndexOf('/') + 1)}`}${description && `: ${description}`}`
  })
  return {
    description: `Server-sent events (HTML standard, 9.2), the data of each is JSON:  \n${lines.join('  \n')}`,
    content: { 'text/event-stream': { schema: { type: 'string' } } },
  }
}

function lineStream(line: z.ZodObject, context: Context): object {
  return {
    description: 'JSON lines: each line is one of these.',
    content: { 'application/x-ndjson': { schema: jsonSchema(line, 'input', context) } },
  }
}

function tagOf({ name }: Route): string {
  return name.split('.', 1)[0]!
}

function parameters(place: 'path' | 'query', schema: z.ZodObject | undefined, context: Context): object[] {
  return Object.entries<z.ZodType>(schema?.shape ?? {}).map(([name, field]) => ({
    in: place,
    name,
    required: place === 'path' || !field.isOptional(),
    schema: jsonSchema(field, 'output', context),
  })) // what a parameter is read as; as sent they are all strings
}

/** What can go wrong, by status: what the route declares, and what any route of its kind can meet. */
function failures({ auth, role, params, query, body, errors = [] }: Route): Record<string, object> {
  const everywhere: Failure[] = [
    limitErrors.exceeded(),
    ...Object.values(loadErrors)
      .filter((make) => typeof make === 'function')
      .map((make) => make()),
  ].map(toFailure)
  const own = [
    ...(params || query || body ? [inputErrors.unreadable, inputErrors.invalid] : []),
    ...(auth === 'required' ? [viewerErrors.unauthenticated, viewerErrors.invalid_token, viewerErrors.token_expired] : []),
    ...(auth === 'open' ? [] : [viewerErrors.suspended]),
    ...(role ? [viewerErrors.forbidden] : []),
    ...errors,
  ].map((make) => toFailure(make()))
  const byStatus = Map.groupBy([...own, ...everywhere, internalFailure], ({ status }) => status)
  return Object.fromEntries(
    [...byStatus].map(([status, all]) => [
      status,
      {
        description: all.map(({ code, message }) => `\`${code}\`: ${message}`).join('  \n'),
        ...((status === 429 || status === 503) && { headers: { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } } }),
        content: {
          'application/json': {
            schema: { $ref: '#/components/schemas/Failure' },
            examples: Object.fromEntries(all.map((one) => [one.code, { value: exampleOf(one) }])),
          },
        },
      },
    ]),
  )
}

function toFailure(error: DomainError): Failure {
  return { status: httpStatusOf(error.kind), code: error.code, message: error.message }
}

function exampleOf({ status, message, code }: Failure): z.input<typeof failure> {
  const errors = code === 'input.invalid' ? [{ path: 'username', message: 'Expected 3 to 32 characters' }] : undefined
  return { status, message, code, request_id: '5f0c7a52-9f0e-4b9e-9a40-0d3f4f0f8f5b', ...(errors && { errors }) }
}

function json(schema: object): object {
  return { content: { 'application/json': { schema } } }
}

/** Schemas with an `id` (`.meta({ id: 'User' })`) become components, once for all that refer to them. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output', { schemas }: Context): object {
  const { $schema, $defs, ...rest } = z.toJSONSchema(schema, { io })
  const inComponents = (text: object) => JSON.parse(JSON.stringify(text).replaceAll('"#/$defs/', '"#/components/schemas/')) as object
  for (const [name, { id, ...definition }] of Object.entries<any>($defs ?? {})) schemas[name] ??= inComponents(definition)
  return inComponents(rest)
}
