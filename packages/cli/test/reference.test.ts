import type { Command } from 'commander'
import { expect, it } from 'vitest'
import { createProgram } from '../src/program.ts'

const columns = 110

/** In a fixed width, whatever terminal the tests run on. */
function helpOf(command: Command): string {
  let text = ''
  command.configureOutput({ writeOut: (more) => (text += more), getOutHelpWidth: () => columns, getOutHasColors: () => false }).outputHelp()
  return text.trimEnd()
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

/** Those that people type, each followed by its own. `complete` is for shells. */
function listed(command: Command): Command[] {
  return [command, ...command.commands.filter((each) => each.name() !== 'complete').flatMap(listed)]
}

it('docs/cli.md is what the program says of itself', async () => {
  const pages = listed(createProgram()).map((command) => `## ${nameOf(command)}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\`\n`)
  const head =
    '# The command line\n\nWhat `--help` says, command by command. It is written from the program, and a test holds the two equal.\n'
  await expect([head, ...pages].join('\n')).toMatchFileSnapshot('../../../docs/cli.md')
})
