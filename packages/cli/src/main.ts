import { CommanderError } from 'commander'
import { createProgram } from './program.ts'
import { CommandError, say, styled } from './terminal.ts'

process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0) // the reader, `head` say, has seen enough
  throw error
})

/** Sentences for what a person can do something about; what they name comes from several packages, one of them loaded late. */
const expected = ['ConfigError', 'StartError', 'CommandError', 'DomainError', 'DatabaseUnavailable']

function report(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2 // commander has said it
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error))
  const exitCode = error instanceof CommandError || name === 'ConfigError' ? (error as CommandError).exitCode : 1
  if (expected.includes(name)) {
    say(`${styled('red', 'pinstack:')} ${message}${issuesOf(error)}`)
  } else {
    say(`${styled('red', 'pinstack:')} unexpected error: ${message}`)
    if (process.argv.includes('--verbose') || process.argv.includes('-v')) say(stack ?? '')
    say('Please report it at https://github.com/pinstack/pinstack/issues; --verbose shows where it happened.')
  }
  return exitCode
}

/** Of a refused input: which field, and what it should be. */
function issuesOf(error: unknown): string {
  const { issues = [] } = error as { issues?: { path: string; message: string }[] }
  return issues.map(({ path, message }) => `; ${path}: ${message}`).join('')
}

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = report(error)
}
