import { fork, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { cpuSecondsOf, listenerOn } from './cpu-time.ts'
import { median, shoot, warmUp, type Shot } from './load.ts'
import type { Row } from './main.ts'
import { newPostgresDatabase } from './postgres.ts'
import { login, newDataDir, registerAt } from './world.ts'

const bin = join(import.meta.dirname, '../../cli/bin/pinstack.js')
const sizes = [1, 2, 4]
const rounds = 3
const seconds = 3
/** Posts of one author wait for each other, at the author's counter. So there are many, and each connection begins with another. */
const authors = 64

interface Servers {
  postgres: string
  redis: string
  kafka: string
}

/**
 * Requests for each CPU second of the server's processes, Postgres, Redis and Kafka together: what more processes cost. Processes that
 * take turns on few cores cost more, whatever they do; so a bare server is measured in the same way over the same data,
 * and the bar is for what the product keeps of what that one keeps.
 */
export async function scaleRows(): Promise<Row[]> {
  const { TEST_POSTGRES_URL: postgres, TEST_REDIS_URL: redis, TEST_KAFKA_BROKERS: kafka } = process.env
  if (!postgres || !redis || !kafka) {
    process.stderr.write('scale: left out, it needs the servers of scripts/services.sh\n')
    return []
  }
  const seen: Record<Kind, Record<Side, Record<number, Seen[]>>> = {
    reads: { product: perSize(), bare: perSize() },
    writes: { product: perSize(), bare: perSize() },
  }
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) {
      for (const { kind, side, of } of await measure(size, { postgres, redis, kafka })) seen[kind][side][size]!.push(of)
    }
  }
  return kinds.flatMap((kind) =>
    sizes.slice(1).flatMap((size): Row[] => {
      const rate = (side: Side, at: number) => median(seen[kind][side][at]!.map(({ perCpuSecond }) => perCpuSecond))
      const kept = (side: Side) => rate(side, size) / rate(side, 1)
      const shares = Object.entries(seen[kind].product[size]!.at(-1)!.shares).map(([part, share]) => `${part} ${Math.round(100 * share)} %`)
      const what = `${kind} for each CPU second, ${size} processes : 1`
      const [product, bare] = [kept('product'), kept('bare')]
      const row = { what, value: product, unit: '×', bar: undefined, better: 'more' as const }
      return [
        {
          ...row,
          note: `${Math.round(rate('product', size))} to ${Math.round(rate('product', 1))}; of the time: ${shares.join(', ')}`,
        },
        { ...row, what: `  the same, to what a bare server keeps`, value: product / bare, bar: 0.85, note: `it keeps ${bare.toFixed(2)}` },
      ]
    }),
  )
}

const kinds = ['reads', 'writes'] as const
type Kind = (typeof kinds)[number]
type Side = 'product' | 'bare'

interface Seen {
  perCpuSecond: number
  /** Of the CPU time, by part. */
  shares: Record<string, number>
}

const perSize = (): Record<number, Seen[]> => Object.fromEntries(sizes.map((size) => [size, []]))

async function measure(size: number, servers: Servers): Promise<{ kind: Kind; side: Side; of: Seen }[]> {
  const database = await newPostgresDatabase(servers.postgres)
  const parts = {
    postgres: listenerOn(Number(new URL(servers.postgres).port || 5432)),
    redis: listenerOn(Number(new URL(servers.redis).port || 6379)),
    kafka: listenerOn(Number(servers.kafka.split(',')[0]!.split(':')[1])),
  }
  const on = async (side: Side, { child, url }: Started, headersOf: HeadersOf) => {
    const shots: [Kind, Shot][] = [
      ['reads', { path: '/api/v1/posts/list?limit=20' }],
      ['writes', writesOf(await headersOf(url))],
    ]
    const seen: { kind: Kind; side: Side; of: Seen }[] = []
    try {
      for (const [kind, shot] of shots) {
        for (let i = 0; i < size; i++) await warmUp(url, shot) // each process has its own code to compile
        seen.push({ kind, side, of: await perCpu({ server: child.pid!, ...parts }, url, shot) })
      }
    } finally {
      child.kill()
      await once(child, 'exit')
    }
    return seen
  }
  try {
    let ids: number[] = []
    const product = await on('product', await start(size, { ...servers, postgres: database.url, name: database.name }), async (url) => {
      const accounts = await Promise.all(Array.from({ length: authors }, (_, index) => registerAt(url, `${login}_${index}`)))
      ids = accounts.map(({ id }) => id)
      return accounts.map(({ token }) => ({ authorization: `Bearer ${token}` }))
    })
    const bare = await on('bare', await startBare(size, database.url), async () => ids.map((id) => ({ 'x-user': String(id) })))
    return [...product, ...bare]
  } finally {
    await database.drop()
  }
}

interface Started {
  child: ChildProcess
  url: string
}

/** What tells the server at `url` who writes, for each author. */
type HeadersOf = (url: string) => Promise<Record<string, string>[]>

function writesOf(headers: Record<string, string>[]): Shot {
  const body = JSON.stringify({ title: 'A day at the lake', content: 'We swam, and slept in the shade.', tags: ['lake', 'day'] })
  const path = '/api/v1/posts'
  const requests = headers.map((own) => ({ method: 'POST' as const, path, body, headers: { ...own, 'content-type': 'application/json' } }))
  return { path, requests }
}

async function perCpu(roots: Record<string, number>, url: string, shot: Shot): Promise<Seen> {
  const times = () => Object.fromEntries(Object.entries(roots).map(([part, id]) => [part, cpuSecondsOf(id)]))
  const before = times()
  const rate = await shoot(url, shot, seconds)
  await sleep(500) // for what the requests have left to do
  const after = times()
  const spent = Object.fromEntries(Object.keys(roots).map((part) => [part, after[part]! - before[part]!]))
  const total = Object.values(spent).reduce((sum, one) => sum + one, 0)
  const shares = Object.fromEntries(Object.entries(spent).map(([part, one]) => [part, one / total]))
  return { perCpuSecond: (rate * seconds) / total, shares }
}

async function start(size: number, { postgres, redis, kafka, name }: Servers & { name: string }): Promise<Started> {
  const dir = newDataDir()
  mkdirSync(dir, { recursive: true })
  const settings = {
    'redis.url': redis,
    'redis.prefix': `${name}:`,
    'kafka.brokers': kafka,
    'kafka.clientId': name,
    'rateLimits.enabled': false,
  }
  const sets = Object.entries(settings).flatMap(([key, value]) => ['--set', `${key}=${value}`])
  const free = ['--data', dir, '--port', '0', '--metrics-port', '0', '--database', postgres, '--processes', String(size)]
  const child = spawn(process.execPath, [bin, 'up', ...free, ...sets], { cwd: dir, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text))
  while (!said.includes('Next:')) {
    if (child.exitCode !== null) throw new Error(`pinstack up ended: ${said}`)
    await sleep(20)
  }
  return { child, url: /API {7}(\S+)/.exec(said)![1]! }
}

async function startBare(size: number, databaseUrl: string): Promise<Started> {
  const child = fork(join(import.meta.dirname, 'bare-processes.ts'), [databaseUrl, String(size)])
  const [url] = await once(child, 'message')
  return { child, url: String(url) }
}
