import { spawn, type ChildProcess } from 'node:child_process'
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
/** Posts of one author wait for each other, at the author's counter. */
const authors = 64

interface Servers {
  postgres: string
  redis: string
  kafka: string
}

/** Requests for each CPU second of the server's processes, Postgres, Redis and Kafka together: what more processes cost, on however few cores. */
export async function scaleRows(): Promise<Row[]> {
  const { TEST_POSTGRES_URL: postgres, TEST_REDIS_URL: redis, TEST_KAFKA_BROKERS: kafka } = process.env
  if (!postgres || !redis || !kafka) {
    process.stderr.write('scale: left out, it needs the servers of scripts/services.sh\n')
    return []
  }
  const seen = { reads: perSize(), writes: perSize() }
  for (let round = 0; round < rounds; round++) {
    for (const size of sizes) {
      const { reads, writes } = await measure(size, { postgres, redis, kafka })
      seen.reads[size]!.push(reads)
      seen.writes[size]!.push(writes)
    }
  }
  return Object.entries(seen).flatMap(([kind, bySize]) =>
    sizes.slice(1).map((size): Row => {
      const rate = (of: number) => median(bySize[of]!.map(({ perCpuSecond }) => perCpuSecond))
      const shares = Object.entries(bySize[size]!.at(-1)!.shares).map(([part, share]) => `${part} ${Math.round(100 * share)} %`)
      return {
        what: `${kind} for each CPU second, ${size} processes : 1`,
        value: rate(size) / rate(1),
        unit: '×',
        bar: 0.85,
        better: 'more',
        note: `${Math.round(rate(size))} to ${Math.round(rate(1))}; of the time: ${shares.join(', ')}`,
      }
    }),
  )
}

interface Seen {
  perCpuSecond: number
  /** Of the CPU time, by part. */
  shares: Record<string, number>
}

const perSize = (): Record<number, Seen[]> => Object.fromEntries(sizes.map((size) => [size, []]))

async function measure(size: number, servers: Servers): Promise<{ reads: Seen; writes: Seen }> {
  const database = await newPostgresDatabase(servers.postgres)
  const { child, url } = await start(size, { ...servers, postgres: database.url, name: database.name })
  try {
    const body = JSON.stringify({ title: 'A day at the lake', content: 'We swam, and slept in the shade.', tags: ['lake', 'day'] })
    const tokens = await Promise.all(
      Array.from({ length: authors }, async (_, index) => (await registerAt(url, `${login}_${index}`)).token),
    )
    const path = '/api/v1/posts'
    const write: Shot = {
      path,
      requests: tokens.map((token) => ({
        method: 'POST',
        path,
        body,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      })),
    }
    const read: Shot = { path: '/api/v1/posts/list?limit=20' }
    const roots = {
      server: child.pid!,
      postgres: listenerOn(Number(new URL(servers.postgres).port || 5432)),
      redis: listenerOn(Number(new URL(servers.redis).port || 6379)),
      kafka: listenerOn(Number(servers.kafka.split(',')[0]!.split(':')[1])),
    }
    await warmUp(url, write)
    await warmUp(url, read)
    return { reads: await perCpu(roots, url, read), writes: await perCpu(roots, url, write) }
  } finally {
    child.kill()
    await once(child, 'exit')
    await database.drop()
  }
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

async function start(
  size: number,
  { postgres, redis, kafka, name }: Servers & { name: string },
): Promise<{ child: ChildProcess; url: string }> {
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
