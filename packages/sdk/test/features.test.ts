import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authed, createServer, defineErrors, defineFeature, open, router, type Server } from '@pinstack/server'
import { loadConfig } from '@pinstack/server/config'
import { afterAll, beforeAll, expect, expectTypeOf, it } from 'vitest'
import * as z from 'zod'
import { createPinstack, isPinstackError, memoryStore, type Pinstack } from '../src/client.ts'
import { expired } from './running-server.ts'

const errors = defineErrors('echo', { silence: ['conflict', 'nothing to say'] })
const echo = defineFeature({
  name: 'echo',
  create: () => ({
    router: router({
      say: open.input(z.object({ text: z.string() })).query(({ input }) => ({ text: input.text, heardAt: new Date(0) })),
      who: authed.query(({ ctx }) => ctx.viewer.id),
      deep: router({
        shout: authed.input(z.object({ text: z.string(), times: z.int().optional() })).mutation(({ input }) => {
          if (input.text === '') throw errors.silence()
          return { texts: Array.from({ length: input.times ?? 1 }, () => input.text.toUpperCase()) }
        }),
      }),
    }),
  }),
})
const other = defineFeature({ name: 'other', create: () => ({ service: { seven: 7 } }) })

let server: Server<readonly [typeof echo, typeof other]>
type App = typeof server
let dir: string
let url: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinstack-sdk-'))
  const flags = {
    'data.dir': dir,
    'http.port': 0,
    'metrics.port': 0,
    'log.level': 'silent',
    'auth.secret': 'h7Tq0ZJ4rX9bVn2LwKs8YcEu1PgDm6Ai',
  }
  server = await createServer(loadConfig({ flags }).config, { features: [echo, other] })
  url = (await server.listen()).apiUrl
})
afterAll(async () => {
  await server.close()
  await rm(dir, { recursive: true })
})

it('calls the procedures of features, with their own types', async () => {
  const pinstack = createPinstack<App>({ url })
  const said = await pinstack.features.echo.say.query({ text: 'hello' })
  expectTypeOf(said).toEqualTypeOf<{ text: string; heardAt: string }>()
  expect(said).toEqual({ text: 'hello', heardAt: '1970-01-01T00:00:00.000Z' })
  await expect(pinstack.features.echo.who.query()).rejects.toMatchObject({ code: 'auth.unauthenticated' })

  const me = await pinstack.register({ username: 'ada', email: 'ada@example.com', password: 'correct horse' })
  expect(await pinstack.features.echo.who.query()).toBe(me.id)
  const shouted = await pinstack.features.echo.deep.shout.mutate({ text: 'hi', times: 2 })
  expectTypeOf(shouted).toEqualTypeOf<{ texts: string[] }>()
  expect(shouted).toEqual({ texts: ['HI', 'HI'] })
  expectTypeOf(server.features.other).toEqualTypeOf<{ seven: number }>()
  expect(server.features.other.seven).toBe(7)
})

it('has the errors of features by their own codes, and those of wrong input by field', async () => {
  const pinstack = createPinstack<App>({ url })
  await pinstack.register({ username: 'bob', email: 'bob@example.com', password: 'correct horse' })
  const refused = await pinstack.features.echo.deep.shout.mutate({ text: '' }).catch((error: unknown) => error)
  expect(isPinstackError(refused) && refused.code === 'echo.silence').toBe(true)
  const wrong = await pinstack.features.echo.deep.shout.mutate({ text: 5 as never }).catch((error: unknown) => error)
  expect(wrong).toMatchObject({ code: 'input.invalid', issues: [{ path: 'text' }] })
  await expect(pinstack.features.echo.say.query({ text: 'x' }, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'aborted' })
})

it('renews the session for a feature as for any other call', async () => {
  const store = memoryStore()
  const pinstack = createPinstack<App>({ url, store })
  const me = await pinstack.register({ username: 'eve', email: 'eve@example.com', password: 'correct horse' })
  const session = (await store.load())!
  await store.save({ ...session, accessToken: expired(session.accessToken) })
  expect(await createPinstack<App>({ url, store }).features.echo.who.query()).toBe(me.id)
})

it('refuses what the server does not have, when it is compiled and when it runs', async () => {
  const pinstack = createPinstack<App>({ url })
  // @ts-expect-error no such feature
  await expect(pinstack.features.nothing.at.query()).rejects.toMatchObject({ code: 'rpc.unknown_procedure' })
  // @ts-expect-error a query is not called as a mutation
  await expect(pinstack.features.echo.say.mutate({ text: 'x' })).rejects.toMatchObject({ code: 'rpc.method_not_supported' })
  // @ts-expect-error an input is missing
  await expect(pinstack.features.echo.say.query()).rejects.toMatchObject({ code: 'input.invalid' })
  // @ts-expect-error it is of the wrong type
  await expect(pinstack.features.echo.say.query({ text: 5 })).rejects.toMatchObject({ code: 'input.invalid' })
  expectTypeOf<Pinstack['features']>().toEqualTypeOf<{}>()
  expect(await pinstack.features).toBeTypeOf('object') // awaiting it is no call
})
