/**
 * Takes out of an installation what a running Pinstack never reads: `node prune.mjs /app`. Packages bring binaries for every
 * platform, their sources, declarations, maps and manuals; here those are some hundred megabytes of an image. Licences stay.
 * scripts/check-image.ts runs what is left.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

const modules = join(process.argv[2] ?? '', 'node_modules')
if (!existsSync(join(modules, 'pinstack'))) {
  console.error(`prune.mjs: no Pinstack in ${modules}`)
  process.exit(1)
}

/** Whole packages: npm installs a compiler because packages name it as a peer, for their types. */
const compilers = ['typescript', '@typescript', '@types']
/** Of better-sqlite3: SQLite's own sources, and the binaries of the platforms that this one is not. */
const isMusl = process.report.getReport().header.glibcVersionRuntime === undefined
const binary = `${process.platform}${isMusl ? 'musl' : ''}-${process.arch}.node`
const sqlite = join(modules, 'better-sqlite3')
const otherBinaries = readdirSync(join(sqlite, 'prebuilds')).filter((name) => name !== binary)
if (otherBinaries.length === readdirSync(join(sqlite, 'prebuilds')).length) {
  console.error(`prune.mjs: better-sqlite3 brings no ${binary}`)
  process.exit(1)
}
const files = /([.](d[.][cm]?ts|[cm]?ts|map|flow|markdown)|[.]md|[.]tsbuildinfo|[.]gyp)$/i
const licences = /^(licen[cs]e|copying|notice)/i
const folders = new Set(['test', 'tests', '__tests__', 'benchmark', 'benchmarks', 'examples', '.github'])

const before = bytesOf(modules)
const gone = [
  ...compilers.map((name) => join(modules, name)),
  join(sqlite, 'deps'),
  join(sqlite, 'src'),
  ...otherBinaries.map((name) => join(sqlite, 'prebuilds', name)),
]
for (const path of gone) rmSync(path, { recursive: true, force: true })
prune(modules)
const bins = join(modules, '.bin')
for (const name of readdirSync(bins)) if (!existsSync(join(bins, name))) rmSync(join(bins, name)) // links to what is gone
console.log(`prune.mjs: ${megabytes(before)} MB before, ${megabytes(bytesOf(modules))} MB after`)

function prune(folder) {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (path === join(modules, 'pinstack/dist/sets')) continue // what `pinstack deploy` writes is data, whatever its files are called
    if (!entry.isDirectory()) {
      if (files.test(entry.name) && !licences.test(entry.name)) rmSync(path)
    } else if (isPackage(folder) && folders.has(entry.name.toLowerCase())) rmSync(path, { recursive: true })
    else prune(path)
  }
}

/** @NOTE only a package's own folder `test` is one of tests: deeper down it may be a module of that name. */
function isPackage(folder) {
  const parent = basename(dirname(folder))
  return (parent === 'node_modules' && !basename(folder).startsWith('@')) || parent.startsWith('@')
}

function bytesOf(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0)
}

function megabytes(bytes) {
  return (bytes / 1e6).toFixed(1)
}
