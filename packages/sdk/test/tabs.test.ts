import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { cookieStore, createPinstack, documentCookies, webStore, type AuthChange, type SessionStore } from '../src/client.ts'
import { fileStorage } from './file-storage.ts'
import { expired, record, registered, startServer, storageOf, type RunningServer } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())
afterEach(() => vi.unstubAllGlobals())

/** As in an older browser, or on a page without TLS. */
const withoutLocks = () => vi.stubGlobal('navigator', {})
const withLocks = () => expect(navigator.locks.request).toBeTypeOf('function')

const kinds: Record<string, { prepare(): void; share(): () => SessionStore }> = {
  'Web Locks': {
    prepare: withLocks,
    share: () => {
      const { storage } = storageOf()
      return () => webStore(storage)
    },
  },
  'a lease in the storage': {
    prepare: withoutLocks,
    share: () => {
      const { storage } = storageOf()
      return () => webStore(storage)
    },
  },
  'cookies of the page and Web Locks': {
    prepare: withLocks,
    share: () => {
      let cookie = ''
      const document = {
        get cookie() {
          return cookie
        },
        set cookie(line: string) {
          cookie = /Max-Age=0(;|$)/.test(line) ? '' : line.split(';')[0]!
        },
      }
      return () => cookieStore(documentCookies(document), { httpOnly: false })
    },
  },
}

describe.each(Object.entries(kinds))('two tabs that share a session by %s', (_, { prepare, share }) => {
  it.each(['refused', 'about to end'])('renew it once for 20 calls each at once, its token being %s', async (why) => {
    prepare()
    const storeOfTab = share()
    const recorder = record()
    const { store } = await registered(server.url, { store: storeOfTab(), fetch: recorder.fetch })
    const session = (await store.load())!
    const tabs = [1, 2].map(() => createPinstack({ url: server.url, fetch: recorder.fetch, store: storeOfTab() }))
    const changes: AuthChange[] = []
    for (const tab of tabs) tab.onAuthChange((change) => changes.push(change))
    await store.save({
      ...session,
      ...(why === 'refused' ? { accessToken: expired(session.accessToken) } : { renewAtMs: 0 }),
    })
    recorder.paths.length = 0

    const answers = await Promise.all(tabs.flatMap((tab) => Array.from({ length: 20 }, () => tab.me())))
    expect(answers.map(({ id }) => id)).toEqual(Array(40).fill(session.userId))
    expect(recorder.count('auth.refresh')).toBe(1)
    expect(changes).toEqual([])
    for (const tab of tabs) expect(await tab.session()).toMatchObject({ sessionId: session.sessionId })
  })

  it('renew it once each time, many times over', async () => {
    prepare()
    const storeOfTab = share()
    const recorder = record()
    const { store } = await registered(server.url, { store: storeOfTab(), fetch: recorder.fetch })
    const tabs = [1, 2, 3].map(() => createPinstack({ url: server.url, fetch: recorder.fetch, store: storeOfTab() }))
    for (let round = 1; round <= 5; round++) {
      await store.save({ ...(await store.load())!, renewAtMs: 0 })
      await Promise.all(tabs.flatMap((tab) => [tab.me(), tab.me()]))
      expect(recorder.count('auth.refresh')).toBe(round)
    }
  })

  it('tell each other who signs in and out, and why', async () => {
    prepare()
    const storeOfTab = share()
    const [first, second, third] = [1, 2, 3].map(() => createPinstack({ url: server.url, store: storeOfTab() }))
    const heard: [string, AuthChange][] = []
    first!.onAuthChange((change) => heard.push(['first', change]))
    const stop = second!.onAuthChange((change) => heard.push(['second', change]))
    const { username, password } = await registered(server.url, { store: storeOfTab() })
    const signedIn = async () => {
      const { userId, sessionId } = (await first!.session())!
      return { state: 'signed_in', userId, sessionId }
    }
    const all = (change: unknown) => expect.poll(() => heard.splice(0).sort()).toEqual(['first', 'second'].map((tab) => [tab, change]))
    await all(await signedIn())
    await second!.logout()
    await all({ state: 'signed_out', reason: 'logout' })
    await first!.login({ login: username, password })
    await all(await signedIn())
    await third!.users.delete()
    await all({ state: 'signed_out', reason: 'deleted' })

    stop()
    const { pinstack } = await registered(server.url, { store: storeOfTab() })
    await expect.poll(() => heard.map(([tab]) => tab)).toEqual(['first'])
    heard.length = 0
    const other = createPinstack({ url: server.url, store: { load: () => saved, save() {} } })
    const saved = (await pinstack.session())!
    await other.sessions.revoke(saved.sessionId)
    await expect(third!.me()).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    await expect.poll(() => heard).toEqual([['first', { state: 'signed_out', reason: 'ended' }]])
  })
})

it('hear nothing of a session that they do not share', async () => {
  const tabs = [1, 2].map(() => createPinstack({ url: server.url, store: webStore(storageOf().storage) })) // as with sessionStorage
  const heard: AuthChange[][] = tabs.map(() => [])
  for (const [index, tab] of tabs.entries()) tab.onAuthChange((change) => heard[index]!.push(change))
  await registered(server.url, { store: webStore(storageOf().storage) })
  const { username, password } = await registered(server.url)
  await tabs[0]!.login({ login: username, password })
  await tabs[1]!.login({ login: username, password })
  await tabs[0]!.logout()
  await expect.poll(() => heard.map((changes) => changes.map(({ state }) => state))).toEqual([['signed_in', 'signed_out'], ['signed_in']])
  expect((await tabs[1]!.me()).username).toBe(username)
})

it('hear of it by what the browser tells of its storage, where there is no BroadcastChannel', async () => {
  const listeners = new Set<(event: object) => void>()
  vi.stubGlobal('BroadcastChannel', undefined)
  vi.stubGlobal('addEventListener', (_: string, listener: (event: object) => void) => listeners.add(listener))
  vi.stubGlobal('removeEventListener', (_: string, listener: (event: object) => void) => listeners.delete(listener))
  const { storage, items } = storageOf()
  /** Only other tabs are told, and there is one. */
  const told = {
    getItem: storage.getItem,
    setItem: (key: string, value: string) => change(key, value),
    removeItem: (key: string) => change(key, null),
  }
  function change(key: string, newValue: string | null) {
    const oldValue = items.get(key) ?? null
    if (newValue === null) items.delete(key)
    else items.set(key, newValue)
    for (const listener of listeners) listener({ key, oldValue, newValue })
  }
  const heard: AuthChange[] = []
  const stop = createPinstack({ url: server.url, store: webStore(storage) }).onAuthChange((change) => heard.push(change))
  const { pinstack, store } = await registered(server.url, { store: webStore(told) })
  const { userId, sessionId } = (await store.load())!
  await store.save({ ...(await store.load())!, renewAtMs: 0 })
  await pinstack.me()
  await pinstack.logout()
  await expect
    .poll(() => heard)
    .toEqual([
      { state: 'signed_in', userId, sessionId },
      { state: 'signed_out', reason: 'elsewhere' },
    ])
  stop()
  expect(listeners.size).toBe(0)
})

describe('a lease in the storage', () => {
  it('is let go, and what is no lease does not hold anyone up', async () => {
    withoutLocks()
    const { storage, items } = storageOf()
    const { store, pinstack } = await registered(server.url, { store: webStore(storage) })
    for (const text of ['', '{', 'null', '{"owner":1}', '{"owner":"x","untilMs":"soon"}', `{"owner":"x","untilMs":${Date.now() + 1e12}}`]) {
      items.set('pinstack.session.lock', text)
      await store.save({ ...(await store.load())!, renewAtMs: 0 })
      await pinstack.me()
      expect([...items.keys()]).toEqual(['pinstack.session'])
    }
  })

  it('ends with its tab: whoever comes next gets the answer that the dead one did not', async () => {
    withoutLocks()
    const dir = mkdtempSync(join(tmpdir(), 'pinstack-tabs-'))
    onTestFinished(() => rmSync(dir, { recursive: true }))
    const storage = fileStorage(dir)
    const recorder = record()
    const store = webStore(storage)
    const { pinstack, username } = await registered(server.url, { store, fetch: recorder.fetch })
    await store.save({ ...(await store.load())!, renewAtMs: 0 })
    const before = (await store.load())!

    const tab = spawn(process.execPath, [
      '--conditions=@pinstack/source',
      fileURLToPath(new URL('./dying-tab-process.ts', import.meta.url)),
      server.url,
      dir,
    ])
    onTestFinished(() => void tab.kill('SIGKILL'))
    let said = ''
    tab.stdout.on('data', (text) => (said += String(text)))
    tab.stderr.on('data', (text) => (said += String(text)))
    await expect.poll(() => said, { timeout: 20_000 }).toBe('renewed\n') // by the server; it keeps the answer to itself
    tab.kill('SIGKILL')
    expect(storage.getItem('pinstack.session.lock')).toContain('owner')
    expect((await store.load())!.refreshToken).toBe(before.refreshToken)

    const changes: AuthChange[] = []
    pinstack.onAuthChange((change) => changes.push(change))
    recorder.paths.length = 0
    expect((await pinstack.me()).username).toBe(username)
    expect(recorder.paths).toEqual(['auth.refresh', 'auth.me'])
    expect(changes).toEqual([])
    expect(storage.getItem('pinstack.session.lock')).toBeNull()
  })
})
