import { createHash } from 'node:crypto'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { CommandError, wrongUse } from '../terminal.ts'
import { version } from '../version.ts'
import { mergeEnv } from './env-file.ts'
import type { DeploySet, Kind, SetEnv } from './set.ts'

export const stateFile = '.pinstack.json'

/** What is remembered of a set, beside it. No secrets. */
export interface State {
  kind: Kind
  version: string
  /** Hashes of the files as they were written: one that differs was changed by the user. */
  files: Record<string, string>
  answers: Record<string, string>
}

export type Action = 'create' | 'update' | 'remove' | 'same' | 'kept' | 'conflict'

export interface Change {
  path: string
  action: Action
  before: string | undefined
  after: string | undefined
  mode: number
  /** Set for a file of settings: it is shown masked. */
  env?: SetEnv
}

export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** The set that lies in `dir`, or nothing for a folder that is new or empty. */
export function readState(dir: string, kind: Kind): State | undefined {
  const path = join(dir, stateFile)
  if (!existsSync(path)) return undefined
  let state: State
  try {
    state = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof state.version !== 'string' || typeof state.files !== 'object' || typeof state.answers !== 'object') throw new Error('shape')
  } catch {
    throw new CommandError(`${path} cannot be read: it says what was written here. Take another --directory, or restore it from a backup.`)
  }
  if (state.kind !== kind) throw wrongUse(`${dir} holds a set for ${state.kind}, not for ${kind}: take another --directory.`)
  if (isNewer(state.version, version)) {
    throw new CommandError(`${dir} was written by Pinstack ${state.version}, and this is ${version}: run npx pinstack@${state.version}.`)
  }
  return state
}

function isNewer(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => text.split(/[.-]/, 3).map(Number)) as [number[], number[]]
  const at = a.findIndex((number, index) => number !== b[index])
  return at >= 0 && a[at]! > b[at]!
}

/**
 * Compares what would be written with what is there and with what was written last. What the user has changed is kept as long as
 * ours has not changed; where both have, it is a conflict, and the user decides.
 */
export function planChanges(dir: string, set: DeploySet, state: State | undefined): Change[] {
  const changes: Change[] = []
  for (const env of set.envs) {
    const before = read(join(dir, env.path))
    const after = mergeEnv(before, env.entries, env.quote)
    changes.push({ path: env.path, action: actionOf(before, after), before, after, mode: 0o600, env })
  }
  for (const [path, { text: after, mode }] of set.files) {
    const before = read(join(dir, path))
    const last = state?.files[path]
    const isTheirs = before !== undefined && before !== after && (last === undefined || hashOf(before) !== last)
    const theirs = last === hashOf(after) ? 'kept' : 'conflict'
    changes.push({ path, action: isTheirs ? theirs : actionOf(before, after), before, after, mode })
  }
  for (const [path, last] of Object.entries(state?.files ?? {})) {
    if (set.files.has(path)) continue
    const before = read(join(dir, path))
    if (before === undefined) continue
    const action = hashOf(before) === last ? 'remove' : 'kept'
    changes.push({ path, action, before, after: undefined, mode: 0o644 })
  }
  return changes
}

function actionOf(before: string | undefined, after: string): Action {
  if (before === undefined) return 'create'
  return before === after ? 'same' : 'update'
}

/** @throws {CommandError} for what is no plain file: a link may lead to something that is not ours to write. */
function read(path: string): string | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (!stat) return undefined
  if (!stat.isFile()) throw new CommandError(`${path} is no plain file, so it is not written to: move it away.`)
  return readFileSync(path, 'utf8')
}
