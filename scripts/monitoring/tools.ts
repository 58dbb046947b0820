import { spawnSync } from 'node:child_process'

export interface Tool {
  command: string
  /** How one gets it. */
  install: string
  version?: string
}

export const prometheus: Tool = { command: 'prometheus', install: 'apt-get install prometheus' }
export const promtool: Tool = { command: 'promtool', install: 'apt-get install prometheus' }
export const go: Tool = { command: 'go', install: 'https://go.dev/dl', version: 'version' }
export const python: Tool = { command: 'python3', install: 'apt-get install python3 python3-venv' }

/** What to call a test of the tools: where one is missing it is skipped with the reason in its name, and in CI it fails. */
export function withTools(title: string, tools: readonly Tool[]): { title: string; skip: boolean } {
  const missing = tools.find(({ command, version = '--version' }) => spawnSync(command, [version]).status !== 0)
  if (!missing) return { title, skip: false }
  const reason = `${missing.command} is missing: ${missing.install}`
  if (process.env.CI) throw new Error(reason)
  return { title: `${title} — ${reason}`, skip: true }
}

/** What the command printed; the same as an error, when it ended badly. */
export function run(command: string, args: readonly string[], options: { cwd?: string } = {}): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { encoding: 'utf8', ...options })
  if (status !== 0) throw new Error(`${command} ended with ${status ?? error?.message}\n${stdout}\n${stderr}`)
  return stdout + stderr
}
