import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('../..', import.meta.url))

/** What is in the site, written by the build and never committed. */
export const written = join(root, 'docs', '.pages')

/** Where the built site is. */
export const built = join(root, 'docs', '.vitepress', 'dist')

export const repository = 'https://github.com/pinstack/pinstack'

/** The version that the site describes: all packages have one. */
export function version(): string {
  return (JSON.parse(readFileSync(join(root, 'packages/server/package.json'), 'utf8')) as { version: string }).version
}
