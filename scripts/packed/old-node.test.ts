import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { root } from '../packages.ts'
import { environment, project, run } from './project.ts'

const sentence = /^Pinstack needs Node 20 or newer and this is v18[.][\d.]+: .*[.]$/m

let nodes: string
let clone: string
const bin = (major: number) => join(nodes, 'node_modules', `node${major}`, 'bin')
const on = (major: number) => ({ PATH: [bin(major), '/usr/bin', '/bin'].join(delimiter) })

beforeAll(() => {
  nodes = project(['node18@npm:node@18', 'node20@npm:node@20', 'npm@10'])
  clone = mkdtempSync(join(tmpdir(), 'pinstack-clone-'))
  for (const name of ['package.json', '.npmrc', 'scripts']) cpSync(join(root, name), join(clone, name), { recursive: true })
})
afterAll(() => {
  for (const dir of [nodes, clone]) rmSync(dir, { recursive: true, force: true })
})

test.each(['start', 'test'])('on Node 18 a fresh clone answers `npm %s` with one sentence', async (command) => {
  const { output, exit } = run(clone, [join(bin(18), 'node'), join(nodes, 'node_modules/npm/bin/npm-cli.js'), command, '--silent'], on(18))
  expect(await exit).toMatchObject({ code: 1 })
  expect(output()).toMatch(sentence)
  expect(output().trim().split('\n')).toHaveLength(1)
})

test.each([18, 20])('on Node %i the command answers with one sentence', async (major) => {
  const { output, exit } = run(environment().HOME ?? root, [join(bin(major), 'node'), join(root, 'packages/cli/bin/pinstack.js'), 'up'])
  expect(await exit).toMatchObject({ code: 1 })
  expect(output()).toMatch(new RegExp(`^pinstack needs Node 22[.]22 or newer, or 24[.]6 or newer, and this is v${major}[.].*\\n$`))
})
