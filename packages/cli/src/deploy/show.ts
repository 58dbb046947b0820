import { createTwoFilesPatch } from 'diff'
import { styled } from '../terminal.ts'
import { maskEnv } from './env-file.ts'
import type { Change } from './plan.ts'

const contextLines = 3

/** What a change would do, as a unified diff; empty for none. Secrets are masked, those of the user's own too. */
export function diffOf({ path, action, before, after, env }: Change): string {
  if (action === 'same' || action === 'kept') return ''
  const eyes = (text: string | undefined) => (text === undefined ? '' : env ? maskEnv(text, env.entries) : text)
  const name = action === 'conflict' ? `${path} (changed by you)` : path
  const patch = createTwoFilesPatch(
    before === undefined ? '/dev/null' : name,
    after === undefined ? '/dev/null' : path,
    eyes(before),
    eyes(after),
    '',
    '',
    {
      context: contextLines,
    },
  )
  const lines = patch.trimEnd().split('\n').slice(1) // without the line of equal signs
  return lines.map(coloured).join('\n')
}

function coloured(line: string): string {
  if (line.startsWith('+')) return styled('green', line, process.stdout)
  return line.startsWith('-') ? styled('red', line, process.stdout) : line
}
