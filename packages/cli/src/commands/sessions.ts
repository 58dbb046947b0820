import type { Command } from 'commander'
import { confirmed } from '../ask.ts'
import { withApp } from '../local-app.ts'
import { addSettingOptions, type SettingOptions } from '../settings.ts'
import { CommandError, plain, printJson, printTable, say, wrongUse } from '../terminal.ts'

const actor = { kind: 'host' } as const

export function addSessionsCommands(program: Command): void {
  const sessions = program.command('sessions').description('where an account is signed in')

  addSettingOptions(sessions.command('list'))
    .description('list the sessions of an account, the last used first')
    .argument('<login>', 'username or e-mail address')
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack sessions list ada')
    .action(list)

  addSettingOptions(sessions.command('revoke'))
    .description('end sessions: their tokens stop within a second, on every server')
    .argument('[id...]', 'ids of sessions, as `pinstack sessions list` shows them')
    .option('--all-of <login>', 'all sessions of this account')
    .option('-y, --yes', 'do not ask')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinstack sessions revoke 5vYQ1Zr3TtXk2mB8cW0dNg
  pinstack sessions revoke --all-of ada`,
    )
    .action(revoke)
}

type SessionOptions = SettingOptions & { json?: boolean; yes?: boolean; allOf?: string }

function list(login: string, options: SessionOptions): Promise<void> {
  return withApp(options, async ({ app }) => {
    const sessions = await app.auth.listSessionsOf(login)
    if (options.json) return printJson(sessions)
    if (sessions.length === 0) return say(`${login} is signed in nowhere.`)
    printTable(
      ['ID', 'DEVICE', 'ADDRESS', 'SINCE', 'LAST USED'],
      sessions.map(({ id, device, address, createdAt, lastUsedAt }) => [id, plain(device), address, createdAt, lastUsedAt]),
    )
  })
}

async function revoke(given: string[], options: SessionOptions): Promise<void> {
  const { allOf, json } = options
  if ((allOf !== undefined) === given.length > 0)
    throw wrongUse('Name sessions by their ids, or an account with --all-of: `pinstack sessions list` shows them.')
  await withApp(options, async ({ app: { auth } }) => {
    const ids = allOf === undefined ? given : (await auth.listSessionsOf(allOf)).map(({ id }) => id)
    if (allOf !== undefined && ids.length > 0) await confirmed(`End all ${ids.length} sessions of ${allOf}?`, options)
    const ended: string[] = []
    for (const id of ids) if ((await auth.endSession(actor, id)).ended) ended.push(id)
    if (json) printJson({ ended })
    else say(`${ended.length} ${ended.length === 1 ? 'session has' : 'sessions have'} ended.`)
    const missing = ids.filter((id) => !ended.includes(id))
    if (missing.length > 0 && allOf === undefined) throw new CommandError(`There is no session ${missing.join(', ')}.`)
  })
}
