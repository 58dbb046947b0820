import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, openSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import autocannon from 'autocannon'
import type { Row } from './main.ts'

export const connections = 32
/** Short, so that the two sides of a ratio meet the same minute of the machine. */
export const roundSeconds = 1
const warmUpSeconds = 3
/** A process may be a fifth faster or slower than the next of the same program, for as long as it lives. */
const starts = 3

export interface Target {
  url: string
  child: ChildProcess
  metricsUrl: string | undefined
}

/** Starts `name` of target.ts, over data of its own: a copy of `dir`, unless it goes on with the one it has. Its log goes where production's goes nowhere: a file that nobody reads. */
export async function startTarget(name: string, dir: string, { goesOn = false, nodeArgs = [] as string[] } = {}): Promise<Target> {
  const own = join(dir, '..', name)
  if (!goesOn) {
    rmSync(own, { recursive: true, force: true })
    cpSync(dir, own, { recursive: true })
  }
  const child = fork(join(import.meta.dirname, 'target.ts'), [name, own], {
    stdio: ['ignore', openSync('/dev/null', 'w'), 'inherit', 'ipc'],
    execArgv: [...process.execArgv, '--expose-gc', ...nodeArgs],
  })
  const [addresses] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => {
      throw new Error(`${name} did not start`)
    }),
  ])
  const [url, metricsUrl] = String(addresses).split(' ')
  return { url: url!, metricsUrl, child }
}

/** What the processor has done for a target that says so, in microseconds. */
export async function cpuMicros({ child }: Target): Promise<number> {
  child.send('cpu')
  const [micros] = await once(child, 'message')
  return Number(micros)
}

export interface Shot {
  method?: 'GET' | 'POST'
  path: string
  body?: string
  headers?: Record<string, string>
  /** In turn, in place of the one above; each connection begins at another. */
  requests?: { method: 'POST'; path: string; body: string; headers: Record<string, string> }[]
}

/** Requests a second over `seconds`. Any answer that is not 2xx ends the benchmark. */
export async function shoot(
  url: string,
  { path, requests: list, ...shot }: Shot,
  seconds = roundSeconds,
  at = connections,
): Promise<number> {
  let opened = 0
  const setupClient = (client: autocannon.Client) => {
    if (!list) return
    const first = Math.floor((list.length * opened++) / at) // together, they would ask for the same at the same time
    client.setRequests([...list.slice(first), ...list.slice(0, first)])
  }
  const load = { url: url + path, connections: at, duration: seconds, setupClient, ...shot }
  const { requests, non2xx, errors, duration } = await autocannon(load)
  if (non2xx + errors > 0) throw new Error(`${url}${path}: ${non2xx} bad answers, ${errors} errors`)
  return requests.total / duration
}

/** Loads each in turn, round after round, and gives the rates of each by round: what the machine does besides hits all alike. */
export async function compare(contenders: Record<string, () => Promise<number>>, rounds: number): Promise<Record<string, number[]>> {
  const rates: Record<string, number[]> = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round++) {
    for (const [name, run] of Object.entries(contenders)) rates[name]!.push(await run())
  }
  return rates
}

/** What `once` gives, over several starts of the processes that it measures. */
export async function overStarts(once: () => Promise<Record<string, number[]>>, times = starts): Promise<Record<string, number[]>> {
  const all: Record<string, number[]> = {}
  for (let start = 0; start < times; start++) {
    for (const [name, rates] of Object.entries(await once())) (all[name] ??= []).push(...rates)
  }
  return all
}

/** Resolves once their processes are gone. */
export async function stopTargets(...targets: Target[]): Promise<void> {
  for (const { child } of targets) {
    child.kill()
    await once(child, 'exit')
  }
}

export async function warmUp(url: string, shot: Shot): Promise<void> {
  await shoot(url, shot, warmUpSeconds)
}

/** The median of the rounds' ratios. */
export function ratio(rates: Record<string, number[]>, of: string, to: string): number {
  const ratios = rates[of]!.map((rate, round) => rate / rates[to]![round]!).toSorted((a, b) => a - b)
  return ratios[Math.floor(ratios.length / 2)]!
}

/** The ratio of two rates, and what they were. */
export function rateRow(rates: Record<string, number[]>, what: string, { of, to, bar }: { of: string; to: string; bar?: number }): Row {
  const perSecond = (name: string) => `${Math.round(median(rates[name]!)).toLocaleString('en')}/s`
  return { what, value: ratio(rates, of, to), unit: '×', bar, better: 'more', note: `${perSecond(of)} to ${perSecond(to)}` }
}

export function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!
}
