import { fileURLToPath } from 'node:url'
import { slowSuites } from '../slow-suites.ts'

/** Slow tests that need a registry: the packages as a user gets them, and the first minutes on a fresh machine. */
export default slowSuites(import.meta.url, {
  globalSetup: [fileURLToPath(new URL('pack-once.ts', import.meta.url))],
  testTimeout: 300_000,
  hookTimeout: 300_000,
})
