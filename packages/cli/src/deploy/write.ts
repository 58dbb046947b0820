import { chmodSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { version } from '../version.ts'
import { hashOf, stateFile, type Change, type State } from './plan.ts'
import type { DeploySet } from './set.ts'

/** Writes what has changed, the secrets first. Each file is whole or as it was, whenever the process ends. */
export function writeChanges(
  dir: string,
  changes: readonly Change[],
  { set, answers }: { set: DeploySet; answers: Record<string, string> },
): void {
  mkdirSync(dir, { recursive: true })
  for (const { path, action, before, after, mode } of changes) {
    const full = join(dir, path)
    if (action === 'remove') rmSync(full)
    if (action === 'conflict') writeWhole(`${full}.yours`, before!, mode) // what was there is not lost by --force
    if (action === 'create' || action === 'update' || action === 'conflict') writeWhole(full, after!, mode)
    if (action === 'same' && mode === 0o600) chmodSync(full, mode)
  }
  const files = Object.fromEntries([...set.files].map(([path, { text }]) => [path, hashOf(text)]))
  const state: State = { kind: set.kind, version, answers, files }
  writeWhole(join(dir, stateFile), `${JSON.stringify(state, null, 2)}\n`, 0o644)
}

function writeWhole(path: string, text: string, mode: number): void {
  mkdirSync(dirname(path), { recursive: true })
  const temporary = `${path}.new`
  rmSync(temporary, { force: true })
  writeFileSync(temporary, text, { mode, flag: 'wx' })
  chmodSync(temporary, mode) // whatever the umask is
  renameSync(temporary, path)
}
