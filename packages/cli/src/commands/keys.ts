import type { Command } from 'commander'
import { withApp } from '../local-app.ts'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { CommandError, printJson, say } from '../terminal.ts'

export function addKeysCommands(program: Command): void {
  const keys = program.command('keys').description('the keys that sign access tokens')

  addSettingOptions(keys.command('rotate'))
    .description('sign with a new key from now on; tokens of the old one stay good until they end')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
Examples:
  pinstack keys rotate
  pinstack keys rotate --json

A running server takes the new key up within seconds; nobody is signed out.`,
    )
    .action(rotate)
}

function rotate(options: SettingOptions & { json?: boolean }): Promise<void> {
  const { config } = readSettings(options)
  if (config.auth.secret !== undefined) {
    throw new CommandError(
      'Tokens are signed with auth.secret: put a new one there, the old one into auth.previousSecrets, and restart the server.',
    )
  }
  return withApp(options, async ({ clock }) => {
    const [{ rotateKeyFile }, { keysFileOf }] = await Promise.all([
      import('@pinstack/server/key-file'),
      import('@pinstack/server/open-app'),
    ])
    const rotated = await rotateKeyFile({ path: keysFileOf(config), clock, accessTtlMs: config.auth.accessTtl })
    if (options.json) return printJson(rotated)
    say(`New tokens are signed with the key ${rotated.kid}; ${rotated.retiredKid} still verifies those that it signed.`)
  })
}
