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
  const config = testConfig({ 'rateLimits.enabled': true })
  server = await createServer(config, quietly)
  ;({ apiUrl: url, metricsUrl } = await server.listen())
  const [seed] = readme.match(/^npm run pinstack -- (.*)$/m)!.slice(1)
  await run(process.execPath, ['--conditions=@pinstack/source', path('packages/cli/src/main.ts'), seed!, '--data', config.data.dir])
}, 60_000)
afterAll(() => server.close())
const here = (code: string) => code.replaceAll('http://127.0.0.1:8080', url)

it('runs each shell line of the README, in one shell, to a good answer', async () => {
  const script = here(blocks('sh').join('\n'))
  expect(script.match(/^(curl |TOKEN=\$\(curl )/gm)).toHaveLength(10)
  const again = script.lastIndexOf('TOKEN=')
  const [me, post, list, found, , followers] = await answersOf(script.slice(0, again))
  expect(me).toMatchObject({ username: 'ann', email: 'ann@example.com' })
  expect(list).toMatchObject({ posts: [{ id: post.id, title: 'Hello', author: { username: 'ann' } }], total: 1 })
  expect([found.users.length, found.users.some((user: object) => 'email' in user)]).toEqual([3, false])
  expect(followers).toMatchObject({ followers: [{ username: 'ann' }] })
  // What the consumer has written shows within a second, and a machine pastes faster than that.
  const seen = { type: 'follow_created', payload: { follower_id: me.id, followee_id: 7 }, is_read: false }
  await expect
    .poll(() => answersOf(script.slice(0, script.indexOf('TOKEN=')) + script.slice(again)), { timeout: 5_000 })
    .toMatchObject([{ notifications: [seen] }, { count: expect.any(Number) }])
})

/** The data of each answer that `script` prints, all of which are good. */
async function answersOf(script: string): Promise<any[]> {
  const { stdout } = await run('bash', ['-euc', script])
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { status: number; data: any })
  expect(answers.filter(({ status }) => status >= 300)).toEqual([])
  return answers.map(({ data }) => data)
}

it('runs the SDK lines of the README', async () => {
  const folder = path('packages/sdk/.readme-test')
  mkdirSync(folder, { recursive: true })
  const file = `${folder}/snippet.ts`
  try {
    const [code, ...others] = blocks('ts')
    expect([code!.trim().split('\n').filter(Boolean).length, others]).toEqual([10, []])
    writeFileSync(file, here(code!))
    const { stdout } = await run(process.execPath, ['--conditions=@pinstack/source', '--disable-warning=ExperimentalWarning', file])
    expect(stdout).toMatch(/^bob wrote Hello\n\[ \{ userId: \d+, following: false, followedBy: true \} \]\n$/)
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
