import { join } from 'node:path'
import { currentCorrelation, readTraceparent } from '../src/core/correlation.ts'
import {
  compare,
  cpuMicros,
  median,
  overStarts,
  ratio,
  roundSeconds,
  shoot,
  startTarget,
  stopTargets,
  warmUp,
  type Shot,
  type Target,
} from './load.ts'
import type { Row } from './main.ts'

const rounds = 5
const tracingStarts = 8
/** Of 95 % with seven degrees of freedom. */
const studentT = 2.365
const callsTimed = 2_000_000
const statementsMax = 3
const read: Shot = { path: '/api/v1/users/1' }

/** What it costs to know what goes on: metrics and request logs, and traces that nobody has asked for. */
export async function observabilityRows(dir: string): Promise<Row[]> {
  return [await observing(dir), await tracesOff(dir), await withAndWithoutTraces(dir)]
}

async function observing(dir: string): Promise<Row> {
  const rates = await overStarts(async () => {
    const targets = { observed: await startTarget('product', dir), unobserved: await startTarget('unobserved', dir) }
    for (const { url } of Object.values(targets)) await warmUp(url, read)
    const { observed, unobserved } = targets
    const rates = await compare({ observed: () => shoot(observed.url, read), unobserved: () => shoot(unobserved.url, read) }, rounds)
    await stopTargets(...Object.values(targets))
    return rates
  })
  return {
    what: 'cost of metrics and request logs at info, of the throughput of GET /api/v1/users/{id}',
    value: (1 - ratio(rates, 'observed', 'unobserved')) * 100,
    unit: '%',
    bar: 20,
    better: 'less',
    note: `${Math.round(median(rates.observed!)).toLocaleString('en')}/s to ${Math.round(median(rates.unobserved!)).toLocaleString('en')}/s`,
  }
}

/** The calls by themselves, against the processor time of a whole request: a lower bound, for what they keep from being optimised is not in it. */
async function tracesOff(dir: string): Promise<Row> {
  const target = await startTarget('observed', dir)
  await warmUp(target.url, read)
  const micros: number[] = []
  for (let round = 0; round < rounds; round++) micros.push(await microsARequest(target))
  await stopTargets(target)
  const calls = Array.from({ length: rounds }, callMicros)
  return {
    what: 'processor time that traces take while they are off, of a GET /api/v1/users/{id}',
    value: (median(calls) / median(micros)) * 100,
    unit: '%',
    bar: 1,
    better: 'less',
    note: `${(median(calls) * 1000).toFixed(0)} ns of ${median(micros).toFixed(1)} µs`,
  }
}

/**
 * The product with the hooks of tracing and without them, over many starts: two processes of the same program differ by up to a tenth
 * for as long as they live. So it has no bar: what it says is the interval, and that nothing large hides behind the calls.
 */
async function withAndWithoutTraces(dir: string): Promise<Row> {
  const differences = await overStarts(async () => {
    const off = await startTarget('observed', dir)
    const none = await startTarget('untraced', dir, { nodeArgs: ['--import', join(import.meta.dirname, 'without-traces.ts')] })
    for (const target of [off, none]) await warmUp(target.url, read)
    const micros = await compare({ off: () => microsARequest(off), none: () => microsARequest(none) }, rounds)
    await stopTargets(off, none)
    return { percent: [(median(micros.off!) / median(micros.none!) - 1) * 100] }
  }, tracingStarts)
  const percents = differences.percent!
  const mean = percents.reduce((sum, one) => sum + one, 0) / percents.length
  const deviation = Math.sqrt(percents.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (percents.length - 1))
  const half = (studentT * deviation) / Math.sqrt(percents.length)
  return {
    what: 'processor time of a GET /api/v1/users/{id} with traces off, against one with no hooks of tracing in its path',
    value: mean,
    unit: '%',
    bar: undefined,
    better: 'less',
    note: `${(mean - half).toFixed(1)} to ${(mean + half).toFixed(1)} % at 95 %, by ${percents.length} starts: ${percents.map((one) => one.toFixed(1)).join(' ')}`,
  }
}

/** What a read asks for while nobody traces: the header, once; the span, at each statement and transaction, of which it has three at most. */
function callMicros(): number {
  const headers: Record<string, string> = { host: 'localhost', accept: '*/*' }
  let found = 0
  const startMs = performance.now()
  for (let i = 0; i < callsTimed; i++) {
    if (readTraceparent(headers.traceparent) !== undefined) found++
    for (let statement = 0; statement < statementsMax; statement++) if (currentCorrelation()?.span) found++
  }
  const micros = ((performance.now() - startMs) * 1000) / callsTimed
  if (found > 0) throw new Error('nobody traces here')
  return micros
}

async function microsARequest(target: Target): Promise<number> {
  const before = await cpuMicros(target)
  const perSecond = await shoot(target.url, read)
  return ((await cpuMicros(target)) - before) / (perSecond * roundSeconds)
}
