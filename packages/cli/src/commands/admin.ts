import { Option, type Command } from 'commander'
import { withApp } from '../local-app.ts'
import { addSettingOptions, type SettingOptions } from '../settings.ts'
import { isInteractive, printJson, printTable, say, wrongUse } from '../terminal.ts'

export function addAdminCommands(program: Command): void {
  const admin = program
    .command('admin')
    .description('open the admin terminal, or say who is an admin')
    .option('--url <url>', 'the server that the admin terminal begins with', 'http://127.0.0.1:8080')
    .addHelpText(
      'after',
      `
Examples:
  pinstack admin
  pinstack admin --url https://api.example.com
  pinstack admin grant ada`,
    )
    .action(openTerminal)

  addSettingOptions(admin.command('grant'))
    .description('give an account a role')
    .argument('<login>', 'username or e-mail address')
    .addOption(new Option('--role <role>', 'which').choices(['admin', 'moderator']).default('admin'))
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinstack admin grant ada
  pinstack admin grant bob@example.com --role moderator

A running server knows within a second.`,
    )
    .action(grant)

  addSettingOptions(admin.command('revoke'))
    .description('make an account an ordinary one again')
    .argument('<login>', 'username or e-mail address')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack admin revoke ada')
    .action(revoke)

  addSettingOptions(admin.command('list'))
    .description('list admins and moderators')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack admin list --json')
    .action(list)
}

interface AdminOptions extends SettingOptions {
  json?: boolean
}

async function openTerminal({ url }: { url: string }): Promise<void> {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw wrongUse(`--url takes an http or https URL, not ${JSON.stringify(url)}.`)
  if (!isInteractive() || !process.stdout.isTTY)
    throw wrongUse('The admin terminal needs a terminal. `pinstack admin list` and others work without.')
  const { openAdmin } = await import('@pinstack/admin-tui')
  await openAdmin({ url })
}

function grant(login: string, { role, ...options }: AdminOptions & { role: 'admin' | 'moderator' }): Promise<void> {
  return withApp(options, async ({ app }) => {
    const { changed, username } = await app.auth.grantRole({ kind: 'host' }, login, role)
    if (options.json) return printJson({ username, role, changed })
    say(changed ? `${username} is ${withArticle(role)} now.` : `${username} is ${withArticle(role)} already.`)
  })
}

function revoke(login: string, options: AdminOptions): Promise<void> {
  return withApp(options, async ({ app }) => {
    const { changed, username } = await app.auth.revokeRole({ kind: 'host' }, login)
    if (options.json) return printJson({ username, role: 'user', changed })
    say(changed ? `${username} is an ordinary user now.` : `${username} is an ordinary user already.`)
  })
}

function list(options: AdminOptions): Promise<void> {
  return withApp(options, async ({ app }) => {
    const staff = await app.auth.listAdmins()
    if (options.json) return printJson(staff)
    if (staff.length === 0) return say('There is no admin yet: `pinstack admin grant NAME` makes one.')
    printTable(
      ['ID', 'USERNAME', 'ROLE'],
      staff.map(({ id, username, role }) => [String(id), username, role]),
    )
  })
}

const withArticle = (role: string) => (role === 'admin' ? 'an admin' : `a ${role}`)
