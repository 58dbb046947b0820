import { closeSync, existsSync, openSync, readFileSync, renameSync, statSync, writeFileSync, writeSync } from 'node:fs'
import type { Decisions, ReportedRow, Waiting } from '@pinstack/server/import-go'
import { CommandError, wrongUse } from './terminal.ts'

/** They hold e-mail addresses, and say of whom something is wrong: nobody else's business. */
const ownerOnly = 0o600
const decisionsBytesMax = 64 * 1024 * 1024

/** Empty where there is no such file yet. */
export async function readDecisions(path: string): Promise<Decisions> {
  const { parseDecisions, DecisionsError } = await import('@pinstack/server/import-go')
  if (!existsSync(path)) return new Map()
  try {
    if (statSync(path).size > decisionsBytesMax) throw new DecisionsError('it is larger than decisions can be')
    return parseDecisions(readFileSync(path, 'utf8'))
  } catch (error) {
    if (error instanceof DecisionsError) throw wrongUse(`Decisions in ${path}: ${error.message}.`)
    throw new CommandError(`The decisions in ${path} cannot be read (${(error as NodeJS.ErrnoException).code}).`, { cause: error })
  }
}

/** Adds what waits now; leaves a file alone to which there is nothing to add. */
export async function writeDecisions(
  path: string,
  { decisions, waiting }: { decisions: Decisions; waiting: readonly Waiting[] },
): Promise<void> {
  if (waiting.length === 0) return
  const { printDecisions } = await import('@pinstack/server/import-go')
  const half = `${path}.new`
  writeFileSync(half, printDecisions(decisions, waiting, { json: path.endsWith('.json') }), { mode: ownerOnly })
  renameSync(half, path) // whole or not at all: a person's decisions are in it
}

const bufferedBytesMax = 64 * 1024

/** JSON lines, added to what earlier runs have written. Not even made when there is nothing to say. */
export function openReport(path: string, { dryRun }: { dryRun: boolean }) {
  let file: number | undefined
  let text = ''
  let count = 0
  function flush(): void {
    if (text === '') return
    try {
      file ??= openSync(path, 'a', ownerOnly)
      writeSync(file, text)
    } catch (error) {
      throw new CommandError(`The report ${path} cannot be written (${(error as NodeJS.ErrnoException).code}).`, { cause: error })
    } finally {
      text = ''
    }
  }
  return {
    add(row: ReportedRow): void {
      if (count++ === 0) text += `${JSON.stringify({ run: new Date().toISOString(), dryRun })}\n`
      text += `${JSON.stringify(row)}\n`
      if (text.length > bufferedBytesMax) flush()
    },
    flush,
    count: () => count,
    close(): void {
      flush()
      if (file !== undefined) closeSync(file)
      file = undefined
    },
  }
}
