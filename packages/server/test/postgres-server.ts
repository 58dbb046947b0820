import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** A Postgres of one's own: empty, on a free port of 127.0.0.1, sorting text by ICU's en-US. */
export interface PostgresServer {
  /** Names its superuser, who may create databases. */
  url: string
  /** Cuts all connections and takes it off the port; the data stays. */
  stop(): Promise<void>
  /** Brings it back on the same port with the same data. */
  start(): Promise<void>
  /** Ends it and removes its data. Happens by itself when this process ends, even by `kill -9`. */
  remove(): Promise<void>
}

type Answer = { ready: { url: string; pid: number } } | { stopped: true } | { failed: string }

/** Needs no installation and works as root too. Throws one sentence where Postgres cannot run. */
export async function startPostgres(): Promise<PostgresServer> {
  // @NOTE detached: Ctrl-C reaches the whole terminal group, and Postgres must outlive the last test's clean-up
  const keeper = spawn(process.execPath, [fileURLToPath(new URL('postgres-keeper.ts', import.meta.url))], {
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
    env: { ...process.env, NODE_OPTIONS: '' },
  })
  const left = new Promise<void>((resolve) => keeper.once('exit', () => resolve()))
  const lines = createInterface({ input: keeper.stdout })[Symbol.asyncIterator]()
  let pid = 0
  keeper.stdin.on('error', () => {}) // it has left: the next answer says so
  keeper.once('exit', (code) => {
    if (code === 0 || !pid) return
    try {
      process.kill(pid, 'SIGQUIT') // the keeper was killed, so this falls to us
    } catch {}
  })

  async function answer(): Promise<string> {
    const line = await lines.next()
    const message: Answer = line.done ? { failed: 'the process that keeps Postgres has ended' } : JSON.parse(line.value)
    if ('failed' in message) throw new Error(message.failed)
    if (!('ready' in message)) return ''
    pid = message.ready.pid
    return message.ready.url
  }
  async function tell(command: string): Promise<void> {
    keeper.stdin.write(`${command}\n`)
    await answer()
  }

  return {
    url: await answer(),
    stop: () => tell('stop'),
    start: () => tell('start'),
    async remove() {
      keeper.stdin.end()
      await left
    },
  }
}
