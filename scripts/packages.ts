import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The root of the repository. */
export const root = fileURLToPath(new URL('..', import.meta.url))

/** What the scripts need to know of a package. */
export interface Package {
  name: string
  dir: string
  /** Source files that become a file each in `dist`. */
  entries: string[]
  /** The source file of each subpath of `exports`. */
  sources: Record<string, string>
  /** Whether others import it, and so read its declarations. */
  hasTypes: boolean
  bin: Record<string, string>
}

interface Manifest {
  name: string
  bin?: Record<string, string>
  exports?: Record<string, string | Record<string, string>>
  dependencies?: Record<string, string>
  devDependencies?: Record<string, string>
}

/** All packages, each after those that it depends on. */
export function packages(): Package[] {
  const found = globSync('packages/*/package.json', { cwd: root })
    .sort()
    .map((file) => {
      const manifest = JSON.parse(readFileSync(join(root, file), 'utf8')) as Manifest
      return { dir: join(root, dirname(file)), manifest }
    })
  const names = new Set(found.map(({ manifest }) => manifest.name))
  const ordered: typeof found = []
  const visit = (item: (typeof found)[number]) => {
    if (ordered.includes(item)) return
    const needs = Object.keys({ ...item.manifest.dependencies, ...item.manifest.devDependencies }).filter((name) => names.has(name))
    for (const name of needs) visit(found.find(({ manifest }) => manifest.name === name)!)
    ordered.push(item)
  }
  for (const item of found) visit(item)
  return ordered.map(({ dir, manifest }) => {
    const sources = Object.fromEntries(
      Object.entries(manifest.exports ?? {}).flatMap(([path, target]) =>
        typeof target === 'string' ? [] : [[path, join(dir, target['@pinstack/source']!)]],
      ),
    )
    const bin = manifest.bin ?? {}
    const entries = [...Object.values(sources), ...(Object.keys(bin).length > 0 ? [join(dir, './src/main.ts')] : [])]
    return { name: manifest.name, dir, entries, sources, hasTypes: Object.keys(sources).length > 0, bin }
  })
}
