import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const script = fileURLToPath(new URL('../../../../scripts/services/kafka.sh', import.meta.url))
/** The shortest session of a member of a group, for tests that wait until a dead worker has been noticed. */
const sessionMsMin = 1_000

/** A Kafka of one's own, on free ports of 127.0.0.1, for tests that kill it. */
export interface KafkaBroker {
  brokers: string[]
  /** `kill -9`: nothing is flushed or handed over. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Kafka's own command for what it is told while it runs: `--alter --add-config … --entity-type users --entity-name …`. */
  configure(...args: string[]): Promise<void>
  /** It keeps its connections, and answers nothing. */
  freeze(): void
  thaw(): void
  /** Ends it and removes its data. Happens by itself when this process ends, however it ends. */
  remove(): Promise<void>
}

export interface KafkaBrokerOptions {
  /** More lines for its configuration; later ones win. `port` is that of its listener for everybody, `PLAINTEXT`. */
  properties?: (ports: { port: number; controllerPort: number }) => string[]
}

export async function startKafkaBroker({ properties = () => [] }: KafkaBrokerOptions = {}): Promise<KafkaBroker> {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-kafka-'))
  const [port, controllerPort] = (await freePorts(2)) as [number, number]
  const extra = join(dir, 'extra.properties')
  const lines = [`group.min.session.timeout.ms=${sessionMsMin}`, ...properties({ port, controllerPort })]
  writeFileSync(extra, lines.map((line) => `${line}\n`).join(''), { mode: 0o600 })
  const env = {
    ...process.env,
    KAFKA_DATA_DIR: join(dir, 'data'),
    KAFKA_PORT: String(port),
    KAFKA_CONTROLLER_PORT: String(controllerPort),
    KAFKA_EXTRA_CONF: extra,
    KAFKA_HEAP: '256m',
    LC_ALL: 'C.UTF-8', // of what `configure` is told
  }
  const run = async (...args: string[]) => void (await promisify(execFile)('bash', [script, ...args], { env }))
  const signal = (name: NodeJS.Signals) => void process.kill(Number(readFileSync(join(dir, 'data.pid'), 'utf8').split(' ')[0]), name)
  // The end of its standard input is the end of this process, after `kill -9` as well.
  const keeper = spawn('bash', ['-c', 'cat >/dev/null; bash "$0" wipe; rm -rf "$1"', script, dir], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
    detached: true,
  })
  const gone = once(keeper, 'exit')
  const remove = async () => {
    keeper.stdin.end()
    await gone
  }
  try {
    await run('start')
  } catch (error) {
    await remove()
    throw error
  }
  return {
    brokers: [`127.0.0.1:${port}`],
    kill: () => run('kill9'),
    start: () => run('start'),
    configure: (...args) => run('configs', ...args),
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    remove,
  }
}

export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer().listen(0, '127.0.0.1')
      await once(server, 'listening')
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as AddressInfo).port)
  await Promise.all(servers.map((server) => once(server.close(), 'close')))
  return ports
}
