import { Counter, type Metric, type Registry } from 'prom-client'

export interface TallyOptions {
  name: string
  help: string
  label: string
  buckets: readonly number[]
}

/** A histogram with one label for what happens several times in a request: prom-client's own hashes the labels each time, at 0.5 µs. */
export function durationTally(registry: Registry, { name, help, label, buckets }: TallyOptions): (value: string, seconds: number) => void {
  const tallies = new Map<string, { counts: Float64Array; seconds: number }>()
  const metric = { name, help, type: 'histogram', labelNames: [label] }

  const values = () =>
    [...tallies].flatMap(([value, { counts, seconds }]) => {
      const labels = { [label]: value }
      let count = 0
      const cumulative = [...buckets, '+Inf'].map((le, index) => ({
        value: (count += counts[index]!),
        labels: { le, ...labels },
        metricName: `${name}_bucket`,
      }))
      return [...cumulative, { value: seconds, labels, metricName: `${name}_sum` }, { value: count, labels, metricName: `${name}_count` }]
    })

  registry.registerMetric({ ...metric, get: async () => ({ ...metric, aggregator: 'sum', values: values() }) } as unknown as Metric)
  return (value, seconds) => {
    let tally = tallies.get(value)
    if (!tally) tallies.set(value, (tally = { counts: new Float64Array(buckets.length + 1), seconds: 0 }))
    tally.seconds += seconds
    let bucket = 0
    while (bucket < buckets.length && seconds > buckets[bucket]!) bucket++
    tally.counts[bucket]! += 1
  }
}

/**
 * A counter with two labels for what happens several times in a request, for the same reason. Gives the function that counts; `by` is
 * one, where absent.
 */
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
