import { execFile } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createServer, type Server } from '../src/server.ts'
import { quietly, testConfig } from './serve.ts'

const run = promisify(execFile)
const path = (relative: string) => fileURLToPath(new URL(`../../../${relative}`, import.meta.url))
const readme = readFileSync(path('README.md'), 'utf8')
const blocks = (language: string) =>
  [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(([, code]) => code!)

let server: Server
let url: string
let metricsUrl: string
beforeAll(async () => {
  server = await createServer(testConfig({ 'rateLimits.enabled': true }), quietly)
  ;({ apiUrl: url, metricsUrl } = await server.listen())
})
afterAll(() => server.close())
const here = (code: string) => code.replaceAll('http://127.0.0.1:8080', url)

it('runs each shell line of the README, in one shell, to a good answer', async () => {
  const script = here(blocks('sh').join('\n'))
  expect(script.match(/^(curl|TOKEN=)/gm)!.length).toBeGreaterThanOrEqual(5)
  const { stdout } = await run('bash', ['-euc', script])
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { status: number; data: any })
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 200, 201, 200, 200, 200])
  expect(answers[2]!.data).toMatchObject({ username: 'ann', email: 'ann@example.com' })
  expect(answers[4]!.data).toMatchObject({ posts: [{ title: 'Hello', author: { username: 'ann' } }], total: 1 })
  expect(answers[6]!.data).toMatchObject({ users: [{ username: 'ann' }], total: 1 })
  expect(answers[6]!.data.users[0]).not.toHaveProperty('email')
})

it('runs the SDK lines of the README', async () => {
  const folder = path('packages/sdk/.readme-test')
  mkdirSync(folder, { recursive: true })
  const file = `${folder}/snippet.ts`
  try {
    for (const code of blocks('ts')) {
      writeFileSync(file, here(code))
      const { stdout } = await run(process.execPath, ['--conditions=@pinstack/source', '--disable-warning=ExperimentalWarning', file])
      expect(stdout).toBe('ann\n')
    }
    expect(blocks('ts')).toHaveLength(1)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

it('finds every address and every file that the README names', async () => {
  const addresses = [...readme.matchAll(/^\| .* \| (http\S+) \|$/gm)].map(([, address]) => address!)
  expect(addresses).toHaveLength(5)
  for (const address of addresses) {
    if (address.endsWith('/trpc')) continue // a prefix: the SDK lines above go through it
    expect([address, (await fetch(address.includes(':9106') ? metricsUrl : here(address))).status]).toEqual([address, 200])
  }
  for (const [, file] of readme.matchAll(/\]\((?!http)([^)#]+)\)/g)) expect([file, existsSync(path(file!))]).toEqual([file, true])
})
