import { Command } from 'commander'
import { addAdminCommands } from './commands/admin.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfigCommands } from './commands/config.ts'
import { addDeployCommands } from './commands/deploy.ts'
import { addDoctorCommand } from './commands/doctor.ts'
import { addEventsCommands } from './commands/events.ts'
import { addImportCommands } from './commands/import.ts'
import { addKeysCommands } from './commands/keys.ts'
import { addMigrateCommands } from './commands/migrate.ts'
import { addOpenapiCommand } from './commands/openapi.ts'
import { addSeedCommand } from './commands/seed.ts'
import { addSessionsCommands } from './commands/sessions.ts'
import { addUpCommand } from './commands/up.ts'
import { addUserCommands } from './commands/user.ts'
import { styled } from './terminal.ts'
import { version } from './version.ts'

export function createProgram(): Command {
  const program = new Command('pinstack')
    .description('A social backend with one command: users, sessions and a typed API.')
    .version(version, '-V, --version', 'print the version')
    .addHelpText(
      'after',
      `
Examples:
  pinstack up                      start the server; data lives in ./pinstack-data
  pinstack seed                    fill it with data to try things out with
  pinstack user create ada         make an account
  pinstack admin grant ada         make it an admin
  pinstack config print            every setting, and where it came from
  pinstack doctor                  what is wrong, and how to mend it
  pinstack deploy compose          a whole production set, in a folder

Commands work on this machine's data, whether the server runs or not. Exit codes: 0 done, 1 failed, 2 wrong use.`,
    )
  for (const add of [
    addUpCommand,
    addMigrateCommands,
    addSeedCommand,
    addImportCommands,
    addConfigCommands,
    addUserCommands,
    addSessionsCommands,
    addAdminCommands,
    addKeysCommands,
    addOpenapiCommand,
    addEventsCommands,
    addDoctorCommand,
    addDeployCommands,
  ])
    add(program)
  for (const command of withSubcommands(program)) speakPlainly(command)
  for (const command of addCompletion(program)) speakPlainly(command)
  return program
}

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)]
}

function speakPlainly(command: Command): void {
  command
    .exitOverride()
    .configureHelp({ sortSubcommands: false, styleTitle: (text) => styled('bold', text, process.stdout) })
    .configureOutput({
      outputError: (text, write) =>
        write(text.replace(/^error: (.)/, (_, first: string) => `${styled('red', 'pinstack:')} ${first.toUpperCase()}`)),
    })
    .helpOption('-h, --help', 'show this help')
    .helpCommand(false)
    .showHelpAfterError(`(\`${fullName(command)} --help\` says more)`)
}

function fullName(command: Command): string {
  return command.parent ? `${fullName(command.parent)} ${command.name()}` : command.name()
}
