import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { expired, registered, startServer, type RunningServer } from '../../packages/sdk/test/running-server.ts'
import { root } from '../packages.ts'
import { openChromium } from './chromium.ts'
import { openNetwork, type Network } from './network.ts'
import { buildApp, serveApp, type ServedApp } from './web-app.ts'

const password = 'correct horse'

let server: RunningServer
let network: Network
let app: ServedApp
let browser: Browser
beforeAll(async () => {
  server = await startServer()
  const dist = mkdtempSync(join(tmpdir(), 'pinstack-web-'))
  network = await openNetwork(server.url)
  await buildApp(join(root, 'examples/web'), dist, network.url)
  app = await serveApp(dist)
  browser = await openChromium()
})
afterAll(async () => {
  await browser?.close()
  await app?.close()
  await network?.close()
  await server?.close()
})

/** What the page complains of. A call that is refused on purpose is none of it. */
let complaints: string[]
beforeEach(() => {
  complaints = []
})
afterEach(() => {
  if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join('\n')}`)
})

/** A browser of one person. */
async function person(options: Parameters<Browser['newContext']>[0] = {}): Promise<BrowserContext> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  context.setDefaultTimeout(20_000)
  context.on('weberror', (error) => complaints.push(error.error().stack ?? String(error.error())))
  onTestFinished(() => context.close())
  return context
}

async function open(context: BrowserContext, hash = '#/'): Promise<Page> {
  const page = await context.newPage()
  await page.goto(app.url + hash)
  return page
}

async function register(page: Page, username: string): Promise<void> {
  await page.getByLabel('Username').fill(username)
  await page.getByLabel('E-mail').fill(`${username}@example.com`)
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Create account' }).click()
  await isLive(page)
}

const isLive = (page: Page) => page.locator('.light.live').waitFor()
const unread = (page: Page) => page.getByTestId('unread')

async function post(page: Page, title: string, content: string, tags: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Title' }).fill(title)
  await page.getByRole('textbox', { name: 'Note' }).fill(content)
  await page.getByRole('textbox', { name: 'Tags' }).fill(tags)
  await page.getByRole('button', { name: 'Pin it' }).click()
  await page.locator('.post:not(.sending)', { hasText: title }).waitFor()
}

test('one registers, posts with tags, and a follow from elsewhere shows at once', async () => {
  const [ada, grace] = [await person({ colorScheme: 'light' }), await person({ colorScheme: 'dark' })]
  const [adasPage, gracesPage] = [await open(ada), await open(grace)]
  await register(adasPage, 'ada')
  await register(gracesPage, 'grace')

  await post(adasPage, 'Note G', 'The engine has no pretensions whatever to originate anything.', '#engines, numbers')
  await post(adasPage, 'On weaving', 'It weaves algebraic patterns just as the Jacquard loom weaves flowers and leaves.', 'engines')
  await adasPage.getByRole('link', { name: '#numbers' }).click()
  await adasPage.getByRole('heading', { name: '#numbers' }).waitFor()
  await adasPage.getByRole('heading', { name: 'Note G' }).waitFor()
  await expect.poll(() => adasPage.locator('.post').count()).toBe(1)

  await gracesPage.getByRole('link', { name: 'People' }).click()
  await gracesPage.getByPlaceholder('Find people').fill('ad')
  const follow = gracesPage.locator('main').getByRole('button', { name: 'Follow ada' })
  await follow.click()
  await expect.poll(() => follow.textContent()).toBe('Following')
  await unread(adasPage).waitFor()
  expect(await unread(adasPage).textContent()).toBe('1')
  expect(await adasPage.locator('.toast').textContent()).toContain('grace follows you now')
  expect(await adasPage.title()).toBe('(1) Corkboard')

  await adasPage.getByRole('link', { name: 'Notifications' }).click()
  await adasPage.getByTestId('notifications').getByText('follows you now').click()
  await unread(adasPage).waitFor({ state: 'detached' })

  // Whom one follows, posts on top of one's page.
  await gracesPage.getByRole('link', { name: 'Home' }).click()
  await adasPage.getByRole('link', { name: 'Home' }).click()
  await post(adasPage, 'Fresh', 'It is on every page that wants it.', 'news')
  await gracesPage.getByRole('heading', { name: 'Fresh' }).waitFor()

  await adasPage.getByRole('link', { name: 'Profile' }).click()
  await expect.poll(() => adasPage.getByTestId('followers').textContent()).toBe('1')
  await adasPage.getByRole('button', { name: 'Edit profile' }).click()
  await adasPage.getByLabel('Name').fill('Ada Lovelace')
  await adasPage.getByLabel('About you').fill('Notes on the Analytical Engine.')
  await adasPage.getByRole('button', { name: 'Save' }).click()
  await adasPage.getByRole('heading', { name: 'Ada Lovelace' }).waitFor()

  await adasPage.getByRole('button', { name: 'Sign out' }).click()
  await adasPage.getByRole('heading', { name: 'Pin what matters.' }).waitFor()
  await adasPage.getByRole('button', { name: 'Sign in' }).click()
  await adasPage.getByLabel('Username or e-mail').fill('ada')
  await adasPage.getByLabel('Password').fill('another horse')
  await adasPage.locator('form').getByRole('button', { name: 'Sign in' }).first().click()
  await adasPage.getByText('No such account, or another password.').waitFor()
  await adasPage.getByLabel('Password').fill(password)
  await adasPage.locator('form').getByRole('button', { name: 'Sign in' }).first().click()
  await isLive(adasPage)
})

test('two tabs whose token has expired renew it once, answer 20 calls each, and stay signed in', async () => {
  const context = await person()
  const first = await open(context)
  await register(first, 'two_tabs')
  const second = await open(context)
  await isLive(second)

  const paths: string[] = []
  context.on('request', (request) => request.method() !== 'OPTIONS' && paths.push(new URL(request.url()).pathname))
  const old = await first.evaluate(() => JSON.parse(localStorage['pinstack.session']) as { accessToken: string; refreshToken: string })
  await first.evaluate((accessToken) => {
    const session = JSON.parse(localStorage['pinstack.session'])
    localStorage['pinstack.session'] = JSON.stringify({ ...session, accessToken, renewAtMs: 0, accessExpiresAtMs: 0 })
  }, expired(old.accessToken))

  // As text, for the test runner would rewrite the `import`.
  const call20 = (page: Page) =>
    page.evaluate(`(async () => {
      const { createPinstack, webStore } = await import('/sdk/client.js')
      const pinstack = createPinstack({ url: '${network.url}', store: webStore(localStorage) })
      const answers = await Promise.all(Array.from({ length: 20 }, () => pinstack.me()))
      return answers.map(({ username }) => username)
    })()`)
  const answers = (await Promise.all([call20(first), call20(second)])).flat()
  expect(answers).toEqual(Array.from({ length: 40 }, () => 'two_tabs'))
  expect(paths.filter((path) => path === '/trpc/auth.refresh').length).toBe(1)

  await Promise.all([first.reload(), second.reload()])
  await Promise.all([isLive(first), isLive(second)])
  const now = await first.evaluate(() => JSON.parse(localStorage['pinstack.session']) as { refreshToken: string })
  expect(now.refreshToken).not.toBe(old.refreshToken)
  expect(paths.filter((path) => /auth[.](refresh|login|logout)/.test(path)).length).toBe(1)
})

test('who signs out in one tab is signed out in the other', async () => {
  const context = await person()
  const first = await open(context)
  await register(first, 'signs_out')
  const second = await open(context)
  await isLive(second)
  await first.getByRole('button', { name: 'Sign out' }).click()
  await second.getByRole('heading', { name: 'Pin what matters.' }).waitFor()
})

test('offline and back: what was missed comes, in order and once each', async () => {
  const context = await person()
  const page = await open(context, '#/notifications')
  await register(page, 'travels')
  await page.getByRole('link', { name: 'Notifications' }).click()
  const other = await registered(server.url)
  const { id } = await other.pinstack.users.getByUsername('travels')
  const send = (payload: string) => other.pinstack.notifications.send({ userId: id, type: 'note', payload })
  await send('number 1')
  await page.getByTestId('notifications').getByText('number 1').waitFor()

  const resumed: (string | undefined)[] = []
  page.on('request', (request) => {
    const isStream = request.method() === 'GET' && request.url().endsWith('/trpc/live.notifications')
    if (isStream) resumed.push(request.headers()['last-event-id'])
  })
  await context.setOffline(true)
  network.cut() // a browser that is told to be offline keeps the connections that it has
  await page.locator('.light:not(.live)').waitFor()
  for (let number = 2; number <= 6; number++) await send(`number ${number}`)
  await context.setOffline(false)
  await isLive(page)
  await send('number 7')
  const texts = async () =>
    (await page.getByTestId('notifications').locator('li').allTextContents()).map((text) => /number \d/.exec(text)?.[0])
  await expect.poll(texts, { timeout: 20_000 }).toEqual([7, 6, 5, 4, 3, 2, 1].map((number) => `number ${number}`))
  await expect.poll(() => unread(page).textContent()).toBe('7')
  expect(resumed.length).toBeGreaterThan(0) // the lists are loaded anew by then, too; the stream for its part went on where it was
  expect(resumed).not.toContain(undefined)
})
