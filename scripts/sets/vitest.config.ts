import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** Slow tests that need registries: what `pinstack deploy` writes, read by the programs that it is for. */
export default defineConfig({
  root: path('.'),
  test: {
    include: ['*.test.ts'],
    reporters: ['default', path('../closing-reporter.ts')],
    globalSetup: [path('../../packages/server/test/postgres-global-setup.ts'), path('../temporary-folder.ts')],
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 600_000,
  },
})
