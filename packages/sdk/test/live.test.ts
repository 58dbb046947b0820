import { createServer as createHttpServer } from 'node:http'
import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createServer } from '@pinstack/server'
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from 'vitest'
import { createPinstack, type Fetch, type LiveOptions, type LiveStatus, type NotificationChange, type Reset } from '../src/client.ts'
import { expired, record, registered, startServer, type RunningServer, type TestUser } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

let leave: AbortController
afterEach(() => leave?.abort())
const left = () => (leave = new AbortController()).signal

const textOf = (change: NotificationChange | Reset) => (change.type === 'created' ? change.notification.payload : change.type)
const send = (to: TestUser, payload: unknown) => to.pinstack.notifications.send({ userId: to.session().userId, type: 'note', payload })

/** What a stream says, and how it is doing. */
function follow(user: TestUser, options: LiveOptions = {}) {
  const [got, statuses, errors]: [unknown[], LiveStatus[], any[]] = [[], [], []]
  const stream = user.pinstack.live.notifications({ ...options, signal: left(), onStatus: (status) => void statuses.push(status) })
  const stop = stream.listen(
    (change) => void got.push(textOf(change)),
    (error) => void errors.push(error),
  )
  const states = () => statuses.map(({ state }) => state)
  return { stream, stop, got, statuses, errors, states, isLive: () => expect.poll(states).toContain('live') }
}

/** Passes bytes on to the server, until it is told to cut all connections. */
async function proxy(target: string) {
  const sockets = new Set<Socket>()
  let isOpen = true
  const tcp = createTcpServer((socket) => {
    if (!isOpen) return void socket.destroy()
    const upstream = connect(Number(new URL(target).port), '127.0.0.1')
    for (const [one, other] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(one)
      one.on('error', () => {}).on('close', () => other.destroy())
      one.pipe(other)
    }
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => tcp.once('listening', resolve))
  const cut = () => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    tcp.close()
  })
  return {
    url: `http://127.0.0.1:${(tcp.address() as AddressInfo).port}`,
    cut,
    open: (now: boolean) => {
      isOpen = now
    },
    hold: () => {
      for (const socket of sockets) socket.pause()
    },
  }
}

it('gives what happens to a loop, until the loop is left', async () => {
  const [ann, bob] = [await registered(server.url), await registered(server.url)]
  const got: (NotificationChange | Reset)[] = []
  const stream = ann.pinstack.live.notifications({ onStatus: ({ state }) => state === 'live' && got.length === 0 && void go() })
  async function go() {
    await bob.pinstack.relations.follow(ann.session().userId)
    const id = await send(ann, 'note')
    await ann.pinstack.notifications.read(id)
    await ann.pinstack.notifications.remove(id)
  }
  for await (const change of stream) if (got.push(change) === 4) break
  expect(got.map(({ type }) => type).toSorted()).toEqual(['created', 'created', 'read', 'removed'])
  expect(
    got
      .filter((change) => change.type === 'created')
      .map(({ notification: { type, origin } }) => [type, origin])
      .toSorted(),
  ).toEqual([
    ['follow_created', 'system'],
    ['note', 'user'],
  ])
  expect(stream.lastEventId).toMatch(/^\d+$/)
  await send(ann, 'between')
  for await (const change of stream) {
    // goes on where it was left
    expect(textOf(change)).toBe('between')
    break
  }
})

it('tells the number of unread notifications, who follows, and what those whom one follows post', async () => {
  const [ann, bob] = [await registered(server.url), await registered(server.url)]
  await ann.pinstack.relations.follow(bob.session().userId)
  const [counts, relations, posts]: [number[], unknown[], unknown[]] = [[], [], []]
  const signal = left()
  let live = 0
  const onStatus = ({ state }: LiveStatus) => void (state === 'live' && live++)
  ann.pinstack.live.unreadCount({ signal }).listen((count) => void counts.push(count))
  ann.pinstack.live
    .relations({ signal, onStatus })
    .listen((change) => void relations.push('user' in change ? [change.type, change.user?.username] : change.type))
  ann.pinstack.live.posts({ signal, onStatus }).listen((change) => void posts.push('post' in change ? change.post.title : change.type))
  await expect.poll(() => [counts, live]).toEqual([[0], 2])
  await bob.pinstack.relations.follow(ann.session().userId)
  await bob.pinstack.posts.create({ title: 'News', content: 'For those who follow.' })
  await expect.poll(() => [counts, relations, posts]).toEqual([[0, 1], [['followed', bob.username]], ['News']])
  await bob.pinstack.relations.unfollow(ann.session().userId)
  await expect.poll(() => [counts.at(-1), relations.at(-1)]).toEqual([0, ['unfollowed', bob.username]])
})

it('comes back by itself after the connection is lost, and has missed nothing', async () => {
  const { url, cut, open } = await proxy(server.url)
  const ann = await registered(url)
  const { got, states, statuses, isLive } = follow(ann)
  await isLive()
  await send(ann, 'before')
  await expect.poll(() => got).toEqual(['before'])
  const direct = createPinstack({ url: server.url, store: ann.store })
  for (const round of [1, 2]) {
    open(false)
    cut()
    await direct.notifications.send({ userId: ann.session().userId, type: 'note', payload: `away ${round}` })
    await expect.poll(states).toContain('waiting')
    await sleep(round === 2 ? 1_200 : 0) // long enough for a try that fails
    open(true)
    await expect.poll(() => got, { timeout: 8_000 }).toContain(`away ${round}`)
  }
  await send(ann, 'after')
  await expect.poll(() => got).toEqual(['before', 'away 1', 'away 2', 'after'])
  expect(statuses.find(({ state }) => state === 'waiting')).toMatchObject({ retryInMs: expect.any(Number), error: { code: 'network' } })
}, 30_000)

it('goes on over a restart of the server', async () => {
  const first = await startServer()
  const ann = await registered(first.url)
  const { got, statuses, isLive } = follow(ann)
  await isLive()
  await send(ann, 'before')
  await expect.poll(() => got).toEqual(['before'])
  const { config } = first
  await first.stop()
  config.http.port = Number(new URL(first.url).port)
  const second = await createServer(config)
  onTestFinished(() => second.close())
  await second.listen()
  await send(ann, 'after')
  await expect.poll(() => got, { timeout: 8_000 }).toEqual(['before', 'after'])
  expect(statuses.find(({ state }) => state === 'waiting')).toMatchObject({ error: null }) // the server said good-bye
}, 30_000)

it('renews the session when its token is refused, without losing its place', async () => {
  const recorder = record()
  const ann = await registered(server.url, { fetch: recorder.fetch })
  const session = ann.session()
  await ann.store.save({ ...session, accessToken: expired(session.accessToken) })
  const { got, errors, states, isLive } = follow(ann)
  await isLive()
  expect([recorder.count('auth.refresh'), states()]).toEqual([1, ['connecting', 'connecting', 'live']])
  await send(ann, 'renewed')
  await expect.poll(() => got).toEqual(['renewed'])
  expect(errors).toEqual([])
})

it('ends for good when the session does', async () => {
  const ann = await registered(server.url)
  const other = createPinstack({ url: server.url })
  await other.login({ login: ann.username, password: ann.password })
  const { errors, statuses, isLive } = follow(ann)
  await isLive()
  await other.sessions.revokeOthers()
  await expect.poll(() => errors.map(({ code }) => code)).toEqual(['auth.unauthenticated'])
  expect(statuses.at(-1)).toMatchObject({ state: 'closed', error: { code: 'auth.unauthenticated' } })
  await expect(ann.pinstack.live.notifications()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'auth.unauthenticated' })
})

it('ends without an error when it is stopped, also while it waits', async () => {
  const ann = await registered(server.url)
  const first = follow(ann)
  await first.isLive()
  first.stop()
  await expect.poll(first.states).toEqual(['connecting', 'live', 'closed'])
  const away = { ...ann, pinstack: createPinstack({ url: 'http://127.0.0.1:9', store: ann.store }) }
  const second = follow(away)
  await expect.poll(second.states).toEqual(['connecting', 'waiting'])
  leave.abort()
  await expect.poll(second.states).toEqual(['connecting', 'waiting', 'closed'])
  expect([first.errors, second.errors]).toEqual([[], []])
})

it('says reset when what was missed is not kept', async () => {
  const ann = await registered(server.url)
  const { got } = follow(ann, { lastEventId: '999999999' })
  await expect.poll(() => got).toEqual(['reset'])
})

it('takes a connection that has gone silent for lost', async () => {
  const quick = await startServer({ 'live.heartbeat': '1s' })
  onTestFinished(() => quick.close())
  const { url, hold } = await proxy(quick.url)
  const ann = await registered(url)
  const { statuses, isLive } = follow(ann)
  await isLive()
  hold()
  await expect
    .poll(() => statuses.find(({ state }) => state === 'waiting'), { timeout: 6_000 })
    .toMatchObject({ error: { code: 'timeout' } })
}, 15_000)

it('tries again where the server has no room, and not where the answer would be the same', async () => {
  const small = await startServer({ 'live.streamsPerUser': '1' })
  onTestFinished(() => small.close())
  const ann = await registered(small.url)
  const first = follow(ann)
  await first.isLive()
  const second = follow(ann)
  await expect
    .poll(() => second.statuses.find(({ state }) => state === 'waiting'))
    .toMatchObject({ error: { code: 'live.too_many_streams', status: 429 } })
  first.stop()
  await expect.poll(second.states, { timeout: 5_000 }).toContain('live')

  const other = createHttpServer(
    (_, response) => void response.writeHead(404, { 'content-type': 'text/html' }).end('<h1>Not here</h1>'),
  ).listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  onTestFinished(() => void other.close())
  const lost = { ...ann, pinstack: createPinstack({ url: `http://127.0.0.1:${(other.address() as AddressInfo).port}`, store: ann.store }) }
  const third = follow(lost)
  await expect.poll(() => third.errors).toMatchObject([{ code: 'bad_response', status: 404 }])
}, 15_000)

it('never has the token in a URL', async () => {
  const urls: string[] = []
  const watching: Fetch = (url, init) => (urls.push(url), fetch(url, init))
  const ann = await registered(server.url, { fetch: watching })
  const { isLive } = follow(ann)
  await isLive()
  expect(urls.filter((url) => url.includes(ann.session().accessToken))).toEqual([])
  expect(urls.at(-1)).toBe(`${server.url}/trpc/live.notifications`)
})
