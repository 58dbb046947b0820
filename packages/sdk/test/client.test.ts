import { createServer as createHttpServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openDatabase } from '@pinstack/server/open-database'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  createPinstack,
  isPinstackError,
  memoryStore,
  PinstackError,
  webStore,
  type AuthChange,
  type SearchPage,
  type WebStorage,
} from '../src/client.ts'
import { expired, record, registered, startServer, type RunningServer } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

async function failure(call: Promise<unknown>): Promise<PinstackError> {
  const error = await call.then(
    () => undefined,
    (error: unknown) => error,
  )
  expect(error).toBeInstanceOf(PinstackError)
  return error as PinstackError
}

/** Something that speaks HTTP and is not Pinstack. */
async function otherServer(listener: RequestListener): Promise<string> {
  const other = createHttpServer(listener).listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  onTestFinished(() => {
    other.close()
    other.closeAllConnections()
  })
  return `http://127.0.0.1:${(other.address() as AddressInfo).port}`
}

describe('signing in and out', () => {
  it('registers, knows who one is, signs out and in again, and tells of each change', async () => {
    const pinstack = createPinstack({ url: `${server.url}/` })
    const changes: AuthChange[] = []
    const stop = pinstack.onAuthChange((change) => changes.push(change))
    expect(await pinstack.session()).toBeNull()

    const me = await pinstack.register({ username: 'Ada', email: 'ada@example.com', password: 'correct horse', fullName: 'Ada L.' })
    expect(me).toMatchObject({ username: 'Ada', email: 'ada@example.com', fullName: 'Ada L.', bio: null, avatarUrl: null, role: 'user' })
    expect(await pinstack.me()).toEqual(me)
    const session = (await pinstack.session())!
    expect(session.userId).toBe(me.id)
    expect(changes).toEqual([{ state: 'signed_in', userId: me.id, sessionId: session.sessionId }])

    await pinstack.logout()
    await pinstack.logout()
    expect(await pinstack.session()).toBeNull()
    expect((await failure(pinstack.me())).code).toBe('auth.unauthenticated')
    expect((await pinstack.login({ login: 'ADA@example.com', password: 'correct horse' })).id).toBe(me.id)
    stop()
    await pinstack.logout()
    expect(changes.map(({ state }) => state)).toEqual(['signed_in', 'signed_out', 'signed_in'])
    expect(changes[1]).toEqual({ state: 'signed_out', reason: 'logout' })
  })

  it('ends the session on the server too', async () => {
    const { pinstack, session } = await registered(server.url)
    const before = session()
    await pinstack.logout()
    const thief = createPinstack({ url: server.url, store: { load: () => before, save() {} } })
    expect((await failure(thief.me())).code).toBe('auth.unauthenticated')
  })

  it('signs out here even when the server cannot be told', async () => {
    const broken = record((path, send) => (path === 'auth.logout' ? Promise.reject(new TypeError('fetch failed')) : send()))
    const { pinstack } = await registered(server.url, { fetch: broken.fetch })
    expect((await failure(pinstack.logout())).code).toBe('network')
    expect(await pinstack.session()).toBeNull()
  })

  it('changes the password, goes on itself, and ends the other sessions', async () => {
    const { pinstack, username, password } = await registered(server.url)
    const other = createPinstack({ url: server.url })
    await other.login({ login: username, password })
    const changes: AuthChange[] = []
    other.onAuthChange((change) => changes.push(change))

    expect((await failure(pinstack.changePassword({ oldPassword: 'wrong wrong', newPassword: 'battery staple' }))).code).toBe(
      'auth.invalid_credentials',
    )
    await pinstack.changePassword({ oldPassword: password, newPassword: 'battery staple' })
    expect((await pinstack.me()).username).toBe(username)
    expect((await failure(other.me())).code).toBe('auth.unauthenticated')
    expect(changes).toEqual([{ state: 'signed_out', reason: 'ended' }])
    await other.login({ login: username, password: 'battery staple' })
  })

  it('lists the sessions and ends them', async () => {
    const { pinstack, username, password, session } = await registered(server.url)
    const others = await Promise.all(
      [1, 2, 3].map(async () => {
        const other = createPinstack({ url: server.url })
        await other.login({ login: username, password })
        return other
      }),
    )
    const listed = await pinstack.sessions.list()
    expect(listed).toHaveLength(4)
    expect(listed.filter(({ current }) => current).map(({ id }) => id)).toEqual([session().sessionId])

    const { sessionId } = (await others[0]!.session())!
    await pinstack.sessions.revoke(sessionId)
    expect((await failure(others[0]!.me())).code).toBe('auth.unauthenticated')
    expect(await pinstack.sessions.revokeOthers()).toBe(2)
    expect(await pinstack.sessions.list()).toHaveLength(1)
  })
})

it('signs out everywhere, or nowhere', async () => {
  let isAway = false
  const flaky = record((path, send) =>
    isAway && path === 'auth.sessions.revokeOthers' ? Promise.reject(new TypeError('fetch failed')) : send(),
  )
  const { pinstack, username, password } = await registered(server.url, { fetch: flaky.fetch })
  const others = [1, 2].map(() => createPinstack({ url: server.url }))
  for (const other of others) await other.login({ login: username, password })
  isAway = true
  expect((await failure(pinstack.logoutEverywhere())).code).toBe('network')
  for (const one of [pinstack, ...others]) await one.me()
  isAway = false
  await pinstack.logoutEverywhere()
  expect(await pinstack.session()).toBeNull()
  for (const one of [pinstack, ...others]) expect((await failure(one.me())).code).toBe('auth.unauthenticated')
})

describe('renewal', () => {
  it('renews once for 20 calls whose token has expired', async () => {
    const recorder = record()
    const { pinstack, store, session } = await registered(server.url, { fetch: recorder.fetch })
    const { refreshToken, accessToken } = session()
    await store.save({ ...session(), accessToken: expired(accessToken), renewAtMs: Infinity })
    recorder.paths.length = 0

    const answers = await Promise.all(Array.from({ length: 20 }, () => pinstack.me()))
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
    expect(recorder.count('auth.refresh')).toBe(1)
    expect(recorder.count('auth.me')).toBe(40) // each refused once, each sent again
    expect(session().refreshToken).not.toBe(refreshToken)
  })

  it('renews before the token ends, so that no call is refused', async () => {
    const recorder = record()
    const { pinstack, store, session } = await registered(server.url, { fetch: recorder.fetch })
    await store.save({ ...session(), renewAtMs: Date.now() - 1 })
    recorder.paths.length = 0
    await Promise.all(Array.from({ length: 20 }, () => pinstack.me()))
    expect(recorder.paths.sort()).toEqual([...Array<string>(20).fill('auth.me'), 'auth.refresh'])
  })

  it('counts the life of a token by its own clock, and renews a little early', async () => {
    const { session } = await registered(server.url)
    const { renewAtMs, accessExpiresAtMs } = session()
    expect(accessExpiresAtMs - Date.now()).toBeGreaterThan(14.9 * 60_000)
    expect(accessExpiresAtMs - renewAtMs).toBe(30_000)
  })

  it('is signed out, and says so once, when its refresh token was used by a thief', async () => {
    const recorder = record()
    const { pinstack, store, session } = await registered(server.url, { fetch: recorder.fetch })
    const changes: AuthChange[] = []
    pinstack.onAuthChange((change) => changes.push(change))
    const thief = createPinstack({ url: server.url, store: memoryStore() })
    const thiefStore = memoryStore()
    await thiefStore.save({ ...session(), renewAtMs: 0 })
    const thiefWithCopy = createPinstack({ url: server.url, store: thiefStore })
    await thiefWithCopy.me()
    await letGracePass()

    await store.save({ ...session(), renewAtMs: 0 })
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(pinstack.me())))
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['auth.unauthenticated']))
    expect(changes).toEqual([{ state: 'signed_out', reason: 'ended' }])
    expect(await pinstack.session()).toBeNull()
    expect((await failure(thiefWithCopy.me())).code).toBe('auth.unauthenticated') // the family ended with it
    expect(await thief.session()).toBeNull()
  })

  /** Instead of waiting for 10 s: what was spent by now was spent a minute ago. */
  async function letGracePass(): Promise<void> {
    const { database } = await openDatabase(server.config)
    await database.transaction((tx) =>
      tx
        .updateTable('refreshToken')
        .set({ spentAt: new Date(Date.now() - 60_000).toISOString() })
        .where('spentAt', 'is not', null)
        .execute(),
    )
    await database.close()
  }

  it('tries again when the answer to a renewal is lost, and stays signed in', async () => {
    let isFirst = true
    const lossy = record(async (path, send) => {
      const response = await send()
      if (path !== 'auth.refresh' || !isFirst) return response
      isFirst = false
      throw new TypeError('fetch failed')
    })
    const { pinstack, store, session } = await registered(server.url, { fetch: lossy.fetch })
    await store.save({ ...session(), renewAtMs: 0 })
    await pinstack.me()
    expect(lossy.count('auth.refresh')).toBe(2)
    await store.save({ ...session(), renewAtMs: 0 })
    await pinstack.me()
  })

  it('keeps the session when the server cannot be reached, and goes on when it can', async () => {
    let isAway = false
    const flaky = record((_, send) => (isAway ? Promise.reject(new TypeError('fetch failed')) : send()))
    const { pinstack, store, session } = await registered(server.url, { fetch: flaky.fetch })
    await store.save({ ...session(), renewAtMs: 0, accessExpiresAtMs: 0 })
    isAway = true
    flaky.paths.length = 0
    const errors = await Promise.all(Array.from({ length: 10 }, () => failure(pinstack.me())))
    expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['network']))
    expect(flaky.paths).toEqual(['auth.refresh', 'auth.refresh'])
    isAway = false
    await pinstack.me()
  })

  it('uses a token to its end while a renewal fails', async () => {
    const flaky = record((path, send) => (path === 'auth.refresh' ? Promise.reject(new TypeError('fetch failed')) : send()))
    const { pinstack, store, session } = await registered(server.url, { fetch: flaky.fetch })
    await store.save({ ...session(), renewAtMs: 0 })
    await pinstack.me()
  })

  it('does not bring a session back that was signed out meanwhile', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    const slow = record(async (path, send) => {
      const response = await send()
      if (path === 'auth.refresh') await held
      return response
    })
    const { pinstack, store, session } = await registered(server.url, { fetch: slow.fetch })
    await store.save({ ...session(), renewAtMs: 0 })
    const call = failure(pinstack.me())
    const logout = pinstack.logout()
    letGo()
    await Promise.all([call, logout])
    expect(await pinstack.session()).toBeNull()
  })

  it('is given up by the call that is aborted, and by no other', async () => {
    const { promise: held, resolve: letGo } = Promise.withResolvers<void>()
    const slow = record(async (path, send) => {
      if (path === 'auth.refresh') await held
      return send()
    })
    const { pinstack, store, session } = await registered(server.url, { fetch: slow.fetch })
    await store.save({ ...session(), renewAtMs: 0 })
    const impatient = new AbortController()
    const [given, kept] = [failure(pinstack.me({ signal: impatient.signal })), pinstack.me()]
    impatient.abort()
    expect((await given).code).toBe('aborted')
    letGo()
    expect((await kept).id).toBe(session().userId)
    expect(slow.count('auth.refresh')).toBe(1)
  })

  it('is waited for no longer than the call may take', async () => {
    const slow = record((path, send) => (path === 'auth.refresh' ? new Promise<never>(() => {}) : send()))
    const { pinstack, store, session } = await registered(server.url, { fetch: slow.fetch })
    await store.save({ ...session(), renewAtMs: 0, accessExpiresAtMs: 0 })
    expect((await failure(pinstack.me({ timeoutMs: 50 }))).code).toBe('timeout')
    expect((await failure(pinstack.freshSession({ timeoutMs: 50 }))).code).toBe('timeout')
  })

  it('is shared by clients that share a store, as tabs do', async () => {
    const items = new Map<string, string>()
    const storage: WebStorage = {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => items.set(key, value),
      removeItem: (key) => items.delete(key),
    }
    const recorder = record()
    const { store } = await registered(server.url, { fetch: recorder.fetch, store: webStore(storage) })
    const tabs = Array.from({ length: 4 }, () => createPinstack({ url: server.url, fetch: recorder.fetch, store: webStore(storage) }))
    await store.save({ ...(await store.load())!, renewAtMs: 0 })
    await Promise.all(tabs.flatMap((tab) => [tab.me(), tab.me()]))
    expect(recorder.count('auth.refresh')).toBe(1)
    items.set('pinstack.session', '{"accessToken":')
    expect(await tabs[0]!.session()).toBeNull()
  })
})

describe('users', () => {
  it('are found by id, name and address, and keep their address to themselves', async () => {
    const ada = await registered(server.url)
    const bob = await registered(server.url)
    const me = await ada.pinstack.me()
    const { email, role, ...seenByOthers } = me
    expect(await bob.pinstack.users.get(me.id)).toEqual(seenByOthers)
    expect(await createPinstack({ url: server.url }).users.getByUsername(ada.username.toUpperCase())).toEqual(seenByOthers)
    expect(await ada.pinstack.users.getByEmail(email)).toEqual({ ...seenByOthers, email })
    expect((await failure(bob.pinstack.users.getByEmail(email))).code).toBe('users.not_found')
    expect(role).toBe('user')
  })

  it('are found by a part of their name, page by page, each once', async () => {
    const { pinstack } = await registered(server.url)
    const mark = `mark${Date.now()}`
    for (let i = 0; i < 5; i++)
      await pinstack.users.create({ username: `${mark}_${i}`, email: `${mark}_${i}@example.com`, password: 'correct horse' })
    const pages: SearchPage[] = []
    for await (const page of pinstack.users.search(mark, { limit: 2 }).pages()) pages.push(page)
    expect(pages.map(({ items, total }) => [items.map(({ username }) => username.slice(-1)).join(''), total])).toEqual([
      ['01', 5],
      ['23', 5],
      ['4', 5],
    ])
    const all = await pinstack.users.search(mark, { limit: 2 }).all({ max: 100 })
    expect(all.map(({ username }) => username.slice(-1)).join('')).toBe('01234')
    for (const max of [0, 1, 2, 3, 5]) expect(await pinstack.users.search(mark, { limit: 2 }).all({ max })).toEqual(all.slice(0, max))
    for (const max of [-1, 1.5, NaN, 1_000_000]) await expect(pinstack.users.search(mark).all({ max })).rejects.toThrow(RangeError)
    const ids: number[] = []
    for await (const user of pinstack.users.search(mark, { limit: 2 })) ids.push(user.id)
    expect(ids).toEqual(pages.flatMap(({ items }) => items.map(({ id }) => id)))
    expect(await pinstack.users.search(`no${mark}`).pages().next()).toEqual({
      done: false,
      value: { items: [], total: 0, nextCursor: null },
    })
  })

  it('change their account, and delete it', async () => {
    const { pinstack, username, password } = await registered(server.url)
    const changes: AuthChange[] = []
    pinstack.onAuthChange((change) => changes.push(change))
    expect(await pinstack.users.update({ fullName: 'Ada Lovelace', bio: 'wrote the first program' })).toMatchObject({
      username,
      fullName: 'Ada Lovelace',
    })
    expect(await pinstack.users.setAvatar('https://example.com/ada.png')).toMatchObject({
      avatarUrl: 'https://example.com/ada.png',
      bio: 'wrote the first program',
    })
    await pinstack.users.delete()
    expect(changes).toEqual([{ state: 'signed_out', reason: 'deleted' }])
    expect((await failure(pinstack.login({ login: username, password }))).code).toBe('users.not_found')
  })
})

describe('errors', () => {
  it('carry code, status, message and the request', async () => {
    const error = await failure(createPinstack({ url: server.url }).users.get(1_000_000))
    expect(error).toMatchObject({ name: 'PinstackError', code: 'users.not_found', status: 404, message: 'user not found', issues: [] })
    expect(error.requestId).toMatch(/^[\w-]{8,}$/)
  })

  it('name the fields that are wrong', async () => {
    const error = await failure(createPinstack({ url: server.url }).register({ username: 'x', email: 'x@example.com', password: 'short' }))
    expect(error).toMatchObject({ code: 'input.invalid', status: 400 })
    expect(new Set(error.issues.map(({ path }) => path))).toEqual(new Set(['username', 'password']))
  })

  it('say what is wrong with each field of a form', async () => {
    const { pinstack, username } = await registered(server.url)
    const form = { username, email: 'new@example.com', password: 'correct horse' }
    const { email } = await pinstack.me()
    const errors = async (change: Partial<typeof form>) => {
      const { fieldErrors } = await failure(createPinstack({ url: server.url }).register({ ...form, ...change }))
      return fieldErrors
    }
    expect(await errors({})).toEqual({ username: 'username already exists' })
    expect(await errors({ username: `${username}x`, email })).toEqual({ email: 'email already exists' })
    expect(Object.keys(await errors({ username: 'x', password: 'short' })).sort()).toEqual(['password', 'username'])
    const two = new PinstackError('input.invalid', 'x', { issues: ['first', 'second'].map((message) => ({ path: 'a.0', message })) })
    expect(two.fieldErrors).toEqual({ 'a.0': 'first' })
    expect((await failure(pinstack.users.get(1_000_000))).fieldErrors).toEqual({})
  })

  it('are known by another copy of the SDK', async () => {
    vi.resetModules()
    const other = await import('../src/client.ts')
    const error: unknown = new PinstackError('relations.self_follow', 'x')
    expect(error).not.toBeInstanceOf(other.PinstackError)
    expect(other.isPinstackError(error, 'relations.self_follow')).toBe(true)
    for (const none of [undefined, null, 7, 'PinstackError', { code: 'x' }, { name: 'PinstackError' }])
      expect(isPinstackError(none)).toBe(false)
  })

  it('narrow by code', async () => {
    const { username } = await registered(server.url)
    const error: unknown = await failure(
      createPinstack({ url: server.url }).register({
        username: username.toUpperCase(),
        email: 'other@example.com',
        password: 'correct horse',
      }),
    )
    expect(isPinstackError(error)).toBe(true)
    expect(isPinstackError(error, 'users.not_found')).toBe(false)
    expect(isPinstackError(new Error('users.username_taken'), 'users.username_taken')).toBe(false)
    if (!isPinstackError(error, 'users.username_taken', 'users.email_taken')) throw new Error('not narrowed')
    const narrow: 'users.username_taken' | 'users.email_taken' = error.code
    expect(narrow).toBe('users.username_taken')
  })

  it('say when nothing answers', async () => {
    const error = await failure(createPinstack({ url: 'http://127.0.0.1:9' }).users.get(1))
    expect(error).toMatchObject({ code: 'network', status: 0, requestId: null })
    expect(error.cause).toBeInstanceOf(Error)
  })

  it('say when an answer takes too long, or is not waited for', async () => {
    const url = await otherServer(() => {})
    const pinstack = createPinstack({ url, timeoutMs: 50 })
    expect((await failure(pinstack.users.get(1))).code).toBe('timeout')
    expect((await failure(pinstack.users.get(1, { timeoutMs: 20 }))).message).toBe('users.byId: no answer in time')
    const abort = new AbortController()
    const call = failure(createPinstack({ url }).users.get(1, { signal: abort.signal }))
    abort.abort(new Error('left the page'))
    expect(await call).toMatchObject({ code: 'aborted', cause: new Error('left the page') })
    expect((await failure(pinstack.users.get(1, { signal: AbortSignal.abort() }))).code).toBe('aborted')
  })

  it('say when something else answers', async () => {
    const url = await otherServer((_, response) => response.writeHead(502, { 'content-type': 'text/html' }).end('<h1>Bad gateway</h1>'))
    expect(await failure(createPinstack({ url }).users.get(1))).toMatchObject({ code: 'bad_response', status: 502 })
    const empty = await otherServer((_, response) => response.end('null'))
    expect((await failure(createPinstack({ url: empty }).users.get(1))).code).toBe('bad_response')
  })

  it('say when what answers gives no tokens', async () => {
    const url = await otherServer((_, response) => response.end('{"result":{"data":{"accessToken":"x","refreshToken":"y"}}}'))
    expect((await failure(createPinstack({ url }).login({ login: 'ada', password: 'correct horse' }))).code).toBe('bad_response')
  })

  it('say how long to wait', async () => {
    const busy = await otherServer((_, response) =>
      response
        .writeHead(503, { 'retry-after': '7' })
        .end('{"status":503,"message":"service unavailable","code":"unavailable","request_id":"r1"}'),
    )
    expect(await failure(createPinstack({ url: busy }).users.get(1))).toMatchObject({
      code: 'unavailable',
      status: 503,
      retryAfterMs: 7000,
      requestId: 'r1',
    })
  })

  it('refuse a url that is none', () => {
    for (const url of ['127.0.0.1:8080', 'ftp://x', '']) expect(() => createPinstack({ url })).toThrow(TypeError)
  })
})

it('goes on when a listener fails', async () => {
  const { pinstack } = await registered(server.url)
  const thrown: unknown[] = []
  const catchIt = (error: unknown) => thrown.push(error)
  const others = process.rawListeners('uncaughtException') as ((error: unknown) => void)[]
  process.removeAllListeners('uncaughtException').on('uncaughtException', catchIt)
  onTestFinished(() => {
    process.off('uncaughtException', catchIt)
    for (const one of others) process.on('uncaughtException', one)
  })
  const told: string[] = []
  pinstack.onAuthChange(() => {
    throw new Error('mine')
  })
  pinstack.onAuthChange(({ state }) => told.push(state))
  await pinstack.logout()
  expect(told).toEqual(['signed_out'])
  expect(thrown).toEqual([new Error('mine')])
})

it('never sends a change twice when it does not know whether it took effect', async () => {
  const lossy = record(async (path, send) => {
    await send()
    throw new TypeError(`${path}: connection reset`)
  })
  const { store } = await registered(server.url)
  const pinstack = createPinstack({ url: server.url, store, fetch: lossy.fetch })
  expect((await failure(pinstack.users.update({ bio: 'once and only once' }))).code).toBe('network')
  expect(lossy.paths).toEqual(['users.update'])
  expect((await createPinstack({ url: server.url, store }).me()).bio).toBe('once and only once')
})

it('keeps the path of its url', async () => {
  const seen: string[] = []
  const url = await otherServer((request, response) => {
    seen.push(request.url!)
    response.end('{"result":{"data":{"id":1}}}')
  })
  await createPinstack({ url: `${url}/social/?x=1` }).users.get(1)
  expect(seen).toEqual(['/social/trpc/users.byId?input=%7B%22id%22%3A1%7D'])
})
