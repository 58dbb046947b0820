import { CommanderError } from 'commander'
import { createProgram } from './program.ts'
import { CommandError, say, styled } from './terminal.ts'

/** Runs one command line, without the program's own name. Resolves to the exit code: 0 done, 1 failed, 2 wrong use. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' })
    return 0
  } catch (error) {
    return report(error, args)
  }
}

/** By name: what they stand for comes from several packages, one of which is loaded late. */
const expected = ['ConfigError', 'StartError', 'CommandError', 'DomainError', 'DatabaseUnavailable']

function report(error: unknown, args: readonly string[]): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // commander has said it
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const prefix = styled('red', 'pinstack:')
  if (expected.includes(name)) {
    say(`${prefix} ${sentence(message, error)}`)
    return error instanceof CommandError || name === 'ConfigError' ? (error as CommandError).exitCode : 1
  }
  say(`${prefix} unexpected error: ${message}`)
  if (args.includes('--verbose') || args.includes('-v')) say(stack ?? '')
  say('Please report it at https://github.com/pinstack/pinstack/issues; --verbose shows where it happened.')
  return 1
}

/** Clients get a few words of small letters; people at a terminal a sentence, and which field it is about. */
function sentence(message: string, error: unknown): string {
  const { issues = [] } = error as { issues?: { path: string; message: string }[] }
  const text = issues.length > 0 ? `not accepted: ${issues.map((issue) => `${issue.path} (${issue.message})`).join(', ')}` : message
  return /[.?!]$/.test(text) ? text : `${text[0]!.toUpperCase()}${text.slice(1)}.`
}
