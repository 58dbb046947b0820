import { createServer as createHttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import {
  asyncStore,
  cookieStore,
  createPinstack,
  documentCookies,
  headerCookies,
  memoryStore,
  webStore,
  type CookieAttributes,
  type Session,
  type SessionStore,
} from '../src/client.ts'
import { expired, record, registered, startServer, storageOf, type RunningServer } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

/** A browser's: what is written is a line with attributes, what is read is names and values. */
function page() {
  const lines: string[] = []
  const items = new Map<string, string>()
  const document = {
    get cookie() {
      return [...items].map(([name, value]) => `${name}=${value}`).join('; ')
    },
    set cookie(line: string) {
      lines.push(line)
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line)!
      if (/Max-Age=0(;|$)/.test(line)) items.delete(name!)
      else items.set(name!, value!)
    },
  }
  return { document, lines, items }
}

const asyncStorage = () => {
  const items = new Map<string, string>()
  return {
    items,
    getItem: async (key: string) => items.get(key) ?? null,
    setItem: async (key: string, value: string) => void items.set(key, value),
    removeItem: async (key: string) => void items.delete(key),
  }
}

describe('every store', () => {
  const stores: Record<string, () => { store: SessionStore; corrupt?(text: string): void }> = {
    memoryStore: () => ({ store: memoryStore() }),
    webStore: () => {
      const { items, storage } = storageOf()
      return { store: webStore(storage), corrupt: (text) => items.set('pinstack.session', text) }
    },
    asyncStore: () => {
      const storage = asyncStorage()
      return { store: asyncStore(storage), corrupt: (text) => storage.items.set('pinstack.session', text) }
    },
    'cookieStore of a page': () => {
      const { document, items } = page()
      return {
        store: cookieStore(documentCookies(document), { httpOnly: false }),
        corrupt: (text) => items.set('pinstack_session', text),
      }
    },
  }
  for (const [name, make] of Object.entries(stores)) {
    it(`${name} keeps a session through sign-in, renewal and sign-out`, async () => {
      const { store } = make()
      const { pinstack, username } = await registered(server.url, { store })
      const first = (await store.load())!
      expect(first.userId).toBe((await pinstack.me()).id)
      await store.save({ ...first, renewAtMs: 0 })
      expect((await createPinstack({ url: server.url, store }).me()).username).toBe(username)
      const second = (await store.load())!
      expect(second.sessionId).toBe(first.sessionId)
      expect(second.refreshToken).not.toBe(first.refreshToken)
      await pinstack.logout()
      expect(await store.load()).toBeNull()
    })

    it(`${name} takes what is no session for none`, async () => {
      const { store, corrupt } = make()
      for (const text of ['{"accessToken":', 'null', '7', '{}', '', '%%%', btoa('{"accessToken":1}'), 'é']) {
        corrupt?.(text)
        expect(await store.load()).toBeNull()
      }
      await registered(server.url, { store })
      expect(await store.load()).not.toBeNull()
    })
  }
})

describe('cookieStore', () => {
  it('works with cookies as Next, SvelteKit and Astro have them', async () => {
    const jar = new Map<string, { value: string; attributes: CookieAttributes }>()
    const cookies = {
      get: (name: string) => jar.get(name),
      set: (name: string, value: string, attributes: CookieAttributes) => void jar.set(name, { value, attributes }),
    }
    const { username } = await registered(server.url, { store: cookieStore(cookies) })
    expect(jar.get('pinstack_session')).toEqual({
      value: expect.stringMatching(/^[\w-]+$/),
      attributes: { httpOnly: true, secure: true, sameSite: 'lax', path: '/', maxAge: 30 * 24 * 60 * 60 },
    })
    const next = createPinstack({ url: server.url, store: cookieStore(cookies) })
    expect((await next.me()).username).toBe(username)
    await next.logout()
    expect(jar.get('pinstack_session')).toMatchObject({ value: '', attributes: { maxAge: 0, httpOnly: true, path: '/' } })
  })

  it('renders a page for whoever is signed in, by the headers of a real request and its answer', async () => {
    const site = createHttpServer(async (request, response) => {
      const store = cookieStore(
        headerCookies(request.headers.cookie, (line) => response.appendHeader('set-cookie', line)),
        { sameSite: 'strict', domain: 'localhost', name: 'sid' },
      )
      const pinstack = createPinstack({ url: server.url, store })
      if (request.url === '/register')
        await pinstack.register({ username: 'cookie', email: 'cookie@example.com', password: 'correct horse' })
      if (request.url === '/late') await store.save({ ...(await store.load())!, renewAtMs: 0 })
      const { username } = await pinstack.me()
      if (request.url === '/logout') await pinstack.logout()
      response.end(username)
    }).listen(0, '127.0.0.1')
    await new Promise((resolve) => site.once('listening', resolve))
    onTestFinished(() => void site.close())
    let cookie = ''
    const open = async (path: string) => {
      const answer = await fetch(`http://127.0.0.1:${(site.address() as AddressInfo).port}${path}`, {
        headers: { cookie: `other=1; ${cookie}` },
      })
      const lines = answer.headers.getSetCookie()
      const line = lines.at(-1)
      if (line) cookie = line.split(';')[0]!
      return { lines, text: await answer.text() }
    }
    const { lines, text } = await open('/register')
    expect(text).toBe('cookie')
    expect(lines).toEqual([
      expect.stringMatching(/^sid=[\w-]+; Path=\/; Max-Age=2592000; SameSite=Strict; Domain=localhost; Secure; HttpOnly$/),
    ])
    expect(lines[0]!.length).toBeLessThan(1500)
    const first = cookie
    expect(await open('/')).toEqual({ lines: [], text: 'cookie' })
    const { lines: renewed } = await open('/late')
    expect(renewed).toHaveLength(2)
    expect(cookie).not.toBe(first)
    expect((await open('/logout')).lines.at(-1)).toMatch(/^sid=; Path=\/; Max-Age=0;/)
  })

  it('does not renew where the new token could not be kept', async () => {
    const { document } = page()
    const written = cookieStore(documentCookies(document), { httpOnly: false })
    const { username } = await registered(server.url, { store: written })
    const session = (await written.load())!
    const recorder = record()
    const get = (name: string) => documentCookies(document).get(name)
    const rendering = createPinstack({ url: server.url, fetch: recorder.fetch, store: cookieStore({ get }) })

    await written.save({ ...session, renewAtMs: 0 })
    expect((await rendering.me()).username).toBe(username)
    await written.save({ ...session, renewAtMs: 0, accessToken: expired(session.accessToken) })
    await expect(rendering.me()).rejects.toMatchObject({ code: 'auth.token_expired' })
    expect(recorder.count('auth.refresh')).toBe(0)
    expect(await rendering.session()).not.toBeNull()

    const proxy = createPinstack({ url: server.url, store: written }) // one that may write renews it
    expect((await proxy.freshSession())!.accessToken).not.toBe(expired(session.accessToken))
    expect((await rendering.me()).username).toBe(username)
    for (const call of [rendering.logout(), rendering.login({ login: 'x', password: 'x' })]) await expect(call).rejects.toThrow(TypeError)
  })

  it('gives a browser without the cookie a token by its own server', async () => {
    const { store, username } = await registered(server.url)
    const loads: string[] = []
    let current = (await store.load()) as Session
    const browser = createPinstack({
      url: server.url,
      store: { readOnly: true, load: () => (loads.push('load'), { ...current, refreshToken: '' }), save() {} },
    })
    current = { ...current, accessToken: expired(current.accessToken) }
    const call = browser.me()
    queueMicrotask(async () => {
      current = (await store.load()) as Session
    })
    expect((await call).username).toBe(username)
  })

  it('refuses what a browser would drop without a word', async () => {
    const cookies = documentCookies(page().document)
    expect(() => cookieStore(cookies)).toThrow('a script cannot set a cookie that is httpOnly')
    expect(() => cookieStore(cookies, { httpOnly: false, secure: false, sameSite: 'none' })).toThrow('has to be `secure`')
    expect(() => cookieStore(cookies, { httpOnly: false, name: 'a b' })).toThrow("not a cookie's name")
    expect(() => cookieStore(cookies, { httpOnly: false, path: '/;Domain=x' })).toThrow("not a cookie's attribute")
    const store = cookieStore(cookies, { httpOnly: false })
    const { store: other } = await registered(server.url)
    const session = (await other.load())!
    await expect(store.save({ ...session, refreshToken: 'x'.repeat(4096) })).rejects.toThrow(/a cookie of \d+ bytes/)
  })

  it('says in its line what the attributes say', async () => {
    const { document, lines } = page()
    const store = cookieStore(documentCookies(document), { httpOnly: false, secure: false, maxAge: 60, path: '/app' })
    const { pinstack } = await registered(server.url, { store })
    expect(lines[0]).toMatch(/^pinstack_session=[\w-]+; Path=\/app; Max-Age=60; SameSite=Lax$/)
    await pinstack.logout()
    expect(lines.at(-1)).toBe('pinstack_session=; Path=/app; Max-Age=0; SameSite=Lax')
  })
})
