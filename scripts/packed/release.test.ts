import { execFileSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { packages, root } from '../packages.ts'
import { compareOpenapi, openapiDocument } from '../release/compare-openapi.ts'

const made: string[] = []
afterAll(() => {
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

const document = openapiDocument()
const register = (doc: any) => doc.paths['/api/v1/auth/register'].post.requestBody.content['application/json'].schema

test('the REST API as it is breaks nothing', () => {
  expect(Object.keys((document as { paths: object }).paths).length).toBeGreaterThan(20)
  expect(compareOpenapi(document, document)).toEqual([])
})

test.each<[string, (doc: any) => unknown]>([
  ['a route is gone', (doc) => delete doc.paths['/api/v1/auth/logout']],
  ['a method is gone', (doc) => delete doc.paths['/api/v1/users/{id}'].delete],
  ['an answer loses a field', (doc) => delete doc.components.schemas.User.properties.username],
  ['an answer loses a field that is not always there', (doc) => delete doc.components.schemas.User.properties.bio],
  ['a field of an answer may come to lack', (doc) => doc.components.schemas.User.required.shift()],
  ['a field of an answer is of another type', (doc) => (doc.components.schemas.User.properties.id = { type: 'string' })],
  ['a request asks for a field more', (doc) => register(doc).required.push('bio')],
  ['a request takes less', (doc) => (register(doc).properties.username.maxLength = 16)],
  ['a request no longer takes a field', (doc) => delete register(doc).properties.bio],
  ['a parameter is gone', (doc) => doc.paths['/api/v1/posts/list'].get.parameters.pop()],
  ['a route asks for a session', (doc) => (doc.paths['/api/v1/posts/list'].get.security = [{ bearer: [] }])],
  ['a call of a generated client has another name', (doc) => (doc.paths['/api/v1/auth/logout'].post.operationId = 'auth.leave')],
])('%s: found', (_, change) => {
  const changed = structuredClone(document)
  change(changed)
  expect(compareOpenapi(document, changed)).not.toEqual([])
})

test.each<[string, (doc: any) => unknown]>([
  ['there is a route more', (doc) => (doc.paths['/api/v1/auth/ping'] = { get: { responses: { 200: { description: 'Done.' } } } })],
  ['an answer gets a field', (doc) => (doc.components.schemas.User.properties.pronouns = { type: 'string' })],
  ['a request takes a field more', (doc) => (register(doc).properties.pronouns = { type: 'string' })],
  ['a request takes more', (doc) => (register(doc).properties.username.maxLength = 64)],
])('%s: no break', (_, change) => {
  const changed = structuredClone(document)
  change(changed)
  expect(compareOpenapi(document, changed)).toEqual([])
})

test('a change of one package gives all four the same next version', () => {
  const clone = mkdtempSync(join(tmpdir(), 'pinstack-versions-'))
  made.push(clone)
  const manifests = packages().map(({ dir }) => join(relative(root, dir), 'package.json'))
  for (const file of ['package.json', 'pnpm-workspace.yaml', 'pnpm-lock.yaml', '.changeset/config.json', ...manifests])
    cpSync(join(root, file), join(clone, file), { recursive: true })
  writeFileSync(join(clone, '.changeset/one.md'), "---\n'@pinstack/sdk': minor\n---\n\nA call more.\n")
  execFileSync('git', ['init', '--quiet', '--initial-branch', 'main'], { cwd: clone })
  const versions = () =>
    new Set(manifests.map((file) => (JSON.parse(readFileSync(join(clone, file), 'utf8')) as { version: string }).version))
  const before = versions()
  execFileSync(process.execPath, [join(root, 'node_modules/@changesets/cli/bin.js'), 'version'], { cwd: clone, stdio: 'pipe' })
  const after = versions()
  expect([before.size, after.size]).toEqual([1, 1])
  expect(after).not.toEqual(before)
})
