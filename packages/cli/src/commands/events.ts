import type { Command } from 'commander'
import { confirmed } from '../ask.ts'
import { withApp } from '../local-app.ts'
import { addSettingOptions, type SettingOptions } from '../settings.ts'
import { CommandError, print, printJson, printTable, say, wrongUse } from '../terminal.ts'

const listMax = 1_000

export function addEventsCommands(program: Command): void {
  const events = program.command('events').description('events that a consumer could not take, and gave up: dead letters')

  addSettingOptions(events.command('dead'))
    .description(`list the dead letters, the oldest first, ${listMax} at most`)
    .option('--json', 'as JSON')
    .addHelpText('after', '\nExample:\n  pinstack events dead --json')
    .action(list)

  addSettingOptions(events.command('replay'))
    .description('have dead letters tried again, as often as at first')
    .argument('[id...]', 'numbers of dead letters')
    .option('--all', 'all of them')
    .addHelpText('after', '\nExamples:\n  pinstack events replay 12 13\n  pinstack events replay --all')
    .action((ids: string[], options: LetterOptions) => each(ids, options, 'replay'))

  addSettingOptions(events.command('drop'))
    .description('forget dead letters for good: their effects never happen')
    .argument('[id...]', 'numbers of dead letters')
    .option('--all', 'all of them')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', '\nExample:\n  pinstack events drop 12')
    .action((ids: string[], options: LetterOptions) => each(ids, options, 'drop'))
}

type LetterOptions = SettingOptions & { all?: boolean; yes?: boolean }

function list(options: SettingOptions & { json?: boolean }): Promise<void> {
  return withApp(options, async ({ app }) => {
    const letters = await app.deadLetters.list({ limit: listMax })
    if (options.json) return printJson(letters)
    if (letters.length === 0) return print('There are no dead letters.')
    printTable(
      ['ID', 'CONSUMER', 'EVENT', 'USER', 'SINCE', 'ERROR'],
      letters.map(({ id, consumer, event, error }) => [
        String(id),
        consumer,
        event.type,
        String(event.key),
        event.createdAt,
        error.split('\n', 1)[0]!,
      ]),
    )
  })
}

async function each(texts: string[], options: LetterOptions, verb: 'replay' | 'drop'): Promise<void> {
  if ((options.all === true) === texts.length > 0)
    throw wrongUse('Name dead letters by their numbers, or say --all: `pinstack events dead` lists them.')
  const given = texts.map(numberOf)
  await withApp(options, async ({ app: { deadLetters } }) => {
    const ids = options.all ? (await deadLetters.list({ limit: listMax })).map(({ id }) => id) : given
    if (verb === 'drop' && ids.length > 0) await confirmed(`Forget ${ids.length} events for good?`, options)
    const missing: number[] = []
    for (const id of ids) if (!(await deadLetters[verb](id))) missing.push(id)
    say(`${ids.length - missing.length} ${verb === 'replay' ? 'will be tried again' : 'are gone'}.`)
    if (missing.length > 0 && !options.all) throw new CommandError(`There is no dead letter ${missing.join(', ')}.`)
  })
}

function numberOf(text: string): number {
  if (!/^[1-9]\d{0,14}$/.test(text)) throw wrongUse(`A dead letter has a number, not ${JSON.stringify(text)}.`)
  return Number(text)
}
