import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTRPCClient, httpSubscriptionLink } from '@trpc/client'
import { EventSource } from 'eventsource'
import { afterEach, expect, it } from 'vitest'
import { openApp } from '../src/open-app.ts'
import { createServer, type AppRouter, type Server } from '../src/server.ts'
import type { FlagValue } from '../src/config.ts'
import type { Tables } from '../src/schema.ts'
import { onEachDriver, useDatabase } from './drivers.ts'
import { openEvents, type OpenStream, type ReadEvent } from './event-stream.ts'
import { call, login, newDataDir, register, quietly, testConfig } from './serve.ts'

interface User {
  id: number
  token: string
}

onEachDriver('live events over real sockets', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const dir = newDataDir()
  const cleanUps: (() => Promise<unknown> | void)[] = []
  let names = 0
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  const flags = (more: Record<string, FlagValue> = {}) => ({
    'database.url': opened.url,
    'data.dir': dir,
    'rateLimits.enabled': false,
    ...more,
  })
  async function serve(more?: Record<string, FlagValue>): Promise<{ url: string; server: Server }> {
    const server = await createServer(testConfig(flags(more)), quietly)
    cleanUps.push(() => server.close())
    return { url: (await server.listen()).apiUrl, server }
  }
  async function serveApart(port = 0): Promise<{ url: string; child: ChildProcess }> {
    const args = Object.entries(flags({ 'http.port': port })).map(([key, value]) => `${key}=${String(value)}`)
    const child = fork(fileURLToPath(new URL('./server-process.ts', import.meta.url)), args, { execArgv: [] })
    const exited = once(child, 'exit')
    cleanUps.push(() => (child.kill('SIGKILL'), exited))
    const [{ apiUrl }] = (await once(child, 'message')) as [{ apiUrl: string }]
    return { url: apiUrl, child }
  }
  async function newUser(url: string): Promise<User> {
    const token = (await register(url, `user${++names}`)).body.data.access_token as string
    return { token, id: (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data.id }
  }
  async function events(url: string, { token }: User, lastEventId?: string): Promise<OpenStream> {
    const stream = await openEvents(`${url}/api/v1/notification/stream`, { token, lastEventId })
    cleanUps.push(stream.close)
    return stream
  }
  const send = async (url: string, from: User, to: User, payload: unknown) =>
    (await call(url, 'POST', '/api/v1/notification/send', { token: from.token, body: { user_id: to.id, type: 'note', payload } })).body.data
      .notification_id as number
  const payloads = (all: ReadEvent[]) => all.filter(({ event }) => event === 'notification').map(({ data }) => data.payload)

  it('sends what v1 shows of a notification, of a follow too, and what becomes of it', async () => {
    const { url } = await serve()
    const [ann, bob] = [await newUser(url), await newUser(url)]
    const stream = await events(url, ann)
    await expect.poll(() => stream.events().map(({ event }) => event)).toEqual(['ready'])
    const id = await send(url, bob, ann, { a: [1, null] })
    await call(url, 'POST', '/api/v1/relation/follow', { token: bob.token, body: { followee_id: ann.id } })
    await expect.poll(() => stream.events()).toHaveLength(3)
    const [, sent, followed] = stream.events()
    expect(sent!.data).toEqual((await call(url, 'GET', `/api/v1/notification/${id}`, { token: ann.token })).body.data)
    expect(followed).toMatchObject({
      event: 'notification',
      data: {
        user_id: ann.id,
        type: 'follow_created',
        is_read: false,
        origin: 'system',
        payload: { follower_id: bob.id, followee_id: ann.id },
      },
    })
    await call(url, 'PUT', `/api/v1/notification/${id}/read`, { token: ann.token })
    await call(url, 'POST', '/api/v1/relation/unfollow', { token: bob.token, body: { followee_id: ann.id } })
    await expect
      .poll(() =>
        stream
          .events()
          .slice(3)
          .map(({ event, data }) => [event, data]),
      )
      .toEqual([
        ['read', { id }],
        ['removed', { id: followed!.data.id }],
      ])
    expect(stream.text()).toMatch(
      /^retry: \d{4}\n\nevent: ready\nid: \d+\ndata: {}\n\nevent: notification\nid: \d+\ndata: {"id":\d+,.*}\n\n/,
    )
    const feed = await openEvents(`${url}/api/v1/notification/stream?access_token=${ann.token}`)
    expect(feed.status).toBe(401) // a token in a URL is none
  })

  it('goes on without a gap or a double over lost connections and restarts, while others write', async () => {
    let { url, child } = await serveApart()
    const { port } = new URL(url)
    const [ann, bob] = [await newUser(url), await newUser(url)]
    const acknowledged: number[] = []
    const acknowledgedMin = 150
    const got: ReadEvent[] = []
    let isWriting = true
    const writers = [0, 1, 2].map(async (writer) => {
      for (let [i, done] = [0, 0]; done < acknowledgedMin || isWriting; i++) {
        const id = await send(url, bob, ann, `${writer}.${i}`).catch(() => undefined) // cut off: it may or may not have happened
        if (id !== undefined) done = acknowledged.push(id)
        await sleep(id === undefined ? 50 : 2)
      }
    })
    let last = (await events(url, ann).then(async (stream) => {
      await expect.poll(() => stream.lastEventId()).toBeDefined()
      got.push(...stream.events())
      stream.close()
      return stream.lastEventId()
    }))!
    for (let round = 0; round < 9; round++) {
      const stream = await events(url, ann, last)
      await sleep(60 + 30 * round)
      if (round % 3 === 2) {
        child.kill(round === 2 ? 'SIGKILL' : 'SIGTERM')
        await once(child, 'exit')
        await stream.ended
        ;({ url, child } = await serveApart(Number(port)))
      } else stream.close()
      got.push(...stream.events())
      last = stream.lastEventId()!
    }
    isWriting = false
    await Promise.all(writers)
    const stream = await events(url, ann, last)
    const ids = () => [...got, ...stream.events()].flatMap(({ event, data }) => (event === 'notification' ? [data.id as number] : []))
    const kept = await opened.database.db.selectFrom('notification').where('userId', '=', ann.id).select('id').orderBy('id').execute()
    await expect.poll(() => ids().length, { timeout: 20_000 }).toBeGreaterThanOrEqual(kept.length)
    await sleep(300) // a double would come now
    expect(ids().toSorted((a, b) => a - b)).toEqual(kept.map(({ id }) => id))
    expect(ids()).toEqual(expect.arrayContaining(acknowledged))
    const seqs = [...got, ...stream.events()].map(({ id }) => Number(id))
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
  }, 60_000)

  it('tells nobody of what is not theirs', async () => {
    const { url } = await serve()
    const users = [await newUser(url), await newUser(url), await newUser(url)]
    const streams = await Promise.all(users.map((user) => events(url, user)))
    await Promise.all(
      users.flatMap((user, of) => Array.from({ length: 20 }, (_, i) => send(url, users[(of + 1) % 3]!, user, `${of}.${i}`))),
    )
    for (const [of, stream] of streams.entries()) {
      await expect.poll(() => payloads(stream.events())).toHaveLength(20)
      expect(payloads(stream.events()).every((payload) => payload.startsWith(`${of}.`))).toBe(true)
    }
  })

  it('refuses more streams than a user, and a process, may have', async () => {
    const { url } = await serve({ 'live.streamsPerUser': 2, 'live.streamsMax': 3 })
    const [ann, bob] = [await newUser(url), await newUser(url)]
    const [first] = [await events(url, ann), await events(url, ann)]
    const refused = await events(url, ann)
    await refused.ended
    expect([refused.status, refused.headers['retry-after'], JSON.parse(refused.text())]).toEqual([
      429,
      '10',
      expect.objectContaining({ message: 'rate limit exceeded', code: 'live.too_many_streams' }),
    ])
    expect((await events(url, bob)).status).toBe(200)
    const full = await events(url, bob)
    expect([full.status, full.headers['retry-after']]).toEqual([503, '10'])
    first!.close()
    await expect.poll(async () => (await events(url, bob)).status).toBe(200)
  })

  it('ends within a second when its session does, here or by another process', async () => {
    const { url } = await serve()
    const ann = await newUser(url)
    const token = async () => (await login(url, `user${names}`)).body.data.access_token as string
    const [here, there] = [await token(), await token()]
    const beside = await openApp(testConfig(flags()), {})
    cleanUps.push(() => beside.close())
    const [mine, phone, tablet] = [
      await events(url, ann),
      await events(url, { ...ann, token: here }),
      await events(url, { ...ann, token: there }),
    ]
    const sessionOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).sid as string
    const startMs = performance.now()
    await call(url, 'DELETE', `/api/v1/auth/sessions/${sessionOf(here)}`, { token: ann.token })
    await phone.ended
    const viewer = await beside.app.auth.authenticate(ann.token)
    await beside.app.auth.revokeSession(viewer, sessionOf(there))
    const besideMs = performance.now()
    await tablet.ended
    expect([besideMs - startMs, performance.now() - besideMs].every((ms) => ms < 1_000)).toBe(true)
    expect((await events(url, { ...ann, token: there }, tablet.lastEventId())).status).toBe(401)
    await send(url, ann, ann, 'to myself')
    await expect.poll(() => payloads(mine.events())).toEqual(['to myself'])
  })

  it('says reset where it cannot go on', async () => {
    const { url } = await serve()
    const ann = await newUser(url)
    const stream = await events(url, ann, '99999999')
    await expect
      .poll(() => stream.events().map(({ event, data }) => [event, data]))
      .toEqual([
        ['reset', {}],
        ['ready', {}],
      ])
    await send(url, ann, ann, 'live')
    await expect.poll(() => payloads(stream.events())).toEqual(['live'])
  })

  /** As an app does it: tRPC's own link, over an EventSource that sends headers. */
  function trpc(url: string, { token }: User) {
    class EventSourceWithToken extends EventSource {
      constructor(address: string | URL) {
        super(address, {
          fetch: (input, init) => fetch(input, { ...init, headers: { ...init.headers, authorization: `Bearer ${token}` } }),
        })
        cleanUps.push(() => this.close())
      }
    }
    return createTRPCClient<AppRouter>({ links: [httpSubscriptionLink({ url: `${url}/trpc`, EventSource: EventSourceWithToken })] })
  }

  it('serves the four streams to tRPC’s client', async () => {
    const { url } = await serve()
    const [ann, bob] = [await newUser(url), await newUser(url)]
    const client = trpc(url, ann)
    const got: Record<string, any[]> = { notifications: [], unreadCount: [], relations: [], posts: [] }
    const errors: unknown[] = []
    const listener = (name: string) => ({
      onData: (data: any) => void got[name]!.push('data' in data ? data.data : data),
      onError: (error: unknown) => void errors.push(error),
    })
    const subscriptions = [
      client.live.notifications.subscribe(undefined, listener('notifications')),
      client.live.unreadCount.subscribe(undefined, listener('unreadCount')),
      client.live.relations.subscribe(undefined, listener('relations')),
      client.live.posts.subscribe(undefined, listener('posts')),
    ]
    await expect.poll(() => Object.values(got).map((items) => items.length)).toEqual([1, 1, 1, 1])
    await call(url, 'POST', '/api/v1/relation/follow', { token: ann.token, body: { followee_id: bob.id } })
    await call(url, 'POST', '/api/v1/relation/follow', { token: bob.token, body: { followee_id: ann.id } })
    await call(url, 'POST', '/api/v1/posts', { token: bob.token, body: { title: 'Hello', content: 'For those who follow.' } })
    await expect.poll(() => Object.values(got).map((items) => items.length)).toEqual([2, 2, 2, 2])
    expect(got.notifications![1]).toMatchObject({
      type: 'created',
      notification: { type: 'follow_created', readAt: null, payload: { follower_id: bob.id } },
    })
    expect(got.unreadCount).toEqual([{ count: 0 }, { count: 1 }])
    expect(got.relations![1]).toMatchObject({ type: 'followed', userId: bob.id, user: { id: bob.id, username: `user${names}` } })
    expect(got.posts![1]).toMatchObject({ type: 'created', post: { title: 'Hello', author: { id: bob.id } } })
    for (const subscription of subscriptions) subscription.unsubscribe()
    expect(errors).toEqual([])
  })

  it('lets tRPC’s client go on over a restart of the server, and ends it with its session', async () => {
    const first = await serve()
    const port = Number(new URL(first.url).port)
    const [ann, bob] = [await newUser(first.url), await newUser(first.url)]
    const got: unknown[] = []
    const ended = Promise.withResolvers<any>()
    trpc(first.url, ann).live.notifications.subscribe(undefined, {
      onData: ({ data }) => void got.push(data.type === 'created' ? data.notification.payload : data.type),
      onError: ended.resolve,
    })
    await expect.poll(() => got).toEqual(['ready'])
    await send(first.url, bob, ann, 'before')
    await expect.poll(() => got).toEqual(['ready', 'before'])
    await first.server.close()
    const beside = await openApp(testConfig(flags()), {})
    const viewer = await beside.app.auth.authenticate(bob.token)
    await beside.app.notifications.send(viewer, { userId: ann.id, type: 'note', payload: 'meanwhile' })
    await beside.close()
    const { url } = await serve({ 'http.port': port })
    await expect.poll(() => got, { timeout: 8_000 }).toEqual(['ready', 'before', 'meanwhile', 'ready'])
    await send(url, bob, ann, 'after')
    await expect.poll(() => got).toEqual(['ready', 'before', 'meanwhile', 'ready', 'after'])
    const startMs = performance.now()
    await call(url, 'POST', '/api/v1/auth/sessions/revoke-others', { token: (await login(url, `user${names - 1}`)).body.data.access_token })
    expect((await ended.promise).data.reason).toBe('auth.unauthenticated')
    expect(performance.now() - startMs).toBeLessThan(1_500) // with a login in it
  }, 30_000)

  if (driver === 'postgres') {
    it('hears of what happens at the other process', async () => {
      const [here, there] = [await serve(), await serve()]
      const [ann, bob] = [await newUser(here.url), await newUser(there.url)]
      const stream = await events(here.url, ann)
      await send(there.url, bob, ann, 'from there')
      await expect.poll(() => payloads(stream.events())).toEqual(['from there'])
      const moved = await events(there.url, ann, stream.events()[0]!.id)
      await expect.poll(() => payloads(moved.events())).toEqual(['from there'])
    })
  }
})
