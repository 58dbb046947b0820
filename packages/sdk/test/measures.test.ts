import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { expect, it, onTestFinished } from 'vitest'
import { createPinstack } from '../src/client.ts'
import { appOptions, compile, emitDeclarations } from './declarations.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

const gzippedBytesMax = 15 * 1024
const instantiationsMax = 100_000

/** As an app's own bundle has it: minified, for browsers, and then compressed by its server. */
async function gzippedBytes(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: path('.') },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
  })
  return gzipSync(outputFiles[0]!.contents, { level: 9 }).length
}

it('is small in a browser: 15 KiB gzipped at most, with all of its parts', async () => {
  const all = await gzippedBytes(`export * from '../src/client.ts'`)
  const core = await gzippedBytes(`export { createPinstack } from '../src/client.ts'`)
  console.log(`gzipped: ${core} bytes for createPinstack, ${all} bytes for everything; ${gzippedBytesMax} are allowed`)
  expect(core).toBeLessThan(all) // what an app leaves out is left out
  expect(core).toBeGreaterThan(2_000)
  expect(all).toBeLessThanOrEqual(gzippedBytesMax)
})

/** `users.get`, `me`: every function of the client. */
function callsOf(node: object, prefix = ''): string[] {
  return Object.entries(node).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'function' ? [`${prefix}${name}`] : callsOf(value as object, `${prefix}${name}.`),
  )
}

it('is light for an editor: an app that uses every call takes less than 100,000 instantiations', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-sdk-editor-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  const installed = join(dir, 'app/node_modules/@pinstack/sdk')
  mkdirSync(installed, { recursive: true })
  const { type, publishConfig } = JSON.parse(readFileSync(path('../package.json'), 'utf8')) as Record<string, object>
  writeFileSync(join(installed, 'package.json'), JSON.stringify({ name: '@pinstack/sdk', type, ...publishConfig }))
  expect(emitDeclarations(join(installed, 'dist'), join(dir, 'emit'))).toMatchObject({ status: 0, stdout: '' })
  copyFileSync(path('./every-call.ts'), join(dir, 'app/main.ts'))
  writeFileSync(join(dir, 'app/package.json'), '{"type":"module"}')

  const options = { compilerOptions: { ...appOptions, noEmit: true }, files: ['main.ts'] }
  const { status, stdout } = compile(join(dir, 'app'), options, '--extendedDiagnostics')
  expect(status, stdout).toBe(0)
  const figure = (name: string) => new RegExp(`^${name}:\\s+(\\S+)$`, 'm').exec(stdout)![1]!
  console.log(`tsc: ${figure('Instantiations')} instantiations, ${figure('Types')} types, ${figure('Total time')}`)
  expect(Number(figure('Instantiations'))).toBeGreaterThan(0)
  expect(Number(figure('Instantiations'))).toBeLessThan(instantiationsMax)

  const app = readFileSync(path('./every-call.ts'), 'utf8')
  const calls = callsOf(createPinstack({ url: 'http://127.0.0.1' }))
  expect(calls).toContain('sessions.revokeOthers')
  expect(calls.filter((call) => !app.includes(`pinstack.${call}(`))).toEqual([])
})
