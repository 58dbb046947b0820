import { slowSuites } from '../slow-suites.ts'

/** What watches Pinstack, by the programs that will read it: Prometheus, promtool, Grafana's schema. */
export default slowSuites(import.meta.url, { postgres: true, testTimeout: 60_000, hookTimeout: 120_000 })
