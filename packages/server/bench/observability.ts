import { once } from 'node:events'
import { compare, median, ratio, shoot, startTarget, warmUp, type Shot, type Target } from './load.ts'
import type { Row } from './main.ts'

const rounds = 5
/** A hundredth is less than what a machine does besides: it takes many short rounds, and processor time instead of time. */
const pairs = 25
const pairSeconds = 1.5
const read: Shot = { path: '/api/v1/users/1' }

/** What it costs to know what goes on: metrics and request logs, and traces that nobody has asked for. */
export async function observabilityRows(dir: string): Promise<Row[]> {
  return [await observing(dir), await tracesOff(dir)]
}

async function observing(dir: string): Promise<Row> {
  const [observed, unobserved] = [await startTarget('product', dir), await startTarget('unobserved', dir)]
  for (const { url } of [observed, unobserved]) await warmUp(url, read)
  const rates = await compare({ observed: () => shoot(observed.url, read), unobserved: () => shoot(unobserved.url, read) }, rounds)
  await stop(observed, unobserved)
  return {
    what: 'cost of metrics and request logs at info, of the throughput of GET /api/v1/users/{id}',
    value: (1 - ratio(rates, 'observed', 'unobserved')) * 100,
    unit: '%',
    bar: 20,
    better: 'less',
    note: `${Math.round(median(rates.observed!)).toLocaleString('en')}/s to ${Math.round(median(rates.unobserved!)).toLocaleString('en')}/s`,
  }
}

async function tracesOff(dir: string): Promise<Row> {
  const [off, without] = [await startTarget('hooked', dir), await startTarget('unhooked', dir)]
  for (const { url } of [off, without]) await warmUp(url, read)
  const ratios: number[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? [off, without] : [without, off] // what warms up or slows down favours neither
    const micros = new Map<Target, number>()
    for (const target of order) micros.set(target, await microsARequest(target))
    ratios.push(micros.get(off)! / micros.get(without)!)
  }
  await stop(off, without)
  return {
    what: 'processor time that traces take while they are off, of a GET /api/v1/users/{id}',
    value: (median(ratios) - 1) * 100,
    unit: '%',
    bar: 1,
    better: 'less',
    note: `median of ${pairs} pairs; middle half ${quartiles(ratios)}`,
  }
}

function quartiles(ratios: number[]): string {
  const sorted = ratios.toSorted((a, b) => a - b).map((one) => ((one - 1) * 100).toFixed(2))
  return `${sorted[Math.floor(sorted.length / 4)]} to ${sorted[Math.floor((sorted.length * 3) / 4)]} %`
}

async function microsARequest(target: Target): Promise<number> {
  const before = await cpuMicros(target)
  const perSecond = await shoot(target.url, read, pairSeconds)
  return ((await cpuMicros(target)) - before) / (perSecond * pairSeconds)
}

async function cpuMicros({ child }: Target): Promise<number> {
  child.send('cpu')
  const [micros] = await once(child, 'message')
  return Number(micros)
}

async function stop(...targets: Target[]): Promise<void> {
  for (const { child } of targets) {
    child.kill()
    await once(child, 'exit')
  }
}
