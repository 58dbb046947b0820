import { isInteractive, wrongUse, CommandError } from './terminal.ts'

const stdinBytesMax = 4096

/** Takes a password from standard input or a hidden prompt; an argument would stay in the shell's history and the process list. */
export async function askNewPassword({ passwordStdin }: { passwordStdin?: boolean }): Promise<string> {
  if (passwordStdin) return readLine()
  if (!isInteractive()) throw wrongUse('No terminal to ask for the password on: pass it on standard input, with --password-stdin.')
  const { password, isCancel } = await import('@clack/prompts')
  const ask = async (message: string, validate: (value: string | undefined) => string | undefined) => {
    const answer = await password({ message, validate, output: process.stderr })
    if (isCancel(answer)) throw new CommandError('Cancelled.')
    return answer
  }
  const chosen = await ask('Password (8 to 128 characters)', (value = '') => ([...value].length < 8 ? 'At least 8 characters.' : undefined))
  await ask('The same again', (value) => (value !== chosen ? 'It is not the same.' : undefined))
  return chosen
}

/** Takes what was given, or asks for it. `flag` is how a script gives it. */
export async function askText(given: string | undefined, { message, flag }: { message: string; flag: string }): Promise<string> {
  if (given !== undefined) return given
  if (!isInteractive()) throw wrongUse(`${message} is missing: pass it as ${flag}.`)
  const { text, isCancel } = await import('@clack/prompts')
  const answer = await text({ message, output: process.stderr })
  if (isCancel(answer)) throw new CommandError('Cancelled.')
  return answer
}

/** The first line; the line break at its end is the shell's. */
async function readLine(): Promise<string> {
  let text = ''
  process.stdin.setEncoding('utf8')
  for await (const chunk of process.stdin) {
    text += chunk
    if (Buffer.byteLength(text) > stdinBytesMax)
      throw wrongUse(`Standard input holds more than a password: ${stdinBytesMax} bytes at most.`)
  }
  const line = text.split(/\r?\n/, 1)[0]!
  if (line === '') throw wrongUse('Standard input holds no password.')
  return line
}

/** Asks before what cannot be undone. A script says --yes. */
export async function confirmed(question: string, { yes }: { yes?: boolean }): Promise<void> {
  if (yes) return
  if (!isInteractive()) throw wrongUse(`${question} Nobody is here to answer: say so with --yes.`)
  const { confirm } = await import('@clack/prompts')
  if ((await confirm({ message: question, initialValue: false, output: process.stderr })) !== true)
    throw new CommandError('Nothing was changed.')
}

/** The empty answer is an answer: no domain. */
export async function askDomain(): Promise<string> {
  const { text, isCancel } = await import('@clack/prompts')
  const message = 'Domain that leads here, for HTTPS (empty: none, plain HTTP)'
  const answer = await text({ message, placeholder: 'social.example.com', output: process.stderr })
  if (isCancel(answer)) throw new CommandError('Cancelled.')
  return answer ?? ''
}

export async function askExtras(): Promise<string[]> {
  const { multiselect, isCancel } = await import('@clack/prompts')
  const answer = await multiselect({
    message: 'More than the core? (space chooses, enter goes on)',
    options: [
      { value: 'monitoring', label: 'monitoring', hint: 'Prometheus, Grafana, Loki, Tempo: 3 GB of memory' },
      { value: 'elk', label: 'elk', hint: 'Elasticsearch, Kibana, Logstash: 4 GB' },
      { value: 'tools', label: 'tools', hint: 'Kafka UI, pgAdmin: 1 GB' },
    ],
    required: false,
    output: process.stderr,
  })
  if (isCancel(answer)) throw new CommandError('Cancelled.')
  return answer
}
