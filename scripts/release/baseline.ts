import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { root } from '../packages.ts'
import type { Declarations } from './declarations.ts'

/** What the last release promised to those who use it. Lies in `release/`, and changes with a release only. */
export interface Baseline {
  version: string
  /** The REST API: `release/openapi.json`. */
  openapi: object
  /** The SDK's types: `release/sdk/`. */
  sdk: Declarations
}

const folder = join(root, 'release')

export function readBaseline(): Baseline {
  const { version, sdk } = JSON.parse(readFileSync(join(folder, 'release.json'), 'utf8')) as {
    version: string
    sdk: { entries: Record<string, string>; files: string[] }
  }
  const files = Object.fromEntries(sdk.files.map((file) => [file, readFileSync(join(folder, 'sdk', file), 'utf8')]))
  return { version, openapi: JSON.parse(readFileSync(join(folder, 'openapi.json'), 'utf8')), sdk: { entries: sdk.entries, files } }
}

export function writeBaseline({ version, openapi, sdk }: Baseline): void {
  if (existsSync(folder)) rmSync(folder, { recursive: true })
  for (const [file, text] of Object.entries(sdk.files)) {
    const path = join(folder, 'sdk', file)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  const release = { version, sdk: { entries: sdk.entries, files: Object.keys(sdk.files) } }
  writeFileSync(join(folder, 'release.json'), `${JSON.stringify(release, null, 2)}\n`)
  writeFileSync(join(folder, 'openapi.json'), `${JSON.stringify(openapi, null, 1)}\n`)
}
