import { connect, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest'
import { createPinstack, type LiveStatus } from '../src/client.ts'
import { registered, startServer, type RunningServer } from './running-server.ts'

const notifications = 1_000
const cuts = 50

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

/** Passes bytes on, and cuts each connection in the middle of what the server sends, somewhere: between events or within one. */
async function cuttingProxy(target: string) {
  const state = { cuts: 0, isCutting: true }
  const tcp = createTcpServer((socket: Socket) => {
    const upstream = connect(Number(new URL(target).port), '127.0.0.1')
    const end = () => {
      socket.destroy()
      upstream.destroy()
    }
    for (const one of [socket, upstream]) one.on('error', () => {}).on('close', end)
    socket.pipe(upstream)
    let bytesLeft = 3_000 + Math.floor(Math.random() * 1_500)
    upstream.on('data', (chunk: Buffer) => {
      if (!state.isCutting || chunk.length < bytesLeft) {
        bytesLeft -= chunk.length
        return void socket.write(chunk)
      }
      state.isCutting = ++state.cuts < cuts
      socket.write(chunk.subarray(0, bytesLeft), end)
    })
  }).listen(0, '127.0.0.1')
  await new Promise((resolve) => tcp.once('listening', resolve))
  onTestFinished(() => void tcp.close())
  return { state, url: `http://127.0.0.1:${(tcp.address() as AddressInfo).port}` }
}

it(`gets ${notifications} notifications over a connection that is cut ${cuts} times meanwhile: all, in order, none twice`, async () => {
  const ann = await registered(server.url)
  const { state, url } = await cuttingProxy(server.url)
  const statuses: LiveStatus[] = []
  const got: unknown[] = []
  const leave = new AbortController()
  onTestFinished(() => leave.abort())
  const through = createPinstack({ url, store: ann.store })
  const stream = through.live.notifications({ signal: leave.signal, onStatus: (status) => void statuses.push(status) })
  const errors: unknown[] = []
  stream.listen(
    (change) => void got.push(change.type === 'created' ? change.notification.payload : change),
    (error) => void errors.push(error),
  )
  await expect.poll(() => statuses.map(({ state }) => state)).toContain('live')

  const userId = ann.session().userId
  const perCut = notifications / cuts
  for (let sent = 0; sent < notifications; ) {
    // As many as one cut needs, then what the connection is doing decides: it is cut while they come.
    const cutsBefore = state.cuts
    for (let i = 0; i < perCut; i++) await ann.pinstack.notifications.send({ userId, type: 'note', payload: sent++ })
    await expect.poll(() => state.cuts > cutsBefore || got.length === sent, { timeout: 30_000, interval: 20 }).toBe(true)
  }
  await expect.poll(() => got.length, { timeout: 60_000 }).toBe(notifications)
  await ann.pinstack.notifications.send({ userId, type: 'note', payload: 'the last' })
  await expect.poll(() => got.at(-1), { timeout: 60_000 }).toBe('the last')

  expect(got).toEqual([...Array(notifications).keys(), 'the last'])
  expect(errors).toEqual([])
  expect(state.cuts).toBe(cuts)
  expect(statuses.filter(({ state }) => state === 'waiting')).toHaveLength(cuts)
}, 240_000)
