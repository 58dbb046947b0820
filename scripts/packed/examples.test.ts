import { cpSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { createPinstack, type Pinstack } from '../../packages/sdk/src/client.ts'
import { afterAll, afterEach, beforeAll, expect, inject, test } from 'vitest'
import { root } from '../packages.ts'
import { browserOf } from './browser.ts'
import { freePort, project, run, type Running } from './project.ts'
import { startPinstack, type RunningPinstack } from './server.ts'

const packed = inject('packed')
const made: string[] = []
let server: RunningPinstack
const running = new Set<Running>()

/** The example as a user has it after `npm install`: with the packed SDK instead of the registry's. */
function install(name: string): string {
  const from = join(root, 'examples', name)
  const { dependencies } = JSON.parse(readFileSync(join(from, 'package.json'), 'utf8')) as { dependencies: Record<string, string> }
  const sdk = packed.find((one) => one.name === '@pinstack/sdk')!.tarball
  const dir = project(Object.entries(dependencies).map(([library, range]) => (library === '@pinstack/sdk' ? sdk : `${library}@${range}`)))
  made.push(dir)
  cpSync(from, dir, { recursive: true, filter: (path) => path !== join(from, 'package.json') })
  return dir
}

function start(dir: string, command: string[], env: NodeJS.ProcessEnv): Running {
  const started = run(dir, command, env)
  running.add(started)
  return started
}

async function stop(one: Running, signal: NodeJS.Signals): Promise<number | null> {
  one.child.kill(signal)
  const { code } = await one.exit
  running.delete(one)
  return code
}

const printed = (one: Running, text: string | RegExp) => expect.poll(() => one.output(), { timeout: 60_000 }).toMatch(text)

beforeAll(async () => {
  const host = project(packed.map(({ tarball }) => tarball))
  made.push(host)
  server = await startPinstack(host)
})
afterEach(() => {
  for (const one of running) process.kill(-one.child.pid!, 'SIGKILL')
  running.clear()
})
afterAll(async () => {
  await server?.interrupt()
  for (const dir of made) rmSync(dir, { recursive: true, force: true })
})

async function person(username: string): Promise<Pinstack> {
  const pinstack = createPinstack({ url: server.url })
  await pinstack.register({ username, email: `${username}@example.com`, password: 'correct horse' })
  return pinstack
}

test('node-bot greets who follows it, once each, also those who came while it was away', async () => {
  const dir = install('node-bot')
  const bot = () => start(dir, ['node', 'main.js', server.url], { BOT_NAME: 'greta', BOT_PASSWORD: 'correct horse' })
  const [ann, ben] = [await person('ann'), await person('ben')]
  const greetings = async (who: Pinstack) => {
    const types: string[] = []
    for await (const { type } of who.notifications.feed()) types.push(type)
    return types.sort()
  }

  const first = bot()
  await printed(first, /^ready$/m)
  const { id } = await ann.users.getByUsername('greta')
  await ann.relations.follow(id)
  await printed(first, /^greeted ann$/m)
  expect(await stop(first, 'SIGTERM'), first.output()).toBe(0)
  expect(first.output()).toMatch(/^stopped$/m)

  await ben.relations.follow(id)
  const second = bot()
  await printed(second, /^ready$/m)
  expect(second.output()).toMatch(/^greeted ben$/m)
  expect(second.output()).not.toContain('ann')
  expect(await stop(second, 'SIGTERM'), second.output()).toBe(0)

  for (const one of [ann, ben]) await expect.poll(() => greetings(one), { timeout: 10_000 }).toEqual(['follow_created', 'greeting'])
  const titles: string[] = []
  for await (const post of ann.posts.list({ authorId: id, tag: 'welcome' })) titles.push(post.title)
  expect(titles).toEqual(['Welcome, ben', 'Welcome, ann'])
})

test('next-ssr signs in by a form, renders the page of who it is, renews the session, and signs out', async () => {
  const dir = install('next-ssr')
  const env = { PINSTACK_URL: server.url, NEXT_TELEMETRY_DISABLED: '1' }
  const built = start(dir, ['npx', 'next', 'build'], env)
  expect((await built.exit).code, built.output()).toBe(0)
  running.delete(built)
  const port = await freePort()
  const site = start(dir, ['npx', 'next', 'start', '--hostname', '127.0.0.1', '--port', String(port)], env)
  await printed(site, /Ready in/)
  const browser = browserOf(`http://127.0.0.1:${port}`)

  expect(await browser.get('/')).toContain('Who is there?')
  const account = { username: 'nell', password: 'correct horse', email: 'nell@example.com' }
  const refused = await browser.submit('Who is there?', { ...account, intent: 'login' })
  expect(refused).toContain('role="alert"')
  expect(browser.cookie('pinstack_session')).toBeUndefined()

  expect(await browser.submit('Who is there?', { ...account, intent: 'register' })).toContain('Hello <!-- -->nell')
  expect(browser.cookie('pinstack_session')!.attributes).toMatch(/HttpOnly/i)
  expect(browser.cookie('pinstack_session')!.attributes).toMatch(/Secure/i)
  expect(await browser.submit('Your posts', { title: 'From a form', content: 'Without a line of script.' })).toContain('<b>From a form</b>')

  // As it is when the token is about to end: the page renews it, and the browser gets the new one.
  const session = decode(browser.cookie('pinstack_session')!.value)
  browser.setCookie('pinstack_session', encode({ ...session, renewAtMs: 0, accessExpiresAtMs: 0 }))
  expect(await browser.get('/')).toContain('Hello <!-- -->nell')
  const renewed = decode(browser.cookie('pinstack_session')!.value)
  expect(renewed.refreshToken).not.toBe(session.refreshToken)
  expect(renewed.renewAtMs).toBeGreaterThan(Date.now())
  expect(await browser.get('/')).toContain('Hello <!-- -->nell')
  expect(decode(browser.cookie('pinstack_session')!.value)).toEqual(renewed)

  expect(await browser.submit('Sign out', {})).toContain('Who is there?')
  expect(browser.cookie('pinstack_session')).toBeUndefined()
  process.kill(-site.child.pid!, 'SIGTERM')
  await site.exit
  running.delete(site)
})

const decode = (value: string) => JSON.parse(Buffer.from(value, 'base64url').toString()) as { refreshToken: string; renewAtMs: number }
const encode = (session: object) => Buffer.from(JSON.stringify(session)).toString('base64url')
