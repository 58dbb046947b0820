import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import type { Declarations } from './declarations.ts'
import { strictly } from './strictly.ts'

const options: ts.CompilerOptions = {
  strict: true,
  exactOptionalPropertyTypes: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts', 'lib.dom.iterable.d.ts', 'lib.dom.asynciterable.d.ts'],
  types: [],
  jsx: ts.JsxEmit.ReactJSX,
  skipLibCheck: true,
  noEmit: true,
}

/**
 * Where a program that was written against `last` may no longer compile with `next`: a sentence each, none when all of them do.
 *
 * Every exported value of `next` has to do for its old type, arguments and results each in their own direction, however deep: a result
 * may get more fields and an argument more that are optional, not the other way round. Every exported type has to be there still, with
 * as many parameters, and to be wider or narrower at most, words (`'a' | 'b'`) wider only. What `last` did not have is of no interest.
 *
 * `beside` is a folder whose `node_modules` the declarations may import from.
 */
export function compareTypes(last: Declarations, next: Declarations, beside: string): string[] {
  mkdirSync(join(beside, 'node_modules'), { recursive: true })
  const folder = mkdtempSync(join(beside, 'node_modules', '.types-compared-'))
  try {
    write(join(folder, 'next'), next)
    return Object.keys(last.entries).flatMap((path) => {
      if (!next.entries[path]) return [`\`${path}\` can no longer be imported.`]
      write(join(folder, 'last'), asOf(last, next, last.entries[path]!))
      return compareEntry(folder, path, last.entries[path]!, next.entries[path]!)
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/**
 * `last` as the entry `file` meets it. One in a folder of its own (`./react`) is given objects that the core makes, and the core is compared
 * by itself: what it has more of by now is there when the new one is called, and must not look like something more to be handed in.
 */
function asOf(last: Declarations, next: Declarations, file: string): Declarations {
  const own = dirname(file)
  if (own === '.') return last
  const isOwn = (name: string) => name.startsWith(`${own}/`)
  const pick = (files: Record<string, string>, wanted: boolean) => Object.entries(files).filter(([name]) => isOwn(name) === wanted)
  return { ...last, files: Object.fromEntries([...pick(last.files, true), ...pick(next.files, false)]) }
}

function write(folder: string, { files }: Declarations): void {
  rmSync(folder, { recursive: true, force: true })
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), strictly(text))
  }
}

function compareEntry(folder: string, path: string, lastFile: string, nextFile: string): string[] {
  const before = exportsOf(join(folder, 'last', lastFile))
  const after = exportsOf(join(folder, 'next', nextFile))
  const found: string[] = []
  const lines: string[] = []
  for (const [name, { isValue, isType, parameters }] of before) {
    const now = after.get(name)
    if (!now || (isValue && !now.isValue) || (isType && !now.isType)) {
      found.push(`\`${name}\` of \`${path}\` is gone.`)
      continue
    }
    if (isValue) lines.push(`export const value_${name}: typeof last.${name} = next.${name}`)
    if (isType) {
      const [required, all] = [parameters.filter((isOptional) => !isOptional).length, parameters.length]
      for (const count of new Set([required, all])) {
        const args = count > 0 ? `<${Array(count).fill('any').join(', ')}>` : ''
        const [old, changed] = [`last.${name}${args}`, `next.${name}${args}`]
        // Of words one is written down in programs, as the code of an error is: none may go.
        const narrower = `[${changed}] extends [${old}] ? [${old}] extends [string] ? never : true : never`
        lines.push(`export const type_${name}_${count}: [${old}] extends [${changed}] ? true : ${narrower} = true`)
      }
    }
  }
  const test = join(folder, `${path.replace(/\W/g, '_')}.ts`)
  const imports = [
    `import type * as last from './last/${lastFile.replace('.d.ts', '.js')}'`,
    `import * as next from './next/${nextFile.replace('.d.ts', '.js')}'`,
  ]
  writeFileSync(test, [...imports, ...lines].join('\n'))
  const program = ts.createProgram([test], options)
  for (const { file, start, messageText } of ts.getPreEmitDiagnostics(program)) {
    const line = file && start !== undefined ? file.text.slice(0, start).split('\n').length - 1 : 0
    const [, kind, name] =
      (file?.fileName === test && /^export const (value|type)_(\w+?)(?:_\d)?:/.exec(file.text.split('\n')[line]!)) || []
    const where = name ? `\`${name}\` of \`${path}\`` : (file?.fileName.slice(folder.length + 1) ?? path)
    const why = ts.flattenDiagnosticMessageText(messageText, '\n').replaceAll(`${folder}/`, '')
    found.push(`${where}: ${kind === 'type' ? 'is neither wider nor narrower than it was' : why}`)
  }
  return found
}

interface Export {
  isValue: boolean
  isType: boolean
  /** One for each type parameter: whether it has a default. */
  parameters: boolean[]
}

function exportsOf(file: string): Map<string, Export> {
  const program = ts.createProgram([file], options)
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(file)!)
  if (!module) throw new Error(`${file} exports nothing`)
  const found = checker.getExportsOfModule(module).map((exported): [string, Export] => {
    const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
    const generic = symbol.declarations?.find((one) => 'typeParameters' in one && !ts.isFunctionDeclaration(one)) as
      | { typeParameters?: ts.NodeArray<ts.TypeParameterDeclaration> }
      | undefined
    return [
      exported.name,
      {
        isValue: (symbol.flags & ts.SymbolFlags.Value) !== 0,
        isType: (symbol.flags & ts.SymbolFlags.Type) !== 0,
        parameters: (generic?.typeParameters ?? []).map((parameter) => parameter.default !== undefined),
      },
    ]
  })
  return new Map(found)
}
