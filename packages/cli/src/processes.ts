import cluster, { type Worker as Process } from 'node:cluster'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Config } from '@pinstack/server/config'
import { CommandError, say } from './terminal.ts'

/** What one of several processes does that the others do not. */
export interface Share {
  roles: Config['roles']
  metricsPort: number
}

/** What a process says once it serves. */
export interface Started {
  apiUrl: string
  metricsUrl: string
  storage: string
  setupToken: string | undefined
}

/** Before one that has died is started again: what kills it at once must not keep the machine busy with starting. */
const restartAfterMs = 1_000

/** Whether this process is one of those that another has started to share a port. */
export const isShare = () => cluster.isWorker

/** In one of them: what it is to do. */
export async function ownShare(): Promise<Share> {
  return (await once(process, 'message'))[0] as Share
}

/** In one of them: says that it serves. */
export function tellStarted(started: Started): void {
  process.send!(started)
}

/** In one of them, when it has closed: lets go of the one that has started it, which would keep it alive. */
export function leave(): void {
  process.disconnect()
}

/**
 * Runs `config.processes` servers on one port, each in a process of its own, until `stopping` resolves. The first one has all roles of
 * the configuration, the others serve only. One that dies is started again; when one does not start at all, all end and this rejects.
 * They end with this process, however that ends.
 */
export async function runProcesses(config: Config, stopping: Promise<void>, onStarted: (all: Started[]) => void): Promise<void> {
  const running = new Set<Process>()
  let isStopping = false

  async function start(index: number): Promise<Started> {
    const own = cluster.fork()
    running.add(own)
    const ended = once(own, 'exit').then(() => void running.delete(own))
    own.once('online', () => own.send(shareOf(config, index)))
    const started = await Promise.race([once(own, 'message').then(([message]) => message as Started), ended])
    if (!started) throw new CommandError(`process ${index + 1} of ${config.processes} did not start; what it said is above`)
    void ended.then(() => restart(index, own.process.signalCode ?? `exit code ${own.process.exitCode}`))
    return started
  }

  async function restart(index: number, reason: string): Promise<void> {
    if (isStopping) return
    say(`Process ${index + 1} has ended (${reason}), and is started again.`)
    await sleep(restartAfterMs)
    if (!isStopping) await start(index).catch(() => restart(index, 'it did not start'))
  }

  async function stop(): Promise<void> {
    isStopping = true
    const all = [...running]
    for (const own of all) own.process.kill('SIGTERM')
    await Promise.all(all.map((own) => own.isDead() || once(own, 'exit')))
  }

  try {
    // The first one alone: it prepares the schema and the keys that the others find.
    const first = await start(0)
    const others = await Promise.all(Array.from({ length: config.processes - 1 }, (_, i) => start(i + 1)))
    onStarted([first, ...others])
    await stopping
    say('Stopping …')
  } finally {
    await stop()
  }
}

function shareOf({ roles, metrics }: Config, index: number): Share {
  return { roles: index === 0 ? roles : ['api'], metricsPort: metrics.port === 0 ? 0 : metrics.port + index }
}
