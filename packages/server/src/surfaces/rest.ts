import { Readable } from 'node:stream'
import fastJson from 'fast-json-stringify'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import * as z from 'zod'
import type { Client } from '../core/client.ts'
import { hasRole, viewerErrors } from '../core/viewer.ts'
import { inputReader, type ReadInput } from '../rest/input.ts'
import type { Route, SentEvent } from '../rest/route.ts'
import { clientOf } from './client.ts'
import { escapeForHtml, finishJson, jsonType, successOf } from './envelope.ts'
import { sendEvents, type Streaming } from './sse.ts'
import type { Viewers } from './viewers.ts'

/** Serves the routes under the server's prefix. v1 looks at the path and method, then the token, then the input, then the rest. */
export function mountRest(server: FastifyInstance, routes: Route[], viewers: Viewers, streaming: Streaming = {}): void {
  server.removeAllContentTypeParsers()
  server.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body))
  for (const route of routes) {
    const { method, path, root, status = 200, handle } = route
    const read = inputReader(route)
    const write = writerOf(route)
    const onRequest = onRequestOf(route, viewers)
    // @NOTE no async function: each promise that it would add is a tenth of what serving a cached row takes.
    const handler = route.open
      ? eventHandler(route, streaming)
      : route.lines
        ? lineHandler(route, read)
        : (request: FastifyRequest, reply: FastifyReply): void => {
            const refuse = (error: unknown) => void reply.send(error)
            handle(new RouteInput(request, read(request))).then((data) => {
              try {
                reply.code(status).type(jsonType)
                if (status === 204) reply.send()
                else reply.serializer(write).send({ status, data })
              } catch (error) {
                refuse(error)
              }
            }, refuse)
          }
    for (const ending of root ? ['', '/'] : ['']) {
      server.route({
        method,
        url: path.replaceAll(/\{(\w+)\}/g, ':$1') + ending,
        config: { pattern: server.prefix + path },
        ...(onRequest && { onRequest }),
        handler,
      })
    }
  }
}

/** Refuses in the envelope, as every route does, until the stream is open. */
function eventHandler({ events = {}, open }: Route, streaming: Streaming) {
  const writers = new Map(Object.entries(events).map(([name, schema]) => [name, jsonWriter(schema)]))
  return (request: FastifyRequest, reply: FastifyReply): void => {
    const lastEventId = request.headers['last-event-id']
    sendEvents(reply, streaming, async (signal) => {
      const sent = await open!({ viewer: request.viewer, lastEventId: typeof lastEventId === 'string' ? lastEventId : undefined, signal })
      return frames(sent, writers)
    })
  }
}

async function* frames(sent: AsyncIterable<SentEvent>, writers: Map<string, (data: unknown) => string>): AsyncGenerator<string, void> {
  for await (const { id, event, data } of sent) yield `event: ${event}\nid: ${id}\ndata: ${escapeForHtml(writers.get(event)!(data))}\n\n`
}

/** @NOTE the first line is waited for: what the look for it says is still an answer in the envelope. */
function lineHandler({ line, lines }: Route, read: ReturnType<typeof inputReader>) {
  const write = jsonWriter(line!)
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const source = lines!(new RouteInput(request, read(request)) as never)[Symbol.asyncIterator]()
    const first = await source.next()
    async function* text(): AsyncGenerator<string, void> {
      for (let next = first; !next.done; next = await source.next()) yield `${write(next.value)}\n`
    }
    return reply.type('application/x-ndjson').send(Readable.from(text(), { objectMode: false, highWaterMark: 65_536 }))
  }
}

/** What a handler gets. @NOTE a class for its getter: most routes never ask for the client, and a closure a request costs more than this. */
class RouteInput {
  readonly viewer
  readonly params
  readonly query
  readonly body
  readonly #request

  constructor(request: FastifyRequest, { params, query, body }: ReadInput) {
    this.viewer = request.viewer
    this.params = params
    this.query = query
    this.body = body
    this.#request = request
  }

  get client(): Client {
    return clientOf(this.#request)
  }
}

/** Compiled once, faster than JSON.stringify; a member that the reply's schema lacks never leaves. */
function writerOf(route: Route): (answer: unknown) => string {
  const stringify = jsonWriter(successOf(route))
  return (answer) => finishJson(stringify(answer))
}

function jsonWriter(schema: z.ZodType): (value: unknown) => string {
  return fastJson(z.toJSONSchema(schema, { target: 'draft-7', io: 'input' }) as fastJson.Schema)
}

/** @NOTE comes before the body is read: who may not enter is not waited for. */
function onRequestOf({ method, path, auth, role }: Route, viewers: Viewers): onRequestHookHandler | undefined {
  const parameters = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!)
  if (auth === 'open' && method === 'GET' && parameters.length === 0) return // nothing to do, at no cost
  return (request, reply, done) => {
    const { headers } = request.raw
    if (method !== 'GET') headers['content-type'] = undefined // v1 never looks at it: every body is JSON
    for (const name of parameters) if ((request.params as Record<string, string>)[name] === '') return reply.callNotFound()
    if (auth === 'open' || (auth === 'optional' && !headers.authorization)) return done()
    viewers[auth as 'optional' | 'required'](request).then(
      (viewer) => (role && !hasRole(viewer!.role, role) ? done(viewerErrors.forbidden()) : done()),
      done,
    )
  }
}
