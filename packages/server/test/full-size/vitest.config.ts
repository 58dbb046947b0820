import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import base from '../../../../vitest.config.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What smaller tests hold too, at the size of a real community: many minutes, so by hand and not in CI. */
export default defineConfig({
  ...base,
  root: path('.'),
  test: { ...base.test, include: ['*.test.ts'], exclude: [], fileParallelism: false, testTimeout: 900_000, hookTimeout: 600_000 },
})
