import type * as z from 'zod'
import type { Client } from '../core/client.ts'
import type { DomainError } from '../core/errors.ts'
import type { Role, Viewer } from '../core/viewer.ts'

type Schema = z.ZodObject | undefined
type Read<S extends Schema> = S extends z.ZodObject ? z.output<S> : undefined

/** `open` never reads the token; `optional` knows the viewer of a good one and ignores a bad one; `required` refuses all without one. */
export type RouteAuth = 'open' | 'optional' | 'required'

interface Definition<Auth extends RouteAuth, Params extends Schema, Query extends Schema, Body extends Schema, Reply extends Schema> {
  /** Stable, for generated clients and for metrics: `relation.follow`. What comes before the dot groups routes in the documentation. */
  name: string
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  /** As REST v1 writes it: `/relation/{user_id}/followers`. */
  path: `/${string}`
  /** The root of a collection: it answers with a slash at its end, too. No other route does. */
  root?: true
  /** A token that `required` refuses is refused before anything else of the request is looked at. */
  auth: Auth
  /** Of routes with `required`: who has less than this role is refused with `auth.forbidden` before anything else of the request is looked at. */
  role?: Auth extends 'required' ? Exclude<Role, 'user'> : never
  params?: Params
  query?: Query
  body?: Body
  /** Of the answer when all is well; 200 unless stated. */
  status?: 200 | 201 | 204
  /** The shape of `data`; without it the answer has none. Only its members are sent, whatever the handler returns. */
  reply?: Reply
  /** One line for the documentation. */
  summary?: string
  description?: string
  /** What the handler may throw, as members of error tables. Documents the answers; those that every route can give are added. */
  errors?: readonly (() => DomainError)[]
  handle(input: Input<Auth, Params, Query, Body>): Promise<Reply extends z.ZodObject ? z.input<Reply> : void>
}

/** A line of a stream: what came, under the id from which a client can go on. */
export interface SentEvent {
  id: string
  event: string
  /** Sent as JSON, with the members that the schema of `event` has. */
  data: object
}

interface EventDefinition<Auth extends RouteAuth>
  extends Pick<
    Definition<Auth, undefined, undefined, undefined, undefined>,
    'name' | 'path' | 'auth' | 'summary' | 'description' | 'errors'
  > {
  /** What can come, by name. */
  events: Record<string, z.ZodObject>
  /** Rejects when the stream may not be opened. Once it goes on, its rejection ends the answer: the client comes back and learns why. */
  open(input: { viewer: Input<Auth, undefined, undefined, undefined>['viewer'] } & StreamInput): Promise<AsyncIterable<SentEvent>>
}

export interface StreamInput {
  /** What the client got last, where it comes back. */
  lastEventId: string | undefined
  /** Ends with the connection. */
  signal: AbortSignal
}

/** A GET that answers with server-sent events, for as long as the client listens. */
export function eventRoute<Auth extends RouteAuth>(definition: EventDefinition<Auth>): Route {
  return { ...definition, method: 'GET', handle: async () => {} } as Route
}

interface LineDefinition<Auth extends RouteAuth, Query extends Schema>
  extends Pick<
    Definition<Auth, undefined, Query, undefined, undefined>,
    'name' | 'path' | 'auth' | 'role' | 'query' | 'summary' | 'description' | 'errors'
  > {
  /** The shape of each line. */
  line: z.ZodObject
  /** What fails before the first line is answered in the envelope; afterwards the answer is cut off, so that no client takes it for whole. */
  lines(input: Input<Auth, undefined, Query, undefined>): AsyncIterable<object>
}

/** A GET that answers with JSON lines, as many as there are, and as fast as the client reads. */
export function lineRoute<Auth extends RouteAuth, Query extends Schema = undefined>(definition: LineDefinition<Auth, Query>): Route {
  return { ...definition, method: 'GET', handle: async () => {} } as Route
}

interface Input<Auth extends RouteAuth, Params extends Schema, Query extends Schema, Body extends Schema> {
  viewer: { open: null; optional: Viewer | null; required: Viewer }[Auth]
  client: Client
  params: Read<Params>
  query: Read<Query>
  body: Read<Body>
}

/** A definition whose types have been checked against each other, so that routes of all shapes fit one list. */
export type Route = Definition<any, any, any, any, any> &
  Partial<Pick<EventDefinition<any>, 'events' | 'open'>> &
  Partial<Pick<LineDefinition<any, any>, 'line' | 'lines'>>

export function route<
  Auth extends RouteAuth,
  Params extends Schema = undefined,
  Query extends Schema = undefined,
  Body extends Schema = undefined,
  Reply extends Schema = undefined,
>(definition: Definition<Auth, Params, Query, Body, Reply>): Route {
  return definition
}
