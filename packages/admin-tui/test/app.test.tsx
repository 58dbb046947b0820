import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPinstack } from '@pinstack/sdk'
import { createServer, type Server } from '@pinstack/server'
import { loadConfig } from '@pinstack/server/config'
import { cleanup, render } from 'ink-testing-library'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { App, openAdmin } from '../src/app.tsx'

const key = { enter: '\r', escape: '\u001B', down: '\u001B[B', right: '\u001B[C', left: '\u001B[D' }
const password = 'correct horse'
let dir: string
let server: Server
let url: string

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'pinstack-tui-'))
  const { config } = loadConfig({
    flags: { 'data.dir': dir, 'http.port': 0, 'metrics.port': 0, 'rateLimits.enabled': false, 'log.level': 'silent' },
  })
  server = await createServer(config)
  url = (await server.listen()).apiUrl
  const host = { kind: 'host' } as const
  await server.app.users.createAs(host, { username: 'ada', email: 'ada@example.com', password })
  await server.app.auth.grantRole(host, 'ada', 'admin')
  for (let i = 1; i <= 20; i++) {
    const bio = i === 1 ? 'one\n\u001B[2Jtwo' : undefined
    await server.app.users.createAs(host, { username: `user_${i}`, email: `user${i}@example.com`, password, bio })
  }
})
afterAll(async () => {
  await server.close()
  await rm(dir, { recursive: true })
})
afterEach(cleanup)

function open(at = url) {
  const screen = render(<App url={at} />)
  const frame = () => screen.lastFrame() ?? ''
  return {
    frame,
    /** Waits for the screen to show `text`. */
    async shows(text: string | RegExp): Promise<void> {
      const untilMs = performance.now() + 5_000
      while (!(typeof text === 'string' ? frame().includes(text) : text.test(frame()))) {
        if (performance.now() > untilMs) throw new Error(`no ${text} in:\n${frame()}`)
        await sleep(10)
      }
    },
    /** Types one after the other. Ink takes what comes at once for pasted text. */
    async type(...keys: string[]): Promise<void> {
      for (const one of keys) {
        await sleep(30)
        screen.stdin.write(one)
      }
      await sleep(30)
    },
  }
}

type Screen = ReturnType<typeof open>

async function signIn(screen: Screen, login: string): Promise<void> {
  await screen.shows(url)
  await screen.type(key.enter)
  await screen.shows('Login')
  await screen.type(login, key.enter)
  await screen.shows('Password')
  await screen.type(password, key.enter)
}

it('lets in nobody but an admin', async () => {
  const screen = open()
  await signIn(screen, 'user_1')
  await screen.shows('user_1 is not an admin. On the server')
  await screen.type('ada', key.enter)
  await screen.shows('Password')
  await screen.type('wrong horse', key.enter)
  await screen.shows('The password is wrong.')
  expect(screen.frame()).not.toMatch(/wrong horse|correct horse/)
  await screen.type(password, key.enter)
  await screen.shows('Server up')
  expect(await server.app.auth.listSessionsOf('user_1')).toEqual([]) // who was sent away is signed out again
})

it('says what is wrong with the server that was named', async () => {
  const screen = open('http://127.0.0.1:9')
  await screen.type(key.enter, 'ada', key.enter, password, key.enter)
  await screen.shows('http://127.0.0.1:9 does not answer.')
})

it('shows health, finds users, turns pages, and shows one', async () => {
  const screen = open()
  await signIn(screen, 'ada')
  await screen.shows(/database up \d+ ms/)
  await screen.type('q_', key.enter) // while one types, q is a letter
  await screen.shows('Nobody')
  await screen.type('/', 'USER_', key.enter)
  await screen.shows(/20 found · page 1 of 2/)
  expect(screen.frame()).toMatch(/› +2 user_1$/m)
  await screen.type(key.down, key.right)
  await screen.shows('page 2 of 2')
  expect(screen.frame()).not.toMatch(/ user_1$/m)
  await screen.type(key.left)
  await screen.shows('page 1 of 2')
  await screen.type(key.enter)
  await screen.shows('user1@example.com')
  expect(screen.frame()).toContain('one [2Jtwo')
  await screen.type(key.escape)
  await screen.shows('› ')
})

it('leads back to the login when the session has ended, or the account is no admin any more', async () => {
  const far = createPinstack({ url })
  await far.login({ login: 'ada', password })
  const screen = open()
  await signIn(screen, 'ada')
  await screen.shows('Server up')
  await far.sessions.revokeOthers()
  await screen.shows('The session has ended. Please sign in again.')

  const host = { kind: 'host' } as const
  await server.app.auth.grantRole(host, 'user_2', 'admin')
  await signIn(screen, 'user_2')
  await screen.shows('Server up')
  await server.app.auth.revokeRole(host, 'user_2')
  await screen.shows('user_2 is no longer an admin.')
})

it('signs out when it is left', async () => {
  const before = (await server.app.auth.listSessionsOf('ada')).length
  const screen = open()
  await signIn(screen, 'ada')
  await screen.shows('Server up')
  expect(await server.app.auth.listSessionsOf('ada')).toHaveLength(before + 1)
  await screen.type(key.escape, 'q')
  await expect.poll(() => server.app.auth.listSessionsOf('ada').then((list) => list.length)).toBe(before)
})

it('wants a terminal', async () => {
  await expect(openAdmin({ url })).rejects.toThrow('The admin terminal needs a terminal.')
})
