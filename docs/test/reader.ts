import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { createServer } from '@pinstack/server'
import { loadConfig } from '@pinstack/server/config'
import { root } from '../site/root.ts'

const run = promisify(execFile)
const documentedUrl = 'http://127.0.0.1:8080'
const documentedMetricsUrl = 'http://127.0.0.1:9106'
const source = ['--conditions=@pinstack/source', '--disable-warning=ExperimentalWarning']

/** Who does what a page says, from its top to its bottom, in an empty folder beside a server of their own. */
export interface Reader {
  /** Types it into the one shell; what it prints. @throws with both outputs where it ends with another code than `fails` */
  shell(code: string, fails?: number): Promise<string>
  /** Types it into a terminal of its own, where it goes on until `leave`. Resolves when it has printed `ready`. */
  begin(code: string, ready: string): Promise<Running>
  /** Saves it to a file, and lets Node run it. */
  program(code: string, name: string): Promise<string>
  /** Saves it for later. */
  save(code: string, name: string): void
  /** Reads it as `pinstack.yaml`. @throws what `pinstack up` would say */
  configure(yaml: string): void
  leave(): Promise<void>
}

/** What goes on in a terminal of its own. */
export interface Running {
  /** Resolves when it has printed `text`. @throws when it has ended without */
  says(text: string): Promise<void>
}

/** `signal` ends what waits: a test that takes too long leaves nothing behind. */
export async function createReader(signal: AbortSignal): Promise<Reader> {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-reader-'))
  const dataDir = join(dir, 'pinstack-data')
  const { config } = loadConfig({
    flags: { 'data.dir': dataDir, 'http.port': 0, 'metrics.port': 0, 'log.level': 'silent', 'rateLimits.enabled': false },
  })
  const server = await createServer(config)
  const { apiUrl, metricsUrl } = await server.listen()
  const here = (code: string) => code.replaceAll(documentedUrl, apiUrl).replaceAll(documentedMetricsUrl, metricsUrl)
  symlinkSync(join(root, 'docs/node_modules'), join(dir, 'node_modules'))
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
  const bin = writePrograms(join(dir, '.bin'))
  const state = join(dir, '.shell')
  const env = {
    PATH: `${bin}${delimiter}${process.env.PATH}`,
    HOME: dir,
    PINSTACK_DATA_DIR: dataDir,
    PINSTACK_LOG_LEVEL: 'error',
    NODE_OPTIONS: source.join(' '),
  }
  const begun: ChildProcess[] = []
  async function begin(child: ChildProcess, ready: string): Promise<Running> {
    begun.push(child)
    let said = ''
    let ended = false
    const progress = new EventEmitter()
    for (const stream of [child.stdout!, child.stderr!])
      stream.on('data', (chunk: Buffer) => {
        said += chunk
        progress.emit('more')
      })
    child.once('close', () => {
      ended = true
      begun.splice(begun.indexOf(child), 1)
      progress.emit('more')
    })
    const running: Running = {
      async says(text) {
        while (!said.includes(text)) {
          if (ended) throw new Error(`It ended without saying ${text}, but\n${said}`)
          await once(progress, 'more', { signal })
        }
      },
    }
    await running.says(ready)
    return running
  }
  const save = (code: string, name: string) => writeFileSync(join(dir, name), here(code))
  return {
    save,
    begin: (code, ready) => begin(spawn('bash', ['--norc', '-euc', here(code)], { cwd: dir, env, detached: true }), ready),
    async shell(code, fails = 0) {
      const remembered = `[ ! -e ${state} ] || . ${state}`
      const remember = `declare -p | grep -vE '^declare -[a-zA-Z-]*r|(BASH|FUNCNAME|GROUPS|DIRSTACK|PIPESTATUS)' > ${state}`
      return stdoutOf(
        run('bash', ['--norc', '-euo', 'pipefail', '-c', `${remembered}\n${here(code)}\n${remember}`], { cwd: dir, env, signal }),
        fails,
      )
    },
    async program(code, name) {
      save(code, name)
      return stdoutOf(run(process.execPath, [join(dir, name)], { cwd: dir, env, signal }))
    },
    configure(yaml) {
      save(yaml, 'pinstack.yaml')
      loadConfig({ file: join(dir, 'pinstack.yaml'), cwd: dir })
      rmSync(join(dir, 'pinstack.yaml'))
    },
    async leave() {
      for (const { pid } of begun) process.kill(-pid!, 'SIGKILL')
      await server.close()
      rmSync(dir, { recursive: true })
    },
  }
}

async function stdoutOf(running: Promise<{ stdout: string }>, fails = 0): Promise<string> {
  try {
    const { stdout } = await running
    if (fails === 0) return stdout
    throw new Error(`It was to fail, and printed\n${stdout}`)
  } catch (error) {
    const { code, stdout, stderr, message } = error as { code?: number; stdout?: string; stderr?: string; message: string }
    if (fails !== 0 && code === fails) return stdout!
    throw new Error([message, stdout, stderr].filter(Boolean).join('\n'), { cause: error })
  }
}

/**
 * `pinstack` as this checkout has it, for whoever types it or `npx pinstack`. What runs until it is stopped is stopped here once it has
 * said that it is there: `pinstack up` by its banner, `curl -N` by the event `ready`. `npm install` finds what the registry would have.
 */
function writePrograms(bin: string): string {
  mkdirSync(bin)
  const put = (name: string, text: string) => {
    writeFileSync(join(bin, name), `#!/usr/bin/env bash\nset -euo pipefail\n${text}\n`)
    chmodSync(join(bin, name), 0o755)
  }
  const cli = join(root, 'packages/cli/src/main.ts')
  const until = `node ${join(import.meta.dirname, 'until.mjs')}`
  // Beside the server that the reader has already, so on ports and data of its own.
  put(
    'pinstack',
    `[ "\${1-}" = up ] || exec node ${cli} "$@"
export PINSTACK_DATA_DIR=$HOME/up PINSTACK_HTTP_PORT=0 PINSTACK_METRICS_PORT=0
${until} 'is running[.] Ctrl-C stops it' bash -c 'exec node ${cli} "$@" 2>&1' up "$@"`,
  )
  put('npx', `case $1 in pinstack | pinstack@latest) shift; exec pinstack "$@";; *) echo "npx $1: not ours" >&2; exit 1;; esac`)
  put(
    'npm',
    `[ "$1" = install ] || { echo "npm $1: not a thing that is done here" >&2; exit 1; }
shift
for name in "$@"; do [ -e "${join(root, 'docs/node_modules')}/$name" ] || { echo "npm install: no package $name" >&2; exit 1; }; done`,
  )
  for (const name of ['docker', 'kubectl', 'systemctl', 'sudo'])
    put(name, `echo '${name} is not run here: mark the block not-run="…"' >&2; exit 1`)
  const curl = (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, 'curl'))
    .find(existsSync)
  put(
    'curl',
    `case " $* " in
*' -N '*) exec ${until} 'event: ready\\n[^\\0]*?\\n\\n' ${curl} --silent "$@";;
*) exec ${curl} --silent --show-error --fail-with-body "$@";;
esac`,
  )
  return bin
}
