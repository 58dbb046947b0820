import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { project, run } from './project.ts'

const coreGzippedBytesMax = 15 * 1024

let dir: string
beforeAll(() => {
  dir = project([inject('packed').find(({ name }) => name === '@pinstack/sdk')!.tarball, 'vite@8', 'esbuild@0.28'])
  writeFileSync(join(dir, 'app.js'), `import { createPinstack, webStore } from '@pinstack/sdk'\n${made}`)
  writeFileSync(join(dir, 'small.js'), `import { isPinstackError } from '@pinstack/sdk'\nconsole.log(isPinstackError(new Error()))`)
  writeFileSync(join(dir, 'all.js'), `export * from '@pinstack/sdk'`)
  writeFileSync(join(dir, 'index.html'), '<!doctype html><title>App</title><script type="module" src="/app.js"></script>')
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const made = `globalThis.pinstack = createPinstack({ url: 'http://127.0.0.1:8080', store: webStore(localStorage) })`

/** What a browser would load, as one text. */
async function bundle(command: string[], output: string): Promise<string> {
  const { output: said, exit } = run(dir, command)
  expect(await exit, said()).toMatchObject({ code: 0 })
  const files = globSync(output, { cwd: dir })
  expect(files.length).toBeGreaterThan(0)
  return files.map((file) => readFileSync(join(dir, file), 'utf8')).join('\n')
}

function weigh(title: string, code: string): number {
  const bytes = gzipSync(code, { level: 9 }).length
  console.log(`${title}: ${(code.length / 1024).toFixed(1)} KiB, ${(bytes / 1024).toFixed(1)} KiB gzipped`)
  return bytes
}

const esbuild = (file: string) => [
  'npx',
  'esbuild',
  `${file}.js`,
  '--bundle',
  '--minify',
  '--format=esm',
  '--platform=browser',
  `--outfile=out/${file}.js`,
]

test('esbuild bundles the SDK for a browser in 15 KiB, and in much less what uses little of it', async () => {
  const all = weigh('all of the SDK by esbuild', await bundle(esbuild('all'), 'out/all.js'))
  const small = weigh('isPinstackError by esbuild', await bundle(esbuild('small'), 'out/small.js'))
  expect(all).toBeLessThanOrEqual(coreGzippedBytesMax)
  expect(small).toBeLessThan(all / 4)
})

test('what esbuild makes of an app starts where nothing is Node’s', async () => {
  await bundle(esbuild('app'), 'out/app.js')
  const start = [
    'for (const name of ["process", "Buffer"]) delete globalThis[name]',
    'globalThis.localStorage = { getItem: () => null }',
    `await import('./out/app.js')`,
    'console.log(await globalThis.pinstack.session())',
  ]
  writeFileSync(join(dir, 'start.js'), start.join('\n'))
  const { output, exit } = run(dir, ['node', 'start.js'])
  expect(await exit, output()).toMatchObject({ code: 0 })
  expect(output()).toBe('null\n')
})

test('Vite builds an app with the SDK', async () => {
  const code = await bundle(['npx', 'vite', 'build', '--outDir', 'site'], 'site/assets/*.js')
  expect(weigh('a Vite app with the SDK', code)).toBeLessThanOrEqual(coreGzippedBytesMax)
  expect(code).not.toMatch(/node:|process\.|require\(/)
})
