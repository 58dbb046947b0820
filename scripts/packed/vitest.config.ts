import { slowSuites } from '../slow-suites.ts'

/** Slow tests that need a registry: the packages as a user gets them, and the first minutes on a fresh machine. */
export default slowSuites(import.meta.url, { testTimeout: 60_000, hookTimeout: 300_000 })
