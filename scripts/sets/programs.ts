import { execFileSync, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../packages.ts'

const cache = join(root, 'node_modules', '.cache')

/**
 * Whether a program is there. CI installs it from Debian's packages, and fails where it cannot be had; elsewhere the tests that need
 * it are skipped: a package may start a service on a machine that is somebody's own. The result is what follows a suite's title.
 */
export function missing(name: string, debian = name): string {
  if (isThere(name)) return ''
  if (process.env.CI) {
    const apt = (...args: string[]) =>
      execFileSync('apt-get', [...args], { stdio: 'pipe', env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
    apt('update', '-qq')
    apt('install', '-y', '-qq', '--no-install-recommends', debian)
    if (!isThere(name)) throw new Error(`Debian's package ${debian} has brought no ${name}`)
    return ''
  }
  return ` — ${name} is not installed here`
}

function isThere(name: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${name}`]).status === 0
}

/** Builds scripts/parsers, once for each state of it, and returns the program. */
export function parsers(): string {
  const dir = join(root, 'scripts/parsers')
  const hash = createHash('sha256')
  for (const file of ['main.go', 'go.mod', 'go.sum']) hash.update(readFileSync(join(dir, file)))
  const program = join(cache, `parsers-${hash.digest('hex').slice(0, 16)}`)
  if (!existsSync(program)) execFileSync('go', ['build', '-o', program, '.'], { cwd: dir, stdio: 'pipe' })
  return program
}

const kubernetesValidate = '1.37.0'

/** The Python package kubernetes-validate, in an environment of its own: it brings the schemas of many versions of Kubernetes. */
export function manifestValidator(): string {
  const venv = join(cache, `kubernetes-validate-${kubernetesValidate}`)
  const program = join(venv, 'bin', 'kubernetes-validate')
  if (existsSync(program)) return program
  mkdirSync(cache, { recursive: true })
  if (spawnSync('python3', ['-m', 'venv', venv]).status !== 0) {
    missing('/usr/lib/python3/ensurepip', 'python3-venv')
    execFileSync('python3', ['-m', 'venv', venv], { stdio: 'pipe' })
  }
  const pip = ['install', '--quiet', '--disable-pip-version-check', `kubernetes-validate==${kubernetesValidate}`, 'setuptools']
  execFileSync(join(venv, 'bin', 'pip'), pip, { stdio: 'pipe' })
  return program
}

/** Runs the command line as it is built, and returns what it prints. */
export function pinstack(...args: string[]): string {
  return execFileSync(process.execPath, [join(root, 'packages/cli/bin/pinstack.js'), ...args], { encoding: 'utf8', stdio: 'pipe' })
}
