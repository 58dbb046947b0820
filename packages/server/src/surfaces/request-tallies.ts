import type { Registry } from 'prom-client'
import { Durations, registerMetric } from './tallies.ts'

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

interface Tally {
  byStatus: Map<number, number>
  durations: Durations
}

/** Counts requests and their durations, by method and route. */
export function requestTallies(
  registry: Registry,
  prefix: string,
): (method: string, route: string, status: number, seconds: number | undefined) => void {
  const tallies = new Map<string, Map<string, Tally>>()

  function* each() {
    for (const [route, methods] of tallies) for (const [method, tally] of methods) yield { labels: { method, route }, tally }
  }

  registerMetric(registry, {
    name: `${prefix}http_requests_total`,
    help: 'HTTP requests answered, by status; 499 for a client that left before.',
    type: 'counter',
    labelNames: ['method', 'route', 'status'],
    values: () =>
      [...each()].flatMap(({ labels, tally }) =>
        [...tally.byStatus].map(([status, value]) => ({ value, labels: { ...labels, status: String(status) } })),
      ),
  })

  const name = `${prefix}http_request_duration_seconds`
  registerMetric(registry, {
    name,
    help: 'From a request to the end of its answer; streams are left out.',
    type: 'histogram',
    labelNames: ['method', 'route'],
    values: () => [...each()].flatMap(({ labels, tally }) => tally.durations.samples(name, labels)),
  })

  return (method, route, status, seconds) => {
    let methods = tallies.get(route)
    if (!methods) tallies.set(route, (methods = new Map()))
    let tally = methods.get(method)
    if (!tally) methods.set(method, (tally = { byStatus: new Map(), durations: new Durations(secondsBuckets) }))
    tally.byStatus.set(status, (tally.byStatus.get(status) ?? 0) + 1)
    if (seconds !== undefined) tally.durations.add(seconds) // a stream is counted, and has no duration
  }
}
