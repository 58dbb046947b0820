import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'

const main = fileURLToPath(new URL('../../cli/src/main.ts', import.meta.url))
/** The environment of these tests, without settings that would reach the command. */
const clean = Object.fromEntries(
  Object.entries(process.env).filter(
    ([name]) => !/^(PINSTACK_|IMPORT_|PORT$|DATABASE_URL$|NODE_ENV$|FORCE_COLOR$|NODE_OPTIONS$)/.test(name),
  ),
)

export interface RunningCommand {
  process: ChildProcess
  exitCode: number | null
  stdout: string
  stderr: string
  ended: Promise<RunningCommand>
}

/** A command line of `pinstack` as its own process, which ends with the test. */
export function startCommand(args: readonly string[], { cwd, env = {} }: { cwd: string; env?: Record<string, string> }): RunningCommand {
  const child = spawn(process.execPath, ['--conditions=@pinstack/source', main, ...args], { cwd, env: { ...clean, ...env } })
  const running = { process: child, exitCode: null, stdout: '', stderr: '' } as unknown as RunningCommand
  running.ended = new Promise((resolve) => child.once('close', (exitCode) => resolve(Object.assign(running, { exitCode }))))
  child.stdout.setEncoding('utf8').on('data', (text: string) => (running.stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (running.stderr += text))
  onTestFinished(() => void child.kill('SIGKILL'))
  return running
}

/** Resolves as soon as it has said that on standard error: what follows may have to be in the middle of its work. */
export async function saysUntil(running: RunningCommand, text: RegExp, { withinMs }: { withinMs: number }): Promise<RegExpExecArray> {
  for (const untilMs = performance.now() + withinMs; performance.now() < untilMs; await sleep(2)) {
    const found = text.exec(running.stderr)
    if (found) return found
  }
  throw new Error(`never said ${text}: ${running.stderr}`)
}

/** Calls REST at `url`; with a body it is a POST. */
export function restAt(url: string) {
  return async (path: string, { token, body }: { token?: string; body?: unknown } = {}) => {
    const headers = token ? { authorization: `Bearer ${token}` } : {}
    const answer = await fetch(`${url}/api/v1${path}`, {
      headers,
      ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    })
    return { status: answer.status, data: ((await answer.json()) as { data: any }).data }
  }
}
