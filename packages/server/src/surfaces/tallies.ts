import { Counter, type Metric, type Registry } from 'prom-client'

// What happens in each request, and several times in some, is counted here: prom-client's own makes and hashes the labels at each call,
// which is 0.6 µs and garbage in a request of 17.

type Labels = Record<string, string | number>

interface Sample {
  value: number
  labels: Labels
  metricName?: string
}

interface OwnMetric {
  name: string
  help: string
  type: 'counter' | 'histogram'
  labelNames: string[]
  values(): Sample[]
}

/** A metric of prom-client's, but for how it counts. */
export function registerMetric(registry: Registry, { values, ...metric }: OwnMetric): void {
  registry.registerMetric({ ...metric, get: async () => ({ ...metric, aggregator: 'sum', values: values() }) } as unknown as Metric)
}

/** The durations of one set of labels. */
export class Durations {
  readonly #buckets: readonly number[]
  readonly #counts: Float64Array
  #seconds = 0

  constructor(buckets: readonly number[]) {
    this.#buckets = buckets
    this.#counts = new Float64Array(buckets.length + 1)
  }

  add(seconds: number): void {
    this.#seconds += seconds
    let bucket = 0
    while (bucket < this.#buckets.length && seconds > this.#buckets[bucket]!) bucket++
    this.#counts[bucket]! += 1
  }

  /** As a histogram called `name` has them. */
  samples(name: string, labels: Labels): Sample[] {
    let count = 0
    const cumulative = [...this.#buckets, '+Inf'].map((le, index) => ({
      value: (count += this.#counts[index]!),
      labels: { le, ...labels },
      metricName: `${name}_bucket`,
    }))
    return [
      ...cumulative,
      { value: this.#seconds, labels, metricName: `${name}_sum` },
      { value: count, labels, metricName: `${name}_count` },
    ]
  }
}

export interface TallyOptions {
  name: string
  help: string
  label: string
  buckets: readonly number[]
}

/** A histogram with one label. */
export function durationTally(registry: Registry, { name, help, label, buckets }: TallyOptions): (value: string, seconds: number) => void {
  const tallies = new Map<string, Durations>()
  const values = () => [...tallies].flatMap(([value, durations]) => durations.samples(name, { [label]: value }))
  registerMetric(registry, { name, help, type: 'histogram', labelNames: [label], values })
  return (value, seconds) => {
    let durations = tallies.get(value)
    if (!durations) tallies.set(value, (durations = new Durations(buckets)))
    durations.add(seconds)
  }
}

/** A counter with two labels. Gives the function that counts; `by` is one, where absent. */
export function countTally<A extends string, B extends string>(
  registry: Registry,
  { name, help, labels: [first, second] }: { name: string; help: string; labels: readonly [string, string] },
): (a: A, b: B, by?: number) => void {
  const tallies = new Map<A, Map<B, { count: number }>>()
  new Counter({
    name,
    help,
    labelNames: [first, second],
    registers: [registry],
    collect() {
      this.reset()
      for (const [a, byB] of tallies) for (const [b, { count }] of byB) this.inc({ [first]: a, [second]: b }, count)
    },
  })
  return (a, b, by = 1) => {
    let byB = tallies.get(a)
    if (!byB) tallies.set(a, (byB = new Map()))
    const tally = byB.get(b)
    if (tally) tally.count += by
    else byB.set(b, { count: by })
  }
}
