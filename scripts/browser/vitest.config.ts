import { slowSuites } from '../slow-suites.ts'

/** What people see: apps in a real browser, against a real server. Needs Chromium. */
export default slowSuites(import.meta.url, { testTimeout: 90_000, hookTimeout: 120_000 })
