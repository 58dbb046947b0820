import { basename, dirname, join, relative } from 'node:path'
import ts from 'typescript'
import { packages, root } from '../packages.ts'

/** What an app's compiler reads of a package: declarations by file name, and which of them each import path gives. */
export interface Declarations {
  files: Record<string, string>
  /** By subpath as in `exports`: `.`, `./react`. */
  entries: Record<string, string>
}

/**
 * The declarations of the SDK as its sources are now, without their comments: what is compared, and kept with a release.
 * TypeScript 5 makes them, since 7 has no compiler API; both make the same ones of code with `isolatedDeclarations`.
 */
export function sdkDeclarations(): Declarations {
  const { dir, sources } = packages().find(({ name }) => name === '@pinstack/sdk')!
  const from = join(dir, 'src')
  const options = { ...baseOptions(), noEmit: false, declaration: true, emitDeclarationOnly: true, removeComments: true, rootDir: from }
  const program = ts.createProgram(Object.values(sources), { ...options, allowImportingTsExtensions: true, outDir: '/' })
  const files: Record<string, string> = {}
  program.emit(undefined, (file, text) => {
    files[file.replace(/^\//, '')] = text.replace(specifiers, '$1js')
  })
  const nameOf = (source: string) => relative(from, source).replace(/[.]tsx?$/, '.d.ts')
  return {
    files: inOrder(files),
    entries: inOrder(Object.fromEntries(Object.entries(sources).map(([path, file]) => [path, nameOf(file)]))),
  }
}

/** `./user.ts` in a source is `./user.js` to who reads its declarations. */
const specifiers = /((?:from|import) ?\(?['"][.]{1,2}\/[^'"]+[.])tsx?(?=['"])/g

function baseOptions(): ts.CompilerOptions {
  const file = join(root, 'tsconfig.base.json')
  const { options, errors } = ts.parseJsonConfigFileContent(ts.readConfigFile(file, ts.sys.readFile).config, ts.sys, dirname(file))
  if (errors.length > 0) throw new Error(`${basename(file)}: ${ts.flattenDiagnosticMessageText(errors[0]!.messageText, '\n')}`)
  return { ...options, typeRoots: [join(root, 'node_modules/@types')] }
}

function inOrder<T>(record: Record<string, T>): Record<string, T> {
  return Object.fromEntries(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)))
}
