import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

export default defineConfig({
  resolve: { conditions: ['@pinstack/source', 'module', 'node', 'development|production'] },
  ssr: {
    resolve: {
      conditions: ['@pinstack/source', 'module', 'node', 'development|production'],
      externalConditions: ['@pinstack/source', 'node'],
    },
  },
  test: {
    include: ['**/{src,test,scripts}/**/*.test.{ts,tsx}'],
    exclude: ['**/{node_modules,dist}/**', 'scripts/{packed,browser,sets,monitoring}/**', 'packages/server/test/{services,full-size}/**'],
    globalSetup: [path('packages/server/test/postgres-global-setup.ts'), path('scripts/temporary-folder.ts')],
    reporters: ['default', path('scripts/closing-reporter.ts')],
    maxWorkers: 2,
    // For a machine that has other work, too: what hangs is found all the same.
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
})
