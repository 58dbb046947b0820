import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createPinstack, type Pinstack } from '../../packages/sdk/src/client.ts'
import { startServer, type RunningServer } from '../../packages/sdk/test/running-server.ts'
import { root } from '../packages.ts'
import { openChromium } from './chromium.ts'
import { buildApp, serveApp, type ServedApp } from './web-app.ts'

/** Where to put pictures; without it none are written: `SCREENSHOTS=docs/images npm run test:browser`. */
const folder = process.env['SCREENSHOTS'] ? resolve(root, process.env['SCREENSHOTS']) : undefined

/** Those that the documentation shows. */
const shown = ['web-light', 'web-dark', 'web-dark-profile', 'web-phone', 'web-phone-dark-notifications']

const people = [
  ['grace', 'Grace Hopper', 'Found the first bug. It was a moth.'],
  ['alan', 'Alan Turing', 'Can machines think?'],
  ['katherine', 'Katherine Johnson', 'Girls are capable of doing everything men are capable of doing.'],
  ['edsger', 'Edsger W. Dijkstra', 'Simplicity is a prerequisite for reliability.'],
  ['margaret', 'Margaret Hamilton', 'There was no second chance. We knew that.'],
] as const

const posts = [
  [
    'ada',
    'Note G',
    'The engine has no pretensions whatever to originate anything. It can do whatever we know how to order it to perform.',
    ['thinking', 'numbers'],
  ],
  ['alan', 'Imitation', 'We can only see a short distance ahead, but we can see plenty there that needs to be done.', ['thinking']],
  [
    'margaret',
    'Lunar module, alarm 1202',
    'The software did exactly what it was meant to do: drop the least important work, and land.',
    ['space', 'reliability'],
  ],
  [
    'edsger',
    'On testing',
    'Program testing can be used to show the presence of bugs, but never to show their absence!',
    ['reliability', 'craft'],
  ],
  [
    'katherine',
    'Checked by hand',
    'They asked me to run the numbers of the machine once more. They agreed. He flew.',
    ['space', 'numbers'],
  ],
  ['grace', 'A nanosecond', 'It is 30 cm of wire. I hand them out to whoever asks why satellites take so long.', ['numbers', 'teaching']],
] as const

let server: RunningServer
let app: ServedApp
let browser: Browser
const clients = new Map<string, Pinstack>()
beforeAll(async () => {
  server = await startServer()
  const ada = await joins('ada', 'Ada Lovelace', 'Notes on the Analytical Engine.')
  for (const [username, fullName, bio] of people) await joins(username, fullName, bio)
  for (const [author, title, content, tags] of posts) await clients.get(author)!.posts.create({ title, content, tags: [...tags] })
  const { id } = await ada.me()
  for (const name of ['grace', 'alan']) await ada.relations.follow((await ada.users.getByUsername(name)).id)
  for (const name of ['katherine', 'grace', 'margaret']) await clients.get(name)!.relations.follow(id)
  const dist = mkdtempSync(join(tmpdir(), 'pinstack-web-'))
  await buildApp(join(root, 'examples/web'), dist, server.url)
  app = await serveApp(dist)
  browser = await openChromium()
})
afterAll(async () => {
  await browser?.close()
  await app?.close()
  await server?.close()
})

async function joins(username: string, fullName: string, bio: string): Promise<Pinstack> {
  const pinstack = createPinstack({ url: server.url })
  await pinstack.register({ username, email: `${username}@example.com`, password: 'correct horse', fullName, bio })
  clients.set(username, pinstack)
  return pinstack
}

const desk = { width: 1280, height: 800 }
const phone = { width: 390, height: 780 }

test.each([
  ['light', 'web-light', desk],
  ['dark', 'web-dark', desk],
  ['light', 'web-phone', phone],
  ['dark', 'web-phone-dark', phone],
] as const)('every page of the example fits its window: %s, %s', async (colorScheme, name, viewport) => {
  const context = await browser.newContext({ viewport, colorScheme, deviceScaleFactor: 2, hasTouch: viewport === phone })
  const page = await context.newPage()
  await page.goto(app.url)
  await page.getByRole('heading', { name: 'Pin what matters.' }).waitFor()
  await check(page, `${name}-welcome`)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByLabel('Username or e-mail').fill('ada')
  await page.getByLabel('Password').fill('correct horse')
  await page.locator('form').getByRole('button', { name: 'Sign in' }).first().click()
  await page.getByTestId('unread').waitFor()
  await page.getByRole('heading', { name: 'A nanosecond' }).waitFor()
  await check(page, name)
  for (const [link, sign] of [
    ['Notifications', 'Margaret Hamilton'],
    ['People', 'Edsger W. Dijkstra'],
    ['Profile', 'Notes on the Analytical Engine.'],
  ] as const) {
    await page.getByRole('navigation').getByRole('link', { name: link }).click()
    await page.locator('main').getByText(sign).first().waitFor()
    await check(page, `${name}-${link.toLowerCase()}`)
  }
  await context.close()
})

/** Nothing sticks out to the side, and nothing is cut off that one can press. */
async function check(page: Page, name: string): Promise<void> {
  const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth])
  expect(widths[0], name).toBe(widths[1])
  const buttons = await page
    .locator('button:visible, input:visible')
    .evaluateAll((all) => all.map((one) => one.getBoundingClientRect().right))
  expect(Math.max(...buttons), name).toBeLessThanOrEqual(widths[1]!)
  if (!folder || !shown.includes(name)) return
  mkdirSync(folder, { recursive: true })
  await page.evaluate(() => Promise.all(document.getAnimations().map((animation) => animation.finished)))
  await page.screenshot({ path: join(folder, `${name}.png`) })
}
