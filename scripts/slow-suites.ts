import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** For the suites of one folder that `npm test` leaves out: they need registries or programs, and run one at a time. */
export function slowSuites(
  configUrl: string,
  {
    postgres = false,
    globalSetup = [],
    ...timeouts
  }: { postgres?: boolean; globalSetup?: string[]; testTimeout: number; hookTimeout: number },
) {
  return defineConfig({
    root: fileURLToPath(new URL('.', configUrl)),
    test: {
      include: ['*.test.ts'],
      reporters: ['default', path('closing-reporter.ts')],
      // The folder comes first: what the others make lies in it.
      globalSetup: [
        path('temporary-folder.ts'),
        ...(postgres ? [path('../packages/server/test/postgres-global-setup.ts')] : []),
        ...globalSetup,
      ],
      fileParallelism: false,
      ...timeouts,
    },
  })
}
