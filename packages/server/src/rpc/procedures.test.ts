import { createTRPCClient, httpSubscriptionLink } from '@trpc/client'
import { TRPCError } from '@trpc/server'
import { createHTTPServer } from '@trpc/server/adapters/standalone'
import { EventSource } from 'eventsource'
import { expect, it } from 'vitest'
import { DomainError } from '../core/errors.ts'
import { viewerErrors } from '../core/viewer.ts'
import { admin, authed, open, router, type Context } from './procedures.ts'

const testRouter = router({
  count: open.subscription(async function* () {
    yield 1
    throw new DomainError('conflict', 'test.gone', 'gone')
  }),
})
const nobody: Context = {
  viewer: async () => {
    throw viewerErrors.unauthenticated()
  },
  optionalViewer: async () => null,
  client: { address: '127.0.0.1', device: 'test' },
  requestId: 'r1',
}

it('reports a domain error that is thrown in the middle of a stream, by its own code', async () => {
  const server = createHTTPServer({ router: testRouter, createContext: () => nobody })
  server.listen(0)
  const { port } = server.address() as { port: number }
  const client = createTRPCClient<typeof testRouter>({ links: [httpSubscriptionLink({ url: `http://127.0.0.1:${port}`, EventSource })] })
  const error = await new Promise<any>((resolve) => {
    const stop = (error: unknown) => {
      subscription.unsubscribe()
      resolve(error)
    }
    const subscription = client.count.subscribe(undefined, {
      onError: stop,
      onConnectionStateChange: (state) => {
        if (state.error) stop(state.error)
      },
    })
  })
  server.close()
  server.closeAllConnections()
  expect(error.data).toMatchObject({ code: 'CONFLICT', httpStatus: 409, reason: 'test.gone' })
})

it('tells the client nothing about a crash', async () => {
  const error = new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'password=hunter2' })
  const shape = { message: error.message, code: -32603, data: { code: 'INTERNAL_SERVER_ERROR', httpStatus: 500 } } as const
  const { message, data } = testRouter._def._config.errorFormatter({
    error,
    shape,
    type: 'query',
    path: 'crash',
    input: undefined,
    ctx: undefined,
  })
  expect([message, data.reason]).toEqual(['internal error', 'internal'])
})

it('lets in who may enter, and tells the others why not', async () => {
  const doors = router({ authed: authed.query(({ ctx }) => ctx.viewer.id), admin: admin.query(({ ctx }) => ctx.viewer.id) })
  const as = (role: 'user' | 'moderator' | 'admin') =>
    doors.createCaller({ ...nobody, viewer: async () => ({ id: 7, role, sessionId: 's' }) })
  expect([await as('user').authed(), await as('admin').admin()]).toEqual([7, 7])
  for (const role of ['user', 'moderator'] as const)
    await expect(as(role).admin()).rejects.toMatchObject({ cause: { code: 'auth.forbidden', message: 'forbidden' } })
  await expect(doors.createCaller(nobody).admin()).rejects.toMatchObject({ cause: { code: 'auth.unauthenticated' } })
})

it('has one form for every failure: a code to switch on, and the id of the request', () => {
  const format = (error: TRPCError) => {
    const shape = { message: error.message, code: -32603, data: { code: error.code, httpStatus: 500 } } as const
    return testRouter._def._config.errorFormatter({ error, shape, type: 'query', path: 'x', input: undefined, ctx: nobody })
  }
  expect(format(new TRPCError({ code: 'PARSE_ERROR', message: 'Unexpected token' }))).toMatchObject({
    message: 'invalid input',
    code: -32600,
    data: { code: 'BAD_REQUEST', httpStatus: 400, reason: 'input.unreadable', requestId: 'r1' },
  })
  expect(format(new TRPCError({ code: 'NOT_FOUND', message: 'No procedure' }))).toMatchObject({
    data: { httpStatus: 404, reason: 'rpc.unknown_procedure' },
  })
  const away = new DomainError('unavailable', 'unavailable', 'service unavailable')
  expect(format(new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: away }))).toMatchObject({
    message: 'service unavailable',
    data: { code: 'SERVICE_UNAVAILABLE', httpStatus: 503, reason: 'unavailable' },
  })
})
