import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** What watches Pinstack, by the programs that will read it: Prometheus, promtool, Grafana's schema. */
export default defineConfig({
  root: path('.'),
  test: {
    include: ['*.test.ts'],
    reporters: ['default', path('../closing-reporter.ts')],
    globalSetup: [path('../../packages/server/test/postgres-global-setup.ts'), path('../temporary-folder.ts')],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
