import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { root } from './packages.ts'

const dir = mkdtempSync(join(tmpdir(), 'pinstack-closing-'))
symlinkSync(join(root, 'node_modules'), join(dir, 'node_modules'))
writeFileSync(join(dir, 'package.json'), '{ "type": "module" }')
afterAll(() => rmSync(dir, { recursive: true, force: true }))

/** What a run of these test files prints last. */
async function closingLines(files: Record<string, string>): Promise<{ lines: string[]; code: number }> {
  for (const [name, body] of Object.entries(files)) writeFileSync(join(dir, name), `import { describe, test } from 'vitest'\n${body}`)
  const args = [
    join(root, 'node_modules/vitest/vitest.mjs'),
    'run',
    '--root',
    dir,
    '--reporter=default',
    `--reporter=${join(root, 'scripts/closing-reporter.ts')}`,
  ]
  return new Promise((resolve) => {
    execFile(process.execPath, args, { cwd: dir }, (error, stdout) => {
      const lines = stdout.trimEnd().split('\n')
      resolve({ lines: lines.slice(lines.findIndex((line) => line.startsWith('on sqlite'))), code: error ? Number(error.code) : 0 })
    })
  })
}

test('a run closes with what ran where, the reason of each skip, and the sums', async () => {
  const { lines, code } = await closingLines({
    'users.test.js': `
      for (const engine of ['sqlite', 'postgres']) describe(\`users [\${engine}]\`, () => { test('register', () => {}) })
      describe.skip('sessions [postgres] — no server here', () => { test('end', () => {}); test('go on', () => {}) })
      test('decides late', ({ skip }) => skip('too warm'))`,
  })
  expect(lines).toEqual([
    'on sqlite: 1 passed, 0 failed, 0 skipped',
    'on postgres: 1 passed, 0 failed, 2 skipped',
    'without a database: 0 passed, 0 failed, 1 skipped',
    'skipped 2: no server here (users.test.js > sessions [postgres] — no server here > end and 1 more)',
    'skipped 1: too warm (users.test.js > decides late)',
    '2 passed, 0 failed, 3 skipped',
  ])
  expect(code).toBe(0)
})

test('a file that does not load, a failed set-up and a stray error count as failed', async () => {
  const { lines, code } = await closingLines({
    'users.test.js': `import './nowhere.js'`,
    'sessions.test.js': `import { beforeAll } from 'vitest'\nbeforeAll(() => { throw new Error('no') })\ntest('end', () => {})`,
    'stray.test.js': `test('leaves something behind', () => { void Promise.reject(new Error('stray')) })`,
  })
  expect(lines.slice(-2)).toEqual(['skipped 1: what comes before it failed (sessions.test.js > end)', '1 passed, 3 failed, 1 skipped'])
  expect(code).toBe(1)
})
