import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Slow tests that need a registry: the packages as a user gets them, and the first minutes on a fresh machine. */
export default defineConfig({
  root: path('.'),
  test: {
    include: ['*.test.ts'],
    reporters: ['default', path('../closing-reporter.ts')],
    globalSetup: [path('../temporary-folder.ts')],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
})
