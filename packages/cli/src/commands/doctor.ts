import type { Finding } from '@pinstack/server/diagnose'
import { ConfigError } from '@pinstack/server/config'
import type { Command } from 'commander'
import { addSettingOptions, readSettings, type SettingOptions } from '../settings.ts'
import { CommandError, print, printJson, styled } from '../terminal.ts'
import { version } from '../version.ts'

export function addDoctorCommand(program: Command): void {
  addSettingOptions(program.command('doctor'))
    .description('look at all that an installation stands on: what is wrong, and how to mend it')
    .option('--json', 'as JSON')
    .addHelpText(
      'after',
      `
It looks at the configuration, connections, versions, schema, clock, disk, counters, dead letters and lag, changes nothing, and may run
beside a server. Exit code 1 when something is wrong; warnings alone are 0.

Examples:
  pinstack doctor
  pinstack doctor --config /etc/pinstack.yaml --json`,
    )
    .action(doctor)
}

type DoctorOptions = SettingOptions & { json?: boolean }

async function doctor(options: DoctorOptions): Promise<void> {
  const findings = await look(options)
  if (options.json) printJson({ version, node: process.versions.node, findings })
  else for (const finding of findings) printFinding(finding)
  const count = findings.filter(({ status }) => status === 'wrong').length
  if (count > 0) throw new CommandError(count === 1 ? 'One thing is wrong.' : `${count} things are wrong.`)
}

async function look(options: DoctorOptions): Promise<Finding[]> {
  const runs: Finding = { check: 'versions', status: 'good', found: `Pinstack ${version} on Node ${process.versions.node}.` }
  const settings = settingsOf(options)
  if ('check' in settings) return [runs, settings]
  const { config, file } = settings
  const { diagnose } = await import('@pinstack/server/diagnose')
  const read: Finding = {
    check: 'configuration',
    status: 'good',
    found: `${file ?? 'Defaults, environment and options'}: every value is one that it may have.`,
  }
  return [runs, read, ...(await diagnose(config))]
}

/** @NOTE a wrong option is wrong use, as everywhere; a wrong file or variable is what the doctor was asked about. */
function settingsOf(options: DoctorOptions): ReturnType<typeof readSettings> | Finding {
  try {
    return readSettings(options)
  } catch (error) {
    if (!(error instanceof ConfigError) || /\(--/.test(error.message)) throw error
    return {
      check: 'configuration',
      status: 'wrong',
      found: error.message,
      fix: 'Correct it where it is set; docs/config.md has every key.',
    }
  }
}

const marks = { good: ['green', '✓'], warning: ['yellow', '!'], wrong: ['red', '✗'] } as const

function printFinding({ check, status, found, fix }: Finding): void {
  const [colour, mark] = marks[status]
  print(`${styled(colour, mark, process.stdout)} ${check.padEnd(14)}${found}`)
  if (fix) print(`  ${' '.repeat(14)}${styled('bold', fix, process.stdout)}`)
}
