import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createPinstack, type FetchResponse, type Post } from '../src/client.ts'
import { record, registered, startServer, type RunningServer } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

const answer = (status: number, code: string, headers: Record<string, string> = {}): FetchResponse => ({
  status,
  headers: { get: (name) => headers[name] ?? null },
  text: async () => JSON.stringify({ status, message: 'not now', code, request_id: 'r1' }),
})

/** The first `count` calls of `path` reach the server, and their answers get lost; or never reach it, and get `instead`. */
function failing(path: string, count: number, instead?: FetchResponse) {
  let left = count
  return record(async (called, send) => {
    if (called !== path || left-- <= 0) return send()
    if (instead) return instead
    await send()
    throw new TypeError('fetch failed')
  })
}

describe('a query', () => {
  it.each([
    ['no answer', undefined],
    ['a full server', answer(503, 'http.overloaded')],
    ['a database that is away', answer(503, 'unavailable')],
    ['a page of a proxy', { ...answer(502, ''), text: async () => '<h1>Bad gateway</h1>' }],
    ['a limit', answer(429, 'limit.exceeded', { 'retry-after': '0' })],
  ])('is tried again after %s', async (_, instead) => {
    const recorder = failing('users.byId', 2, instead)
    const { store, session } = await registered(server.url)
    const pinstack = createPinstack({ url: server.url, store, fetch: recorder.fetch })
    expect((await pinstack.users.get(session().userId)).id).toBe(session().userId)
    expect(recorder.count('users.byId')).toBe(3)
  })

  it('is tried three times, or as often as one says', async () => {
    for (const [retries, tries] of [
      [undefined, 3],
      [0, 1],
      [1, 2],
    ] as const) {
      const recorder = failing('users.byId', Infinity)
      const pinstack = createPinstack({ url: server.url, fetch: recorder.fetch, ...(retries !== undefined && { retries }) })
      await expect(pinstack.users.get(1)).rejects.toMatchObject({ code: 'network' })
      expect(recorder.count('users.byId')).toBe(tries)
    }
    const recorder = failing('users.byId', Infinity)
    await expect(createPinstack({ url: server.url, fetch: recorder.fetch }).users.get(1, { retries: 0 })).rejects.toMatchObject({
      code: 'network',
    })
    expect(recorder.count('users.byId')).toBe(1)
  })

  it('waits as long as the server asks to, and not when that is long', async () => {
    const short = failing('users.byId', 1, answer(503, 'http.overloaded', { 'retry-after': '1' }))
    const { session } = await registered(server.url)
    const startedMs = performance.now()
    await createPinstack({ url: server.url, fetch: short.fetch }).users.get(session().userId)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(990)

    const long = failing('users.byId', 1, answer(429, 'limit.exceeded', { 'retry-after': '60' }))
    await expect(createPinstack({ url: server.url, fetch: long.fetch }).users.get(1)).rejects.toMatchObject({
      code: 'limit.exceeded',
      retryAfterMs: 60_000,
    })
    const inAnHour = new Date(Date.now() + 3_600_000).toUTCString()
    const date = failing('users.byId', 1, answer(503, 'unavailable', { 'retry-after': inAnHour }))
    await expect(createPinstack({ url: server.url, fetch: date.fetch }).users.get(1)).rejects.toMatchObject({
      retryAfterMs: expect.closeTo(3_600_000, -5),
    })
    expect([long.paths.length, date.paths.length]).toEqual([1, 1])
  })

  it('is given up when there is no time left for another try, or when it is aborted', async () => {
    const recorder = failing('users.byId', Infinity, answer(503, 'unavailable', { 'retry-after': '2' }))
    const pinstack = createPinstack({ url: server.url, fetch: recorder.fetch })
    await expect(pinstack.users.get(1, { timeoutMs: 1_000 })).rejects.toMatchObject({ code: 'unavailable' })
    const abort = new AbortController()
    const call = pinstack.users.get(1, { signal: abort.signal })
    setTimeout(() => abort.abort(), 50)
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    expect(recorder.paths).toHaveLength(2)
  })

  it('is not tried again when the answer would be the same', async () => {
    const recorder = record()
    await expect(createPinstack({ url: server.url, fetch: recorder.fetch }).users.get(1_000_000)).rejects.toMatchObject({ status: 404 })
    expect(recorder.paths).toHaveLength(1)
  })
})

describe('a change', () => {
  it('is not sent again when nobody knows whether it took effect', async () => {
    const recorder = failing('posts.create', 1)
    const { store, session } = await registered(server.url)
    const pinstack = createPinstack({ url: server.url, store, fetch: recorder.fetch })
    const post = { title: 'Once', content: 'And only once, please.' }
    await expect(pinstack.posts.create(post)).rejects.toMatchObject({ code: 'network' })
    for (const code of ['unavailable', 'http.timeout', 'internal']) {
      const unsure = failing('posts.create', 1, answer(503, code))
      await expect(createPinstack({ url: server.url, store, fetch: unsure.fetch }).posts.create(post)).rejects.toMatchObject({ code })
      expect(unsure.paths).toEqual(['posts.create'])
    }
    expect(recorder.paths).toEqual(['posts.create'])
    const posts: Post[] = await pinstack.posts.list({ authorId: session().userId }).all({ max: 10 })
    expect(posts.map(({ title }) => title)).toEqual(['Once'])
  })

  it.each(['http.overloaded', 'limit.exceeded', 'auth.busy'])('is sent again when the server says %s: it has not run', async (code) => {
    const recorder = failing('posts.create', 1, answer(503, code))
    const { store, session } = await registered(server.url)
    const pinstack = createPinstack({ url: server.url, store, fetch: recorder.fetch })
    await pinstack.posts.create({ title: 'Once', content: 'And only once, please.' })
    expect(recorder.paths).toEqual(['posts.create', 'posts.create'])
    expect(await pinstack.posts.list({ authorId: session().userId }).all({ max: 10 })).toHaveLength(1)
  })

  it('is sent again when the second does nothing, and tells nobody anything', async () => {
    const [ann, bob] = [await registered(server.url), await registered(server.url)]
    const recorder = failing('relations.follow', 1)
    const pinstack = createPinstack({ url: server.url, store: bob.store, fetch: recorder.fetch })
    expect(await pinstack.relations.follow(ann.session().userId)).toBe(false) // the first has done it
    expect(recorder.count('relations.follow')).toBe(2)
    expect(await ann.pinstack.relations.counts(ann.session().userId)).toEqual({ followers: 1, followees: 0 })
    expect(await ann.pinstack.notifications.feed().all({ max: 10 })).toMatchObject([{ type: 'follow_created', origin: 'system' }])
  })
})
