import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, it, onTestFinished } from 'vitest'
import { appOptions, compile } from './declarations.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

const options: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  lib: ['lib.es2022.d.ts', 'lib.dom.d.ts'],
  types: [],
  strict: true,
  allowImportingTsExtensions: true,
  noEmit: true,
}

/** Everything that `@pinstack/sdk` exports, and the members of its interfaces and classes: `Users.get`. */
function findExported() {
  const program = ts.createProgram([path('../src/client.ts')], options)
  const checker = program.getTypeChecker()
  const module = checker.getSymbolAtLocation(program.getSourceFile(path('../src/client.ts'))!)!
  const symbols = checker
    .getExportsOfModule(module)
    .map((symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol))
  const isOurs = (symbol: ts.Symbol) => symbol.declarations?.some((one) => one.getSourceFile().fileName.includes('/sdk/src/')) ?? false
  const docsOf = (symbol: ts.Symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker)).trim()
  const examplesOf = (symbol: ts.Symbol) => symbol.getJsDocTags(checker).filter(({ name }) => name === 'example').length
  return symbols.flatMap((symbol) => {
    const isShape = symbol.flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.Class)
    const members = isShape ? checker.getDeclaredTypeOfSymbol(symbol).getProperties().filter(isOurs) : []
    const described = members.map((member) => ({
      name: `${symbol.name}.${member.name}`,
      docs: docsOf(member),
      examples: examplesOf(member),
    }))
    const own = { name: symbol.name, docs: docsOf(symbol), examples: examplesOf(symbol) }
    return [{ ...own, examples: own.examples + described.reduce((sum, { examples }) => sum + examples, 0) }, ...described]
  })
}

const exported = findExported()

it('has a sentence for everything that is exported', () => {
  const all = exported
  expect(all.length).toBeGreaterThan(200)
  expect(all.filter(({ docs }) => docs === '').map(({ name }) => name)).toEqual([])
})

it('has examples for each of its groups', () => {
  const withExamples = exported.filter(({ examples }) => examples > 0)
  const groups = [
    'Pinstack',
    'Users',
    'Sessions',
    'Posts',
    'Relations',
    'Notifications',
    'Live',
    'Admin',
    'Pages',
    'PinstackError',
    'SessionStore',
  ]
  const functions = [
    'createPinstack',
    'isPinstackError',
    'memoryStore',
    'webStore',
    'asyncStore',
    'cookieStore',
    'headerCookies',
    'documentCookies',
  ]
  expect(withExamples.map(({ name }) => name)).toEqual(expect.arrayContaining([...groups, ...functions]))
})

/** What the examples take for given: an app, and the frameworks that they name. */
const given = `
import type { AsyncStorage, Fetch, Notification, NotificationChange, Pinstack, SessionInfo } from '@pinstack/sdk'
declare global {
  const pinstack: Pinstack
  const url: string
  const request: Request
  const headers: Headers
  const req: { headers: { cookie?: string } }
  const res: { appendHeader(name: string, value: string): void }
  function cookies(): Promise<NextCookies>
  const AsyncStorage: AsyncStorage
  const getItemAsync: (key: string) => Promise<string | null>
  const setItemAsync: (key: string, value: string) => Promise<void>
  const deleteItemAsync: (key: string) => Promise<void>
  function readFile(path: string, encoding: 'utf8'): Promise<string>
  function writeFile(path: string, text: string, options: { mode: number }): Promise<void>
  function show(what: Notification): void
  function showLight(state: string): void
  function showLogin(text: string): void
  function showNobody(): void
  function showDevice(session: SessionInfo): void
  function update(change: object): void
  function render(items: readonly object[]): void
  function reloadFeed(): Promise<void>
  const error: unknown
}
export interface NextCookies {
  get(name: string): { name: string; value: string } | undefined
  set(name: string, value: string, options?: { httpOnly?: boolean; secure?: boolean; sameSite?: boolean | 'lax' | 'strict' | 'none'; path?: string; maxAge?: number; domain?: string }): NextCookies
}
`
/** As much of the type of a server with a feature as the SDK reads. */
const server = `
type Add = { _def: { type: 'mutation'; $types: { input: { postId: number; kind: 'like' }; output: { added: boolean } } } }
export type App = { readonly $routers?: { reaction: { _def: { record: { add: Add } } } } }
`
const frameworks = `
declare module 'next/headers' { export function cookies(): Promise<import('./given.js').NextCookies> }
declare module '@react-native-async-storage/async-storage' { const storage: import('@pinstack/sdk').AsyncStorage; export default storage }
declare module 'expo/fetch' { export const fetch: import('@pinstack/sdk').Fetch }
`

it('has examples that compile, in its comments and in the README', () => {
  const inComments = globSync('*.ts', { cwd: path('../src') }).flatMap((file) =>
    [...readFileSync(join(path('../src'), file), 'utf8').matchAll(/^ *[*] ```ts\n([\s\S]*?)^ *[*] ```/gm)].map(([, text]) => ({
      from: file,
      text: text!.replaceAll(/^ *[*] ?/gm, ''),
    })),
  )
  const inReadme = [...readFileSync(path('../README.md'), 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) => ({
    from: 'README.md',
    text: text!,
  }))
  expect(inComments.length).toBeGreaterThan(20)
  expect(inReadme.length).toBeGreaterThan(3)

  const dir = mkdtempSync(join(tmpdir(), 'pinstack-sdk-examples-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  mkdirSync(join(dir, 'node_modules/@pinstack'), { recursive: true })
  symlinkSync(path('..'), join(dir, 'node_modules/@pinstack/sdk'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  const all = exported.map(({ name }) => name).filter((name) => !name.includes('.'))
  for (const [index, { from, text }] of [...inComments, ...inReadme].entries()) {
    const used = all.filter((name) => new RegExp(`\\b${name}\\b`).test(text))
    const imports = text.includes(`from '@pinstack/sdk'`) ? '' : `import { ${used.join(', ')} } from '@pinstack/sdk'\n`
    writeFileSync(join(dir, `example-${index}.ts`), `// ${from}\n${imports}${text}\nexport {}\n`)
  }
  writeFileSync(join(dir, 'given.ts'), given)
  writeFileSync(join(dir, 'server.d.ts'), server)
  writeFileSync(join(dir, 'frameworks.d.ts'), frameworks)
  const compilerOptions = {
    ...appOptions,
    skipLibCheck: true,
    noEmit: true,
    customConditions: ['@pinstack/source'],
    allowImportingTsExtensions: true,
  }
  const { status, stdout } = compile(dir, { compilerOptions, include: ['*.ts'] })
  expect([status, stdout]).toEqual([0, ''])
})
