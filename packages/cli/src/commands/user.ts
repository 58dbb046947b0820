import type { Command } from 'commander'
import { askNewPassword, askText, confirmed } from '../ask.ts'
import { withApp } from '../local-app.ts'
import { addSettingOptions, type SettingOptions } from '../settings.ts'
import { CommandError, plain, print, printJson, say } from '../terminal.ts'

const actor = { kind: 'host' } as const

export function addUserCommands(program: Command): void {
  const user = program.command('user').description('make, show and delete accounts')

  addSettingOptions(user.command('create'))
    .description('make an account; asks for its password')
    .argument('<username>', '3 to 32 letters, digits, _, . and -')
    .option('--email <address>', 'its e-mail address; asked for when not given')
    .option('--full-name <name>', 'up to 100 characters')
    .option('--admin', 'make it an admin as well')
    .option('--password-stdin', 'take the password from standard input')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinstack user create ada --email ada@example.com
  pinstack user create ada --email ada@example.com --admin --password-stdin < password.txt`,
    )
    .action(create)

  addSettingOptions(user.command('show'))
    .description('all that is known of an account')
    .argument('<login>', 'username or e-mail address')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack user show ada --json')
    .action(show)

  addSettingOptions(user.command('delete'))
    .description('delete an account and all that is its own, for good')
    .argument('<login>', 'username or e-mail address')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack user delete ada')
    .action(remove)

  addSettingOptions(user.command('reset-password'))
    .description('give an account a new password, and end all of its sessions')
    .argument('<login>', 'username or e-mail address')
    .option('--password-stdin', 'take the password from standard input')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack user reset-password ada')
    .action(resetPassword)
}

interface UserOptions extends SettingOptions {
  json?: boolean
  yes?: boolean
  passwordStdin?: boolean
}

async function create(username: string, options: UserOptions & { email?: string; fullName?: string; admin?: boolean }): Promise<void> {
  const { fullName } = options
  const email = await askText(options.email, { message: 'E-mail address', flag: '--email' })
  const password = await askNewPassword(options)
  await withApp(options, async ({ app }) => {
    const user = await app.users.createAs(actor, { username, email, password, ...(fullName !== undefined && { fullName }) })
    if (options.admin) await app.auth.grantRole(actor, username, 'admin')
    if (options.json) return printJson(user)
    say(`Made ${user.username}, number ${user.id}${options.admin ? ', an admin' : ''}.`)
  })
}

function show(login: string, options: UserOptions): Promise<void> {
  return withApp(options, async ({ app }) => {
    const user = await app.users.byLogin(login)
    if (!user) throw notFound(login)
    if (options.json) return printJson(user)
    for (const [name, value] of Object.entries(user)) print(`${name.padEnd(12)}${value === null ? '-' : plain(String(value))}`)
  })
}

async function remove(login: string, options: UserOptions): Promise<void> {
  await withApp(options, async ({ app }) => {
    const user = await app.users.byLogin(login)
    if (!user) throw notFound(login)
    await confirmed(`Delete ${user.username} (${user.email}, number ${user.id}) and all that is theirs, for good?`, options)
    await app.users.removeAs(actor, login)
    if (options.json) return printJson({ id: user.id, username: user.username, deleted: true })
    say(`Deleted ${user.username}.`)
  })
}

async function resetPassword(login: string, options: UserOptions): Promise<void> {
  const password = await askNewPassword(options)
  await withApp(options, async ({ app }) => {
    const user = await app.users.byLogin(login)
    if (!user) throw notFound(login)
    await app.auth.resetPassword(actor, login, password)
    if (options.json) return printJson({ id: user.id, username: user.username, reset: true })
    say(`${user.username} has a new password; all sessions have ended.`)
  })
}

function notFound(login: string): CommandError {
  return new CommandError(`There is no account ${JSON.stringify(login)}.`)
}
