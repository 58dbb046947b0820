import { createTRPCClient, httpBatchLink, httpLink, httpSubscriptionLink, type TRPCClientError } from '@trpc/client'
import { EventSource } from 'eventsource'
import { afterEach, beforeEach, expect, it } from 'vitest'
import * as z from 'zod'
import { authenticateById, openSurface } from '../../test/http-surface.ts'
import { DomainError } from '../core/errors.ts'
import { DatabaseUnavailable } from '../ports/database.ts'
import { limitErrors } from '../ports/rate-limiter.ts'
import { admin, authed, open, router } from '../rpc/procedures.ts'
import { bodyBytesMax } from './http.ts'

let asked = 0
let stopped = 0
const ofTest = router({
  hello: open.query(() => 'world'),
  who: authed.query(({ ctx }) => ctx.viewer),
  perhaps: open.query(async ({ ctx }) => (await ctx.optionalViewer())?.id ?? null),
  boss: admin.query(() => 'boss'),
  client: open.query(({ ctx }) => ({ ...ctx.client })),
  write: open.input(z.object({ text: z.string().max(5) })).mutation(({ input }) => input.text),
  taken: open.mutation(() => {
    throw new DomainError('conflict', 'test.taken', 'taken')
  }),
  limited: open.query(() => {
    throw limitErrors.exceeded({ retryAfterMs: 4_200 })
  }),
  away: open.query(() => {
    throw new DatabaseUnavailable(new Error('connect ECONNREFUSED 10.0.0.1'))
  }),
  crash: open.query(() => {
    throw new Error('password=hunter2')
  }),
  ticks: open.subscription(async function* ({ signal }) {
    try {
      yield 1
      await new Promise((resolve) => signal!.addEventListener('abort', resolve))
    } finally {
      stopped++
    }
  }),
})

let surface: Awaited<ReturnType<typeof openSurface>>
let url: string
beforeEach(async () => {
  asked = stopped = 0
  surface = await openSurface({ router: ofTest, authenticate: async (token) => (asked++, authenticateById(token)) })
  url = `${await surface.listen({ host: '127.0.0.1', port: 0 })}/trpc`
})
afterEach(() => surface.close())

const client = (token?: string, link = httpBatchLink) =>
  createTRPCClient<typeof ofTest>({ links: [link({ url, headers: token ? { authorization: `Bearer ${token}` } : {} })] })
const failed = (call: Promise<unknown>): Promise<TRPCClientError<typeof ofTest>> =>
  call.then(
    () => {
      throw new Error('did not fail')
    },
    (error) => error,
  )
const json = (answer: Response): Promise<any> => answer.json()
const post = (body: string, headers: Record<string, string> = {}) =>
  fetch(`${url}/write`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

it('looks the viewer up once for a batch, and never for what is open', async () => {
  const api = client('7')
  expect(await Promise.all([api.who.query(), api.who.query(), api.hello.query()])).toEqual([
    { id: 7, role: 'user', sessionId: 's7' },
    { id: 7, role: 'user', sessionId: 's7' },
    'world',
  ])
  expect(asked).toBe(1)
  await client('broken').hello.query()
  expect(asked).toBe(1)
})

it('takes a broken token for nobody where the viewer is optional', async () => {
  expect([await client('7').perhaps.query(), await client('broken').perhaps.query(), await client().perhaps.query()]).toEqual([
    7,
    null,
    null,
  ])
})

it('knows who calls', async () => {
  expect(await client().client.query()).toEqual({ address: '127.0.0.1', device: 'node' })
})

it.each([httpLink, httpBatchLink])('tells a client what went wrong by a code, with the id of the request: %o', async (link) => {
  const error = await failed(client(undefined, link as typeof httpBatchLink).write.mutate({ text: 'too long' }))
  expect([error.message, error.data]).toEqual([
    'validation failed',
    {
      code: 'BAD_REQUEST',
      httpStatus: 400,
      path: 'write',
      reason: 'input.invalid',
      errors: [{ path: 'text', message: expect.any(String) }],
      requestId: expect.stringMatching(/^[\w-]{20}$/),
    },
  ])
  expect((await failed(client().who.query())).data).toMatchObject({ httpStatus: 401, reason: 'auth.unauthenticated' })
  expect((await failed(client('7').boss.query())).data).toMatchObject({ httpStatus: 403, reason: 'auth.forbidden' })
  expect(await client('7:admin').boss.query()).toBe('boss')
})

it('says when to come back', async () => {
  for (const [path, status, seconds, reason] of [
    ['limited', 429, '5', 'limit.exceeded'],
    ['away', 503, '1', 'unavailable'],
    ['limited,away?batch=1', 207, '5', undefined],
  ] as const) {
    const answer = await fetch(`${url}/${path}`)
    expect([answer.status, answer.headers.get('retry-after')], path).toEqual([status, seconds])
    if (reason) expect((await json(answer)).error).toMatchObject({ data: { reason } })
  }
})

it('says nothing of a crash to the client, and all of it to the log, once', async () => {
  const error = await failed(client().crash.query())
  expect([error.message, JSON.stringify(error.data)]).toEqual(['internal error', expect.not.stringMatching(/hunter2|stack/)])
  expect(surface.lines.filter(({ level }) => level === 'error')).toEqual([
    expect.objectContaining({
      msg: 'request failed',
      request_id: error.data!.requestId,
      err: expect.objectContaining({ stack: expect.any(String) }),
    }),
  ])
})

it('refuses a body that is too large in the form that its clients read', async () => {
  const answer = await post(JSON.stringify({ text: 'x'.repeat(bodyBytesMax) }))
  const { error } = await json(answer)
  expect([answer.status, error]).toEqual([
    413,
    {
      message: 'request too large',
      code: -32013,
      data: { code: 'PAYLOAD_TOO_LARGE', httpStatus: 413, reason: 'http.body_too_large', requestId: expect.any(String) },
    },
  ])
  const form = new FormData()
  form.set('file', new Blob(['x'.repeat(bodyBytesMax + 1)]))
  expect((await fetch(`${url}/write`, { method: 'POST', body: form })).status).toBe(413)
  const error2 = await failed(client().write.mutate({ text: 'x'.repeat(bodyBytesMax) }))
  expect(error2.data).toMatchObject({ reason: 'http.body_too_large' })
  expect(surface.lines.filter(({ level }) => level === 'error')).toEqual([])
})

it('may be sent JSON 10,000 deep, and worse, and goes on', async () => {
  const deep = '['.repeat(250_000) + ']'.repeat(250_000)
  for (const [body, message] of [
    [deep, 'validation failed'],
    [`{"text":${deep}}`, 'validation failed'],
    ['{"text":'.repeat(100_000), 'invalid input'],
    ['{', 'invalid input'],
    ['', 'validation failed'],
    ['null', 'validation failed'],
  ]) {
    const answer = await post(body!)
    expect([answer.status, (await json(answer)).error.message]).toEqual([400, message])
  }
  const asInput = await fetch(`${url}/write?input=${'['.repeat(5000)}`)
  expect(asInput.status).toBe(405)
  expect((await post('{"text":"a","__proto__":{"x":1},"constructor":1}')).status).toBe(200)
  expect(surface.lines.filter(({ level }) => level === 'error')).toEqual([])
})

it('takes no larger batch than it says', async () => {
  const answer = await fetch(`${url}/${Array(51).fill('hello').join(',')}?batch=1`)
  expect([answer.status, (await json(answer)).error.data.reason]).toEqual([400, 'rpc.bad_request'])
  expect((await fetch(`${url}/${Array(50).fill('hello').join(',')}?batch=1`)).status).toBe(200)
})

it('is labelled by procedures that exist, and by nothing that a client may choose', async () => {
  for (const path of ['hello', 'nobody', 'constructor', 'hello,hello?batch=1', 'a%2Fb']) await (await fetch(`${url}/${path}`)).text()
  expect(surface.lines.filter(({ msg }) => msg === 'request').map(({ route }) => route)).toEqual([
    '/trpc/hello',
    '/trpc/{unknown}',
    '/trpc/{unknown}',
    '/trpc/{batch}',
    '/trpc/{unknown}',
  ])
})

it('ends its streams when the server closes, and lets their procedures know', async () => {
  const api = createTRPCClient<typeof ofTest>({ links: [httpSubscriptionLink({ url, EventSource })] })
  const states: string[] = []
  const first = Promise.withResolvers<void>()
  const subscription = api.ticks.subscribe(undefined, {
    onData: () => first.resolve(),
    onConnectionStateChange: ({ state }) => states.push(state),
  })
  await first.promise
  const startMs = performance.now()
  await surface.close()
  expect(performance.now() - startMs).toBeLessThan(2_000)
  await expect.poll(() => stopped).toBe(1)
  await expect.poll(() => states.at(-1)).toBe('connecting') // it tries again by itself
  subscription.unsubscribe()
})
