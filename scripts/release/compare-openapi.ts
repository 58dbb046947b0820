import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { root } from '../packages.ts'

/** The compiler of Go is not here, which builds oasdiff. */
export class NoGo extends Error {}

/**
 * Where a client that was written against the document `last` may no longer do with `next`, as oasdiff finds it: a sentence each.
 *
 * Its warnings count as well: a field of a request or a parameter that is gone is ignored from then on, and whoever sends it is not told.
 * `severities.txt` makes it strict where it would let a field that is not always there, or the name of a generated client's call, go.
 *
 * @throws {NoGo} where it cannot be built.
 */
export function compareOpenapi(last: object, next: object): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'pinstack-openapi-'))
  try {
    const [before, after] = [join(folder, 'last.json'), join(folder, 'next.json')]
    writeFileSync(before, JSON.stringify(last))
    writeFileSync(after, JSON.stringify(next))
    const args = ['tool', 'oasdiff', 'breaking', '--severity-levels', 'severities.txt', '--format', 'json', before, after]
    const { status, stdout, stderr, error } = spawnSync('go', args, {
      cwd: join(root, 'scripts/release'),
      encoding: 'utf8',
      env: { ...process.env, GOFLAGS: '-mod=readonly' },
    })
    if (error || /no such tool|requires go|toolchain not available/.test(stderr))
      // an old Go does not know of tools
      throw new NoGo('The OpenAPI document is compared by oasdiff, which needs Go 1.26 or newer: https://go.dev/dl', { cause: error })
    if (status !== 0) throw new Error(`oasdiff ended with ${status}: ${stderr}`)
    const found = JSON.parse(stdout || '[]') as { operation?: string; path?: string; text: string }[] | null
    return (found ?? []).map(({ operation, path, text }) => `${[operation, path].filter(Boolean).join(' ')}: ${text}`)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** The document as the sources serve it now. */
export function openapiDocument(): object {
  const command = ['--conditions=@pinstack/source', join(root, 'packages/cli/src/main.ts'), 'openapi']
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8', maxBuffer: 2 ** 26 })
  if (status !== 0) throw new Error(`\`pinstack openapi\` ended with ${status}: ${stderr}`)
  return JSON.parse(stdout) as object
}
