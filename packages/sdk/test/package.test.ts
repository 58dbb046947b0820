import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { serverErrorCodes } from '../src/errors.ts'
import { emitDeclarations } from './declarations.ts'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

it('has declarations that stand alone', () => {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-sdk-types-'))
  onTestFinished(() => rmSync(dir, { recursive: true }))
  expect(emitDeclarations(join(dir, 'dist'), dir)).toMatchObject({ status: 0, stdout: '' })

  const files = globSync('*.d.ts', { cwd: join(dir, 'dist') })
  expect(files).toContain('client.d.ts')
  const imported = files.flatMap((file) => [
    ...readFileSync(join(dir, 'dist', file), 'utf8').matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)/g),
  ])
  expect(imported.length).toBeGreaterThan(0)
  // An example in a comment imports the package itself.
  expect(new Set(imported.map(([, name]) => name!).filter((name) => !name.startsWith('./')))).toEqual(new Set(['@pinstack/sdk']))
})

it('depends on nothing, and asks nobody to install what only the React hooks need', () => {
  const manifest = JSON.parse(readFileSync(path('../package.json'), 'utf8')) as Record<string, object>
  expect(manifest).not.toHaveProperty('dependencies')
  const peers = Object.keys(manifest['peerDependencies']!)
  expect(peers).toEqual(['@tanstack/react-query', '@types/react', 'react'])
  expect(manifest['peerDependenciesMeta']).toEqual(Object.fromEntries(peers.map((name) => [name, { optional: true }])))
})

it('knows the error codes of docs/errors.md, and no others', () => {
  const documented = readFileSync(path('../../../docs/errors.md'), 'utf8').matchAll(/^\| `([a-z_.]+)` \|/gm)
  expect([...serverErrorCodes].sort()).toEqual([...documented].map(([, code]) => code).sort())
})
