import { once } from 'node:events'
import { request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuMicros, startTarget, stopTargets, type Target } from './load.ts'
import type { Row } from './main.ts'
import { registerAt } from './world.ts'

const streamsMax = 1_000
const perUser = 20
const follows = 400
/** Two heartbeats. */
const idleMs = 30_000
/** For what a start and a rush leave to do: compiling, collecting garbage. */
const settleMs = 5_000

interface User {
  id: number
  token: string
}
interface Usage {
  rssBytes: number
  usedBytes: number
}

/** 1,000 open streams that hear nothing, and how long a follow takes to one of them. */
export async function liveRows(dir: string): Promise<Row[]> {
  const users: User[] = []
  const seeding = await startTarget('streams', dir) // another process: what registrations leave behind in memory would hide what streams take
  for (let i = 0; i < streamsMax / perUser; i++) users.push(await registerAt(seeding.url, `live_${i}`))
  await stopTargets(seeding)
  return [
    ...(await streamRows(dir, users, 'plain SSE', '/api/v1/notification/stream')),
    ...(await streamRows(dir, users, 'tRPC', '/trpc/live.notifications')),
  ]
}

async function streamRows(dir: string, users: User[], name: string, path: string): Promise<Row[]> {
  const target = await startTarget('streams', dir, { goesOn: true })
  for (let i = 0; i < 200; i++)
    await fetch(`${target.url}/api/v1/notification/unread-count`, {
      headers: { authorization: `Bearer ${users[i % users.length]!.token}` },
    })
  await sleep(settleMs)
  const cpuBefore = await cpuShare(target)
  const before = await usageOf(target)
  const streams: Stream[] = []
  for (const user of users) for (let i = 0; i < perUser; i++) streams.push(await openStream(target.url + path, user.token))
  await sleep(settleMs)
  const opened = await usageOf(target)
  const cpuWith = await cpuShare(target)
  const ms = (await followToMessage(target.url, users, streams[0]!)).toSorted((a, b) => a - b)
  for (const { close } of streams) close()
  await stopTargets(target)
  const at = (share: number) => ms[Math.ceil(ms.length * share) - 1]!
  return [
    {
      what: `follow to ${name} message at the client, p99`,
      value: at(0.99),
      unit: 'ms',
      bar: 60,
      better: 'less',
      note: `${streamsMax} streams open; p50 ${at(0.5).toFixed(1)} ms, slowest ${at(1).toFixed(1)} ms`,
    },
    {
      what: `memory of an idle ${name} stream`,
      value: Math.max(opened.rssBytes - before.rssBytes, opened.usedBytes - before.usedBytes) / 1024 / streamsMax,
      unit: 'KiB',
      bar: 60,
      better: 'less',
      note: `${mib(before.rssBytes)} to ${mib(opened.rssBytes)} resident, with ${streamsMax}; in use ${mib(before.usedBytes)} to ${mib(opened.usedBytes)}`,
    },
    {
      what: `the process with ${streamsMax} idle ${name} streams, of one core`,
      value: 100 * cpuWith,
      unit: '%',
      bar: 1,
      better: 'less',
      note: `${(100 * cpuBefore).toFixed(2)} % without them; heartbeats included`,
    },
  ]
}

const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(0)} MiB`

async function usageOf({ child }: Target): Promise<Usage> {
  child.send('memory')
  return (await once(child, 'message'))[0] as Usage
}

async function cpuShare(target: Target): Promise<number> {
  const [before, startMs] = [await cpuMicros(target), performance.now()]
  await sleep(idleMs)
  return ((await cpuMicros(target)) - before) / 1000 / (performance.now() - startMs)
}

async function send(url: string, path: string, token: string | undefined, body: object): Promise<any> {
  const response = await fetch(url + path, {
    method: 'POST',
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  })
  const answer = (await response.json()) as any
  if (!response.ok) throw new Error(`${path}: ${JSON.stringify(answer)}`)
  return answer.data
}

interface Stream {
  /** Called with the text of each chunk. */
  onText: (text: string) => void
  close(): void
}

function openStream(url: string, token: string): Promise<Stream> {
  return new Promise((resolve, reject) => {
    const stream: Stream = { onText() {}, close: () => asked.destroy() }
    const asked = request(url, { agent: false, headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } })
    asked.once('error', reject)
    asked.once('response', (response) => {
      if (response.statusCode !== 200) return reject(new Error(`${url}: ${response.statusCode}`))
      response.setEncoding('utf8').on('data', (text: string) => stream.onText(text))
      response.on('error', () => {})
      resolve(stream)
    })
    asked.end()
  })
}

/** From before the request to the message, one after the other. The first ones warm up. */
async function followToMessage(url: string, users: User[], stream: Stream): Promise<number[]> {
  const warmUps = 40
  const [followee, ...followers] = users as [User, ...User[]]
  const tookMs: number[] = []
  for (let i = 0; i < follows + warmUps; i++) {
    const follower = followers[i % followers.length]!
    const came = new Promise<void>((resolve) => {
      stream.onText = (text) => void (text.includes(`"follower_id":${follower.id},`) && resolve())
    })
    const startMs = performance.now()
    const followed = send(url, '/api/v1/relation/follow', follower.token, { followee_id: followee.id })
    await came
    if (i >= warmUps) tookMs.push(performance.now() - startMs)
    await followed
    await send(url, '/api/v1/relation/unfollow', follower.token, { followee_id: followee.id })
    await sleep(5)
  }
  return tookMs
}
