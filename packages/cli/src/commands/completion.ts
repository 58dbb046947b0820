import tab from '@bomb.sh/tab/commander'
import type { Command } from 'commander'

const name = 'completion'

/** Adds what a shell needs to complete command lines, once all other commands are there, and returns what it added. */
export function addCompletion(program: Command): Command[] {
  const others = new Set(program.commands)
  tab(program, { completionCommandName: name })
  const added = program.commands.filter((command) => !others.has(command))
  added
    .find((command) => command.name() === name)!
    .description('a script that has your shell complete commands and options')
    .addHelpText(
      'after',
      `
Examples:
  source <(pinstack completion bash)                                       in ~/.bashrc
  source <(pinstack completion zsh)                                        in ~/.zshrc, after compinit
  pinstack completion fish > ~/.config/fish/completions/pinstack.fish`,
    )
  added
    .find((command) => command.name() === 'complete')!
    .addHelpText('after', "\nThe script asks it. Example:\n  pinstack complete -- user ''")
  return added
}
