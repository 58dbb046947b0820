import * as argon2 from '@node-rs/argon2'
import { loopResolutionMs } from '../src/surfaces/metrics.ts'
import { compare, median, ratio, shoot, startTarget, stopTargets, type Shot } from './load.ts'
import type { Row } from './main.ts'
import { login, password, registerAt } from './world.ts'

const rounds = 3
const seconds = 6
const atOnce = 16
/** One account with all the logins would be at its limit of sessions, and each login end another. */
const accounts = 200

/** Logins through all of the server, against what argon2id alone does on the thread pool of the same machine. */
export async function loginRows(dir: string): Promise<Row[]> {
  const target = await startTarget('unlimited', dir)
  const { url, metricsUrl } = target
  const headers = { 'content-type': 'application/json' }
  const path = '/api/v1/auth/login'
  const names = Array.from({ length: accounts }, (_, index) => `${login}_${index}`)
  for (const name of names) await registerAt(url, name)
  const requests = names.map((login) => ({
    method: 'POST' as const,
    path,
    body: JSON.stringify({ login, password }),
    headers,
  }))
  const shot: Shot = { path, requests }
  const hash = await argon2.hash(password, { memoryCost: 19_456, timeCost: 2, parallelism: 1 })
  await Promise.all([shoot(url, shot, 2, atOnce), hashRate(hash, 1)])
  const lagsMs: number[] = []
  const rates = await compare(
    {
      argon2id: () => hashRate(hash, seconds),
      async login() {
        await lagMs(metricsUrl!) // each reading starts anew
        const rate = await shoot(url, shot, seconds, atOnce)
        lagsMs.push(await lagMs(metricsUrl!))
        return rate
      },
    },
    rounds,
  )
  await stopTargets(target)
  const note = `${median(rates.login!).toFixed(1)}/s to ${median(rates.argon2id!).toFixed(1)}/s`
  return [
    {
      what: 'logins : bare argon2id of the thread pool',
      value: ratio(rates, 'login', 'argon2id'),
      unit: '×',
      bar: 0.85,
      better: 'more',
      note,
    },
    {
      what: 'event loop meanwhile, p99 of its lag',
      value: median(lagsMs),
      unit: 'ms',
      bar: 30,
      better: 'less',
      note: `rounds: ${lagsMs.map((ms) => ms.toFixed(1)).join(', ')}`,
    },
  ]
}

/** Verifications a second with the pool full. */
async function hashRate(hash: string, forSeconds: number): Promise<number> {
  const startMs = performance.now()
  let done = 0
  await Promise.all(
    Array.from({ length: atOnce }, async () => {
      while (performance.now() - startMs < forSeconds * 1000) {
        await argon2.verify(hash, password)
        done++
      }
    }),
  )
  return done / ((performance.now() - startMs) / 1000)
}

async function lagMs(metricsUrl: string): Promise<number> {
  const text = await (await fetch(metricsUrl)).text()
  return Number(/^pinstack_nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(text)![1]) * 1000 - loopResolutionMs
}
