import { globSync, existsSync, readFileSync, statSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { EnvEntry } from './env-file.ts'

export type Kind = 'compose' | 'kubernetes' | 'systemd'

/** A file as it will be on disk. */
export interface SetFile {
  text: string
  mode: number
}

/** A file of settings and secrets: what is in it is the user's, and is only added to. */
export interface SetEnv {
  path: string
  entries: EnvEntry[]
  /** How the program that reads it writes a value that is not plain. */
  quote: (value: string) => string
}

export interface DeploySet {
  kind: Kind
  files: Map<string, SetFile>
  envs: SetEnv[]
  /** One after another, in the folder of the set, they bring it to life. */
  commands: string[][]
  /** What to do when it runs, a line each. */
  afterwards: string[]
}

/** Of the package: the build has put the sets beside this code. From the sources: the repository's own. */
const packed = fileURLToPath(new URL('./sets/', import.meta.url))
const root = existsSync(packed) ? packed : fileURLToPath(new URL('../../../../', import.meta.url))

/** What a build of the image leaves, and the tests of the alert rules. */
const leftOut = new Set(['packed', 'tests'])

const textBytesMax = 4 * 1024 * 1024

/** The files of a folder of the sets (`docker`, `deploy/systemd`), by their path below it. */
export function setFiles(folder: string): Map<string, SetFile> {
  const dir = join(root, folder)
  const names = globSync(['**/*', '**/.dockerignore'], { cwd: dir, exclude: (name) => leftOut.has(basename(name)) }).sort()
  const files = new Map<string, SetFile>()
  for (const name of names) {
    const path = join(dir, name)
    const { size, mode } = statSync(path)
    if (!statSync(path).isFile() || size > textBytesMax) continue
    files.set(name.replaceAll('\\', '/'), { text: readFileSync(path, 'utf8'), mode: mode & 0o100 ? 0o755 : 0o644 })
  }
  if (files.size === 0) throw new Error(`the package lacks its files of ${folder}`)
  return files
}

/** Puts values for `@@NAME@@`. A name without a value is a mistake of ours, and is not written to anybody's disk. */
export function fill(text: string, values: Record<string, string>): string {
  return text.replace(/@@([A-Z_]+)@@/g, (_, name: string) => {
    const value = values[name]
    if (value === undefined) throw new Error(`no value for @@${name}@@`)
    return value
  })
}
