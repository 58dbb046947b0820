import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, httpSubscriptionLink } from '@trpc/client'
import { initTRPC, tracked } from '@trpc/server'
import { fastifyTRPCPlugin, type FastifyHandlerOptions } from '@trpc/server/adapters/fastify'
import { setImmediate } from 'node:timers/promises'
import { EventSource } from 'eventsource'
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest, type InjectOptions } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { DomainError } from '../core/errors.ts'
import { viewerErrors } from '../core/viewer.ts'
import { authed, open, router, type Context } from '../rpc/procedures.ts'
import { mountTrpc } from './trpc.ts'

let calls = 0
const testRouter = router({
  hello: open.query(() => (calls++, { hello: 'world', missing: undefined, none: null })),
  echo: open.input(z.object({ text: z.string().max(5), count: z.int().default(1) })).query(({ input }) => input),
  nothing: open.query(() => {}),
  add: open.input(z.object({ a: z.number(), b: z.number() })).mutation(({ input }) => (calls++, input.a + input.b)),
  reset: open.mutation(() => {}),
  gone: open.query(() => {
    throw new DomainError('not_found', 'test.gone', 'gone')
  }),
  clash: open.mutation(() => {
    throw new DomainError('conflict', 'test.clash', 'clash')
  }),
  crash: open.query(() => {
    throw new Error('password=hunter2')
  }),
  secret: authed.query(({ ctx }) => ctx.viewer),
  deep: router({ er: open.query(() => 'deep') }),
  layered: open
    .meta({ note: 'm' } as never)
    .use(({ next, ctx, meta }) => next({ ctx: { ...ctx, meta } }))
    .input(z.object({ a: z.number() }))
    .input(z.object({ b: z.number() }))
    .use(async ({ next, input, getRawInput }) => next({ ctx: { sum: input.a + input.b, raw: await getRawInput() } }))
    .query(({ ctx, input }) => [ctx.sum, ctx.raw, ctx.meta, input]),
  silent: open.use((async () => {}) as never).query(() => 'never'),
  own: open
    .errors(({ shape }) => ({ ...shape, message: 'own words' }))
    .query(() => {
      throw new Error('password=hunter2')
    }),
  upload: open.input(z.instanceof(FormData)).mutation(({ input }) => [...input.keys()]),
  ticks: open.subscription(async function* () {
    yield 1
    yield 2
  }),
  tracked: open.input(z.object({ lastEventId: z.string() }).optional()).subscription(async function* ({ input }) {
    if (input?.lastEventId === '7') yield 'before any id of its own'
    yield tracked('1', { after: input?.lastEventId ?? null })
    yield tracked('2', 'b')
    yield 'untracked'
    yield tracked('3', 'c')
  }),
  breaks: open.subscription(async function* () {
    yield 1
    throw new DomainError('conflict', 'test.clash', 'clash')
  }),
  bursts: open.subscription(async function* () {
    yield* []
    throw new Error('password=hunter2')
  }),
  comesBack: open.subscription(async function* () {
    yield 1
    throw new DOMException('over', 'AbortError')
  }),
  mine: authed.subscription(async function* () {
    yield 1
  }),
})

type Options = FastifyHandlerOptions<typeof testRouter, FastifyRequest, FastifyReply>
const servers: FastifyInstance[] = []
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close()
})

/** One server as we mount it, one as tRPC does; `heard` is what their hooks were told. */
function bothServers(options: Partial<Options> = {}) {
  return [
    mountTrpc as (scope: FastifyInstance, trpcOptions: any) => void,
    (scope: FastifyInstance, trpcOptions: any) => void scope.register(fastifyTRPCPlugin, { trpcOptions }),
  ].map((mount) => {
    const heard: { short: boolean[]; errors: unknown[] } = { short: [], errors: [] }
    const server = Fastify({ routerOptions: { maxParamLength: 4096 }, forceCloseConnections: true })
    server.addHook('onSend', async () => {
      await setImmediate()
    }) // with it an answer is under way for a while before it counts as sent
    server.register(
      async (scope) =>
        mount(scope, {
          router: testRouter,
          createContext: ({ req, info }): Context => {
            heard.short.push(info.url === null)
            if (req.headers['x-no-context']) throw new Error('no context')
            const viewer = async () => {
              if (req.headers.authorization) return { id: 7, role: 'user' as const, sessionId: 's' }
              throw viewerErrors.unauthenticated()
            }
            return { viewer, optionalViewer: async () => null, client: { address: '', device: '' }, requestId: 'r1' }
          },
          onError: ({ error, path, type, ctx, req }) =>
            heard.errors.push([error.code, error.message, path, type, ctx !== undefined, req.url]),
          ...options,
        } satisfies Options),
      { prefix: '/rpc' },
    )
    servers.push(server)
    return { server, heard }
  })
}

async function listening() {
  const { server, heard } = bothServers()[0]!
  return { heard, url: `${await server.listen({ port: 0, host: '127.0.0.1' })}/rpc` }
}

async function compare(request: InjectOptions, options: Partial<Options> = {}) {
  const [ours, theirs] = await Promise.all(
    bothServers(options).map(async ({ server, heard }) => {
      const { statusCode, headers, body } = await server.inject(request)
      const { date, 'content-length': _length, connection, 'keep-alive': _alive, 'transfer-encoding': _encoding, ...kept } = headers // what frames a message is Node's
      return { answer: { statusCode, headers: kept, body }, errors: heard.errors, short: heard.short }
    }),
  )
  expect(ours!.answer).toEqual(theirs!.answer) // the body is text here: equal byte for byte
  expect(ours!.errors).toEqual(theirs!.errors)
  expect(ours!.short.length).toBe(theirs!.short.length)
  const { body } = ours!.answer
  return { ...ours!.answer, body: body && JSON.parse(body), short: ours!.short.includes(true) }
}

const get = (path: string, input?: unknown, headers = {}): InjectOptions => ({
  url: `/rpc/${path}`,
  query: input === undefined ? {} : { input: typeof input === 'string' ? input : JSON.stringify(input) },
  headers,
})
const batch = (paths: string, input?: unknown, headers = {}): InjectOptions => ({
  url: `/rpc/${paths}`,
  query: { batch: '1', ...(input !== undefined && { input: JSON.stringify(input) }) },
  headers,
})
const post = (path: string, body?: unknown, headers = {}): InjectOptions => ({
  method: 'POST',
  url: `/rpc/${path}`,
  headers: { 'content-type': 'application/json', ...headers },
  ...(body !== undefined && { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
})

describe('the short way answers as the adapter does', () => {
  it.each<[string, number, InjectOptions]>([
    ['a query', 200, get('hello')],
    ['a query with input', 200, get('echo', { text: 'a b+c' })],
    ['a query with an empty input', 200, { url: '/rpc/hello?input=' }],
    ['a query with a content type', 200, get('hello', undefined, { 'content-type': 'application/json' })],
    ['a query without result', 200, get('nothing')],
    ['a nested query', 200, get('deep.er')],
    ['a mutation', 200, post('add', { a: 1, b: 2 })],
    ['a mutation without body', 200, post('reset')],
    ['a mutation on null', 400, post('add', 'null')],
    ['a domain error', 404, get('gone')],
    ['a domain error of a mutation', 409, post('clash', {})],
    ['an input that zod refuses', 400, get('echo', { text: 'too long' })],
    ['a missing input', 400, get('echo')],
    ['a crash', 500, get('crash')],
    ['middlewares that hand things on', 200, get('layered', { a: 1, b: 2 })],
    ['middlewares of which one refuses', 400, get('layered', { a: 1 })],
    ['a middleware that says nothing', 500, get('silent')],
    ['an error in words of its own', 500, get('own')],
    ['a missing viewer', 401, get('secret')],
    ['a viewer', 200, get('secret', undefined, { authorization: 'x' })],
    ['a context that cannot be made', 500, get('hello', undefined, { 'x-no-context': '1' })],
    ['a batch of one', 200, batch('hello')],
    ['a batch', 200, batch('hello,echo,hello', { 1: { text: 'x' } })],
    ['a batch with mixed results', 207, batch('hello,gone,echo,crash', { 2: { text: 'too long' } })],
    ['a batch of equal errors', 404, batch('gone,gone')],
    ['a batch of mutations', 207, { ...post('add,clash,add?batch=1', { 0: { a: 1, b: 2 }, 2: { a: 3, b: 4 } }) }],
    ['a batch without a context', 500, batch('hello,hello', undefined, { 'x-no-context': '1' })],
  ])('%s', async (_name, statusCode, request) => {
    expect(await compare(request)).toMatchObject({ statusCode, short: true, headers: { 'content-type': 'application/json' } })
  })

  it('a batch and an error with the headers and the status that responseMeta asks for', async () => {
    const responseMeta: Options['responseMeta'] = ({ data, errors, paths, type, info, eagerGeneration }) => ({
      status: errors.length > 0 ? 418 : 203,
      headers: new Headers([
        ['x-seen', [data.length, errors.length, paths, type, info?.calls.length, eagerGeneration].join()],
        ['set-cookie', 'a=1'],
        ['set-cookie', 'b=2'],
      ]),
    })
    expect(await compare(batch('hello,gone'), { responseMeta })).toMatchObject({
      statusCode: 418,
      headers: { 'x-seen': '2,1,hello,gone,query,2,false' },
      short: true,
    })
    expect(await compare(get('hello'), { responseMeta: () => ({ headers: { 'cache-control': 'max-age=1' } }) })).toMatchObject({
      headers: { 'cache-control': 'max-age=1' },
      short: true,
    })
  })
})

describe('subscriptions go out as the adapter sends them', () => {
  const withoutRetry = (body: string) => body.replace(/^retry: \d+\n\n/, '') // ours alone says when to come back
  async function compareEvents(request: InjectOptions, options: Partial<Options> = {}) {
    const [ours, theirs] = await Promise.all(
      bothServers(options).map(async ({ server, heard }) => {
        const { statusCode, headers, body } = await server.inject(request)
        return {
          statusCode,
          body: withoutRetry(body),
          type: headers['content-type'],
          caching: headers['cache-control'],
          vary: headers.vary,
          errors: heard.errors.slice(0, 1),
          short: heard.short,
        }
      }),
    )
    expect({ ...ours, short: [] }).toEqual({ ...theirs, short: [] })
    expect([ours!.short, theirs!.short]).toEqual([[true], [false]])
    return ours!
  }

  it.each<[string, number, InjectOptions]>([
    ['values', 4, get('ticks')],
    ['values with ids, and some without', 7, get('tracked')],
    ['what goes on after an id in the header', 7, get('tracked', undefined, { 'last-event-id': '5' })],
    ['what goes on after an id in the input', 7, get('tracked', { lastEventId: '6' })],
    ['what goes on after an id in the URL', 9, { url: '/rpc/tracked?lastEventId=7' }],
    ['a failure in the middle', 3, get('breaks')],
    ['a crash, without its cause', 2, get('bursts')],
    ['an end for the client to come back', 2, get('comesBack')],
    ['a refusal', 2, get('mine')],
    ['an input that zod refuses', 2, get('tracked', { lastEventId: 5 })],
    ['a context that cannot be made', 2, get('ticks', undefined, { 'x-no-context': '1' })],
  ])('%s', async (_name, frames, request) => {
    const { body, statusCode } = await compareEvents(request)
    expect(body).not.toContain('hunter2')
    expect([statusCode, body.split('\n\n\n').length - 1]).toEqual([200, frames])
  })

  it('and the adapter sends those that are asked for in another way', async () => {
    for (const request of [
      batch('ticks'),
      get('ticks', '{'),
      { url: '/rpc/ticks?connectionParams={}' },
      { ...get('ticks'), method: 'HEAD' as const },
    ]) {
      const [ours, theirs] = await Promise.all(bothServers().map(async ({ server }) => await server.inject(request)))
      expect([ours!.statusCode, ours!.body]).toEqual([theirs!.statusCode, theirs!.body])
    }
  })

  it('to tRPC’s client', async () => {
    const { url, heard } = await listening()
    const live = createTRPCClient<typeof testRouter>({ links: [httpSubscriptionLink({ url, EventSource })] })
    const got: unknown[] = []
    await new Promise<void>((resolve, reject) =>
      live.tracked.subscribe(undefined, { onData: (data) => void got.push(data), onComplete: resolve, onError: reject }),
    )
    expect(got).toEqual([{ id: '1', data: { after: null } }, { id: '2', data: 'b' }, 'untracked', { id: '3', data: 'c' }])
    expect(heard.short).toEqual([true])
  })
})

it('goes the short way for a router with a transformer, too', async () => {
  const t = initTRPC.create({
    isDev: false,
    transformer: { serialize: (data: unknown) => ({ packed: data }), deserialize: ({ packed }: { packed: unknown }) => packed },
  })
  const packed = { router: t.router({ echo: t.procedure.input(z.string().optional()).query(({ input }) => input) }) as never }
  expect(await compare(get('echo', { packed: 'a' }), packed)).toMatchObject({ body: { result: { data: { packed: 'a' } } }, short: true })
  expect(await compare(batch('echo,echo,echo', { 0: { packed: 'a' }, 1: { packed: 1 } }), packed)).toMatchObject({
    statusCode: 207,
    short: true,
  })
  expect(await compare(get('echo', 'null'), packed)).toMatchObject({ statusCode: 400, short: false })
})

describe('the adapter gets, and answers, all else', () => {
  it.each<[string, number, InjectOptions, Partial<Options>?]>([
    ['an unknown path', 404, get('nobody')],
    ['a path that every object has', 404, get('constructor')],
    ['an unknown path in a batch', 207, batch('hello,nobody')],
    ['a query by POST', 405, post('hello')],
    ['a mutation by GET', 405, get('add', { a: 1, b: 2 })],
    ['queries and mutations in one batch', 400, batch('hello,add')],
    ['another method', 405, { method: 'PUT', url: '/rpc/hello', headers: { 'content-type': 'application/json' }, payload: '{}' }],
    ['HEAD', 204, { method: 'HEAD', url: '/rpc/hello' }],
    ['bad JSON in the URL', 400, get('echo', '{')],
    ['bad JSON in the body', 400, post('add', '{')],
    ['bad JSON for a procedure without input', 200, get('hello', '{')],
    ['a batch whose input is a list', 207, batch('hello,echo', [1])],
    ['a batch whose input is null', 207, batch('hello,echo', null)],
    ['the same input twice', 200, { url: '/rpc/echo?input={"text":"1"}&input={"text":"2"}' }],
    ['an input in two halves', 400, { url: '/rpc/echo?input=[1&input=2]' }],
    ['a switch that is not 1', 200, { url: '/rpc/hello?batch=0' }],
    ['a broken escape in the path', 400, get('%25zz')],
    ['no content type', 415, { method: 'POST', url: '/rpc/add' }],
    ['another content type', 415, post('add', { a: 1, b: 2 }, { 'content-type': 'text/plain' })],
    ['a content type with a parameter', 200, post('add', { a: 1, b: 2 }, { 'content-type': 'application/json; charset=utf-8' })],
    ['a batch that is too large', 400, batch('hello,hello,hello'), { maxBatchSize: 2 }],
    ['a batch where none is allowed', 400, batch('hello,hello'), { allowBatching: false }],
    ['a query by POST where that is allowed', 200, post('echo', { text: 'x' }), { allowMethodOverride: true }],
  ])('%s', async (_name, statusCode, request, options) => {
    expect(await compare(request, options)).toMatchObject({ statusCode, short: false })
  })

  it('forms, and batched streams', async () => {
    const { url, heard } = await listening()
    const form = new FormData()
    form.set('file', '1')
    expect(await (await fetch(`${url}/upload`, { method: 'POST', body: form })).json()).toEqual({ result: { data: ['file'] } })
    const streamed = createTRPCClient<typeof testRouter>({ links: [httpBatchStreamLink({ url })] })
    expect(await Promise.all([streamed.deep.er.query(), streamed.echo.query({ text: 'x' })])).toEqual(['deep', { text: 'x', count: 1 }])
    expect(heard.short).not.toContain(true)
  })
})

it('is the way that the links of the SDK take', async () => {
  const { url, heard } = await listening()
  for (const link of [httpLink({ url }), httpBatchLink({ url })]) {
    const client = createTRPCClient<typeof testRouter>({ links: [link] })
    expect(await Promise.all([client.deep.er.query(), client.add.mutate({ a: 1, b: 2 })])).toEqual(['deep', 3])
    await expect(client.gone.query()).rejects.toMatchObject({ message: 'gone', data: { reason: 'test.gone' } })
  }
  expect(heard.short).toEqual(Array(6).fill(true))
})

it('calls a procedure once', async () => {
  const { server } = bothServers()[0]!
  calls = 0
  await server.inject(batch('hello,hello'))
  await server.inject(post('add', { a: 1, b: 2 }))
  expect(calls).toBe(3)
})

it('tells a procedure when the client has gone', async () => {
  const started = Promise.withResolvers<AbortSignal>()
  const waiting = router({
    wait: open.query(
      ({ signal }) =>
        new Promise((resolve) => {
          started.resolve(signal!)
          signal!.addEventListener('abort', resolve)
        }),
    ),
  })
  const server = Fastify({ forceCloseConnections: true })
  servers.push(server)
  server.register(async (scope) => mountTrpc(scope, { router: waiting, createContext: () => ({}) }))
  const url = await server.listen({ port: 0, host: '127.0.0.1' })
  const leave = new AbortController()
  fetch(`${url}/wait`, { signal: leave.signal }).catch(() => {})
  const signal = await started.promise
  expect(signal.aborted).toBe(false)
  leave.abort()
  await expect.poll(() => signal.aborted).toBe(true)
})
