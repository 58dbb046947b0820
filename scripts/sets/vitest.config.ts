import { slowSuites } from '../slow-suites.ts'

/** Slow tests that need registries: what `pinstack deploy` writes, read by the programs that it is for. */
export default slowSuites(import.meta.url, { postgres: true, testTimeout: 120_000, hookTimeout: 600_000 })
