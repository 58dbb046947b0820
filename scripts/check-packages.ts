/** Lints the packages as they would be published: what publint finds at all, and what keeps a consumer's compiler from their types. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { packAll } from './pack.ts'
import { root } from './packages.ts'

const built = spawnSync(process.execPath, [join(root, 'scripts/build.ts')], { stdio: 'inherit' })
if (built.status !== 0) process.exit(1)

const folder = mkdtempSync(join(tmpdir(), 'pinstack-packed-'))
try {
  for (const { name, tarball, hasTypes } of packAll(folder)) {
    lint(name, ['publint/src/cli.js', tarball, '--strict'])
    if (hasTypes) lint(name, ['@arethetypeswrong/cli/dist/index.js', tarball, '--profile', 'esm-only', '--format', 'ascii'])
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function lint(name: string, [script, ...args]: string[]): void {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'node_modules', script!), ...args], { encoding: 'utf8' })
  if (status === 0) return
  process.exitCode = 1
  console.error(`${name}, ${script!.split('/dist')[0]}:\n${stdout}${stderr}`)
}
