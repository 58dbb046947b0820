import { join } from 'node:path'
import type { Package } from '../packages.ts'

/**
 * What a test does with the import paths of the packages beside importing all that they export. A path that imports other packages which
 * an app has to install names them here: `'@pinstack/sdk/react': { needs: ['react@19', '@types/react@19'] }`.
 */
const uses: Record<string, { needs?: string[]; code?: string }> = {
  '@pinstack/sdk': {
    code: `const id: number = (await all.createPinstack({ url: 'http://127.0.0.1:8080' }).me()).id; export { id }`,
  },
  '@pinstack/sdk/react': { needs: ['react@19', '@types/react@19', '@tanstack/react-query@5'] },
  '@pinstack/server': {
    code: `import { loadConfig } from '@pinstack/server/config'
           export const server = await all.createServer(loadConfig({ env: {}, flags: {} }).config)
           export const router: all.AppRouter | undefined = undefined`,
  },
}

/** What can be imported of these packages: `@pinstack/sdk`, `@pinstack/server/config`, … */
export function subpathsOf(packages: Package[]): string[] {
  return packages.flatMap(({ name, sources }) => Object.keys(sources).map((path) => join(name, path)))
}

/** What an app that imports all of it has to install beside them. */
export function needsOf(packages: Package[]): string[] {
  return [...new Set(subpathsOf(packages).flatMap((path) => uses[path]?.needs ?? []))]
}

/** An app that imports everything, a module for each path by its file name. */
export function appOf(packages: Package[]): Record<string, string> {
  const modules = subpathsOf(packages).map((path) => {
    const { code = '' } = uses[path] ?? {}
    return [`${path.replace(/\W+/g, '-')}.ts`, `import * as all from '${path}'\n${code}\nexport { all }\n`]
  })
  return Object.fromEntries(modules) as Record<string, string>
}
