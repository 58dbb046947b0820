import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** For the suites of one folder that `npm test` leaves out: they need registries or programs, and run one at a time. */
export function slowSuites(
  configUrl: string,
  { postgres = false, ...timeouts }: { postgres?: boolean; testTimeout: number; hookTimeout: number },
) {
  return defineConfig({
    root: fileURLToPath(new URL('.', configUrl)),
    test: {
      include: ['*.test.ts'],
      reporters: ['default', path('closing-reporter.ts')],
      globalSetup: [...(postgres ? [path('../packages/server/test/postgres-global-setup.ts')] : []), path('temporary-folder.ts')],
      fileParallelism: false,
      ...timeouts,
    },
  })
}
