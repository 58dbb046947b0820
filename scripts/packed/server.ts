import { vi } from 'vitest'
import { freePort, run, type Running } from './project.ts'

export interface RunningPinstack extends Running {
  url: string
  /** How long it took until it was ready, from the command on. */
  readyMs: number
  /** Ends it as Ctrl-C does in a terminal, the whole group at once. */
  interrupt(): Promise<void>
}

/** Runs a command that starts `pinstack up` in `dir`, and waits until it is ready. */
export async function startPinstack(
  dir: string,
  {
    command = ['npx', 'pinstack'],
    env,
    readyWithinMs = 60_000,
  }: { command?: string[]; env?: NodeJS.ProcessEnv; readyWithinMs?: number } = {},
): Promise<RunningPinstack> {
  const [port, metricsPort] = [await freePort(), await freePort()]
  const startedMs = performance.now()
  const server = run(dir, [...command, 'up', '--port', String(port), '--metrics-port', String(metricsPort)], env)
  const url = `http://127.0.0.1:${port}`
  const isReady = async () => {
    const { status } = await fetch(`${url}/readyz`).catch((cause: unknown) => {
      throw new Error(server.output(), { cause })
    })
    if (status !== 200) throw new Error(`not ready: ${status}`)
  }
  try {
    await vi.waitFor(isReady, { timeout: readyWithinMs, interval: 20 })
  } catch (error) {
    server.child.kill('SIGKILL')
    throw error
  }
  const readyMs = performance.now() - startedMs
  return {
    ...server,
    url,
    readyMs,
    async interrupt() {
      process.kill(-server.child.pid!, 'SIGINT')
      await server.exit
    },
  }
}
