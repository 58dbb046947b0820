import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** An empty folder of an app, with these packages installed as npm installs them. */
export function project(packages: string[]): string {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-project-'))
  writeFileSync(join(dir, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
  npm(dir, ['install', '--no-audit', '--no-fund', '--loglevel=error', ...packages])
  return dir
}

export function npm(cwd: string, args: string[]): string {
  return execFileSync('npm', args, { cwd, encoding: 'utf8', env: environment(), shell: process.platform === 'win32' })
}

/** What a person's shell has: nothing of the npm and the test runner that this runs in. */
export function environment(): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(?!config_(registry|cafile))|VITEST|NODE_(?!EXTRA_CA_CERTS)|TEST|INIT_CWD|CI$|FORCE_COLOR)/.test(name),
  )
  return Object.fromEntries(inherited)
}

/** Compiles a file of the project with exactly these options, libraries included. Returns what the compiler says: nothing, when it is content. */
export function compile(dir: string, compiler: string, file: string, options: Record<string, unknown>): string {
  const config = join(dir, `tsconfig-${compiler}-${options.moduleResolution}.json`)
  const compilerOptions = { target: 'es2022', strict: true, noEmit: true, skipLibCheck: false, types: [], ...options }
  writeFileSync(config, JSON.stringify({ compilerOptions, files: [file] }))
  try {
    return execFileSync(process.execPath, [join(dir, 'node_modules', compiler, 'bin', 'tsc'), '-p', config], { cwd: dir, encoding: 'utf8' })
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

/** The module resolutions that apps use. */
export const resolutions = [
  { module: 'nodenext', moduleResolution: 'nodenext' },
  { module: 'esnext', moduleResolution: 'bundler' },
]

export interface Running {
  child: ChildProcess
  /** All that it has printed. */
  output(): string
  exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
}

export function run(cwd: string, [command, ...args]: string[], env: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(command!, args, { cwd, env: { ...environment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return { child, output: () => output, exit: new Promise((resolve) => child.once('close', (code, signal) => resolve({ code, signal }))) }
}

export function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
