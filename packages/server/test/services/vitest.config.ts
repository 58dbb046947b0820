import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import base from '../../../../vitest.config.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Faults of real servers and processes. Slow, and one at a time: each has several processes at work. */
export default defineConfig({
  ...base,
  root: path('.'),
  test: { ...base.test, include: ['*.test.ts'], exclude: [], fileParallelism: false, testTimeout: 180_000, hookTimeout: 120_000 },
})
