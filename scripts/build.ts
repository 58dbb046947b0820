/** Builds every package into its `dist`: JavaScript by tsup, declarations by tsc. Does nothing when the sources are as they were. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { build as bundle } from 'tsup'
import { writeDashboards } from './monitoring/write-dashboards.ts'
import { packages, root, type Package } from './packages.ts'

/** Bundled for memory and start: zod brings its messages in 50 languages, Kysely its hundreds of files. Together 15 MiB less, measured idle. */
const bundled = ['zod', 'kysely']

const stampFile = join(root, 'node_modules', '.cache', 'built')
const tests = /[.](test|contract)[.]tsx?$/

writeDashboards() // before all else: they are among what is packed
const all = packages()
const stamp = fingerprint()
if (process.argv.includes('--force') || !isBuilt()) {
  const startedMs = Date.now()
  process.stderr.write('Building … ')
  rmSync(stampFile, { force: true })
  try {
    for (const one of all) await buildPackage(one)
    copySets()
  } catch (error) {
    process.stderr.write(`failed\n${error instanceof Error ? error.message : String(error)}\n`)
    process.exit(1)
  }
  mkdirSync(dirname(stampFile), { recursive: true })
  writeFileSync(stampFile, stamp)
  process.stderr.write(`done in ${((Date.now() - startedMs) / 1000).toFixed(1)} s\n`)
}

function isBuilt(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp && all.every(({ dir }) => existsSync(join(dir, 'dist')))
}

function fingerprint(): string {
  const hash = createHash('sha256')
  const files = globSync(
    [
      'packages/*/src/**/*',
      'packages/*/package.json',
      'scripts/{build,packages}.ts',
      'tsconfig.base.json',
      'pnpm-lock.yaml',
      '{docker,deploy}/**/*',
    ],
    { cwd: root, exclude: isLeftOut },
  )
  for (const file of files
    .filter((name) => (/[.]\w+$/.test(name) || /^(docker|deploy)./.test(name)) && isFile(name) && !tests.test(name))
    .sort())
    hash.update(`${file}\n`).update(readFileSync(join(root, file)))
  return hash.digest('hex')
}

function isFile(name: string): boolean {
  return statSync(join(root, name)).isFile()
}

/** What a build of the image has left in its folder. */
function isLeftOut(name: string): boolean {
  return basename(name) === 'packed'
}

/** What `pinstack deploy` writes lies in the repository where people look for it, and in the package beside its code. */
function copySets(): void {
  for (const name of ['docker', 'deploy'])
    cpSync(join(root, name), join(root, 'packages/cli/dist/sets', name), { recursive: true, filter: (path) => !isLeftOut(path) })
}

async function buildPackage({ name, dir, entries, hasTypes }: Package): Promise<void> {
  await bundle({
    entry: entries,
    outDir: join(dir, 'dist'),
    format: 'esm',
    target: 'es2022',
    skipNodeModulesBundle: true,
    noExternal: bundled,
    platform: 'node',
    splitting: true, // what is imported lazily (a driver, say) stays a file of its own
    clean: true,
    dts: false,
    config: false,
    silent: true,
    tsconfig: join(root, 'tsconfig.base.json'),
  })
  if (hasTypes) emitDeclarations({ name, dir, entries })
}

function emitDeclarations({ name, dir, entries }: Pick<Package, 'name' | 'dir' | 'entries'>): void {
  const project = join(root, 'node_modules', '.cache', `declarations-${basename(dir)}.json`)
  const compilerOptions = {
    customConditions: [], // of the other packages it reads the declarations, as a consumer does
    noEmit: false,
    declaration: true,
    emitDeclarationOnly: true,
    rootDir: join(dir, 'src'),
    outDir: join(dir, 'dist'),
    typeRoots: [join(root, 'node_modules', '@types')],
  }
  mkdirSync(dirname(project), { recursive: true })
  writeFileSync(project, JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, files: entries }))
  const compiler = join(root, 'node_modules', 'typescript-7', 'bin', 'tsc')
  const { status, stdout } = spawnSync(process.execPath, [compiler, '-p', project], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${name}: its declarations do not compile\n${stdout}`)
  for (const file of globSync('dist/**/*.d.ts', { cwd: dir })) namePublishedFiles(join(dir, file))
}

/** @NOTE tsc keeps the specifiers of the sources in declarations; `./user.ts` is not a file of the published package. */
function namePublishedFiles(file: string): void {
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace(/((?:from|import|module) ?\(?['"][.]{1,2}\/[^'"]+[.])tsx?(?=['"])/g, '$1js'))
}
