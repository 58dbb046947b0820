import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packages, root, type Package } from './packages.ts'

/** A package as it would be published. */
export interface Packed extends Package {
  tarball: string
}

/** Packs all packages, which must be built, into `folder`. */
export function packAll(folder: string): Packed[] {
  const { packageManager } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const shell = process.platform === 'win32'
  return packages().map((one) => {
    const to = join(folder, one.name.replace('/', '-'))
    mkdirSync(to, { recursive: true })
    execFileSync('npx', ['--yes', '--loglevel=error', packageManager, 'pack', '--pack-destination', to], {
      cwd: one.dir,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell,
    })
    return { ...one, tarball: join(to, readdirSync(to)[0]!) }
  })
}
