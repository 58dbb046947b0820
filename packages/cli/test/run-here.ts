import { vi } from 'vitest'
import { run } from '../src/run.ts'

export interface Run {
  exitCode: number | null
  stdout: string
  stderr: string
}

/** A command line in this process, which is quicker by the start of Node. A variable that is undefined is taken away meanwhile. */
export async function runHere(args: readonly string[], env: Record<string, string | undefined> = {}): Promise<Run> {
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value)
  const written = { stdout: '', stderr: '' }
  const capture = (name: keyof typeof written) =>
    vi.spyOn(process[name], 'write').mockImplementation((text) => {
      written[name] += String(text)
      return true
    })
  const spies = [capture('stdout'), capture('stderr')]
  try {
    return { exitCode: await run(args), ...written }
  } finally {
    for (const spy of spies) spy.mockRestore()
    vi.unstubAllEnvs()
  }
}
