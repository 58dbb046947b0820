import { styleText } from 'node:util'
import Table from 'cli-table3'

/** Why a command stops without having done its work. */
export class CommandError extends Error {
  override name = 'CommandError'
  /** 1 failed, 2 wrong use. */
  readonly exitCode: number

  constructor(message: string, { exitCode = 1, cause }: { exitCode?: 1 | 2; cause?: unknown } = {}) {
    super(message, cause === undefined ? undefined : { cause })
    this.exitCode = exitCode
  }
}

export function wrongUse(message: string): CommandError {
  return new CommandError(message, { exitCode: 2 })
}

/** Data: what a script reads. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`)
}

export function printJson(value: unknown): void {
  print(JSON.stringify(value, null, 2))
}

/** All else: what a person reads. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`)
}

type Style = Parameters<typeof styleText>[0]

/** Colours only on a terminal, and never where NO_COLOR is set. */
export function styled(style: Style, text: string, stream: NodeJS.WriteStream = process.stderr): string {
  return styleText(style, text, { stream, validateStream: true })
}

/** Columns of equal width, as wide as a terminal shows them, the first row as their heads. */
export function printTable(heads: readonly string[], rows: readonly (readonly string[])[]): void {
  const table = new Table({ chars: noBorders, style: { 'padding-left': 0, 'padding-right': 2 } })
  table.push(
    heads.map((head) => styled('bold', head, process.stdout)),
    ...rows.map((row) => [...row]),
  )
  for (const line of table.toString().split('\n')) print(line.trimEnd())
}

const noBorders = Object.fromEntries(
  ['top', 'mid', 'bottom', 'left', 'right'].flatMap((side) => [
    [side, ''],
    [`${side}-mid`, ''],
    [`${side}-left`, ''],
    [`${side}-right`, ''],
    ['middle', ''],
  ]),
)

/** Whether there is a person who can be asked. */
export function isInteractive(): boolean {
  return process.stdin.isTTY === true && process.stderr.isTTY === true
}

/** What users wrote about themselves may hold line breaks, and commands to the terminal. */
export function plain(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ')
}
