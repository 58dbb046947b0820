import { join } from 'node:path'
import { project } from './project.ts'

/** The JavaScript runtimes that the SDK is for, each as the npm registry has it, and npm itself, which old Nodes need an old one of. */
const specs = {
  node18: 'node18@npm:node@18',
  node20: 'node20@npm:node@20',
  node22: 'node22@npm:node@22',
  node24: 'node24@npm:node@24',
  npm: 'npm@10',
  deno: 'deno@2',
  bun: 'bun@1',
}
type Name = keyof typeof specs

export interface Runtimes {
  dir: string
  /** The folder of a runtime's program, for a PATH. */
  bin(name: Name): string
  /** A file of an installed npm, such as `bin/npx-cli.js`. */
  npm(file: string): string
}

/** A project with these in it. */
export function runtimes(...names: Name[]): Runtimes {
  const dir = project(names.map((name) => specs[name]))
  return {
    dir,
    bin: (name) => join(dir, 'node_modules', ...(name.startsWith('node') ? [name, 'bin'] : ['.bin'])),
    npm: (file) => join(dir, 'node_modules/npm', file),
  }
}
