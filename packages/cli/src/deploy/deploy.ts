import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { CommandError, printJson, print, say, styled } from '../terminal.ts'
import { readEnv } from './env-file.ts'
import { planChanges, type Change, type State } from './plan.ts'
import { applyCommands, shown } from './run-commands.ts'
import type { DeploySet } from './set.ts'
import { diffOf } from './show.ts'
import { writeChanges } from './write.ts'

export interface DeployOptions {
  directory: string
  apply?: boolean
  dryRun?: boolean
  force?: boolean
  keep?: boolean
  yes?: boolean
  json?: boolean
}

export interface Deployment {
  dir: string
  state: State | undefined
  set: DeploySet
  options: DeployOptions
  answers: Record<string, string>
  /** Packages to build the image from. */
  tarballs?: string[] | undefined
}

/** The settings of a set that is there already. */
export function envInForce(dir: string, paths: readonly string[]): Map<string, string> {
  const texts = paths.map((path) => join(dir, path)).filter((path) => existsSync(path))
  return new Map(texts.flatMap((path) => [...readEnv(readFileSync(path, 'utf8'))]))
}

/** Plans, and then shows or writes and runs. Nothing is written when the user has to decide something first. */
export async function deploy({ dir, state, set, options, answers, tarballs }: Deployment): Promise<void> {
  const changes = resolved(planChanges(dir, set, state), options)
  if (options.dryRun) return showOnly(changes, options)
  const conflicts = changes.filter(({ action }) => action === 'conflict')
  if (conflicts.length > 0 && !options.force) {
    throw new CommandError(
      `Nothing was written: you have changed ${conflicts.map(({ path }) => path).join(', ')}, and so has this version. ` +
        '--dry-run shows how; --keep keeps yours, --force takes ours and leaves yours beside it.',
    )
  }
  writeChanges(dir, changes, { set, answers })
  if (tarballs) copyPackages(join(dir, 'packed'), tarballs)
  const changed = changes.filter(({ action }) => ['create', 'update', 'remove', 'conflict'].includes(action))
  if (options.json) printJson({ directory: dir, ...summary(changes), next: set.commands })
  else report({ dir, state, changes, changed })
  if (options.apply) await applyCommands(set.commands, dir)
  if (options.json) return
  if (!options.apply) say(`\nNext:\n  cd ${folderOf(dir)}\n${set.commands.map((command) => `  ${shown(command)}`).join('\n')}`)
  say(`\n${set.afterwards.map((line) => `  ${line}`).join('\n')}`)
}

/** --keep: a conflict is one no longer. */
function resolved(changes: Change[], { keep }: DeployOptions): Change[] {
  return keep ? changes.map((change) => (change.action === 'conflict' ? { ...change, action: 'kept' as const } : change)) : changes
}

function showOnly(changes: readonly Change[], { json }: DeployOptions): void {
  if (json) return printJson(summary(changes))
  const diffs = changes.map(diffOf).filter((text) => text !== '')
  if (diffs.length === 0) return say('Nothing would change.')
  for (const diff of diffs) print(diff)
  for (const { path, action } of changes) if (action === 'kept') say(`${path} stays as you have changed it.`)
}

function summary(changes: readonly Change[]): Record<string, string[]> {
  const of = (action: Change['action']) => changes.filter((change) => change.action === action).map(({ path }) => path)
  return { created: of('create'), updated: of('update'), removed: of('remove'), kept: of('kept'), conflicts: of('conflict') }
}

/** As one would type it from here. */
function folderOf(dir: string): string {
  const path = relative('.', dir) || '.'
  return path.startsWith('..') ? dir : path
}

const did: Partial<Record<Change['action'], string>> = { create: 'created', update: 'updated', remove: 'removed' }

function report({ dir, state, changes, changed }: { dir: string; state: State | undefined; changes: Change[]; changed: Change[] }): void {
  for (const { path, action } of changes) {
    if (action === 'kept') say(`${styled('yellow', 'kept')}     ${path}, which you have changed`)
    if (action === 'conflict') say(`${styled('yellow', 'replaced')} ${path}; what you had is in ${path}.yours`)
    if (state && did[action]) say(`${did[action]!.padEnd(8)} ${path}`)
  }
  const folder = folderOf(dir)
  if (changed.length === 0) return say(`${folder} is up to date.`)
  say(
    state
      ? `Updated ${folder}: ${changed.length} files. Secrets are as they were.`
      : `Wrote ${changed.length} files into ${folder}, with new secrets.`,
  )
}

function copyPackages(dir: string, tarballs: readonly string[]): void {
  rmSync(dir, { recursive: true, force: true })
  mkdirSync(dir, { recursive: true })
  for (const path of tarballs) copyFileSync(path, join(dir, basename(path)))
}
