import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startServer } from '../../packages/sdk/test/running-server.ts'
import { root } from '../packages.ts'
import { openChromium } from './chromium.ts'
import { buildApp, serveApp } from './web-app.ts'

const linesMax = 40

test('the app of the README, from nothing to a live follow notification on the screen', async () => {
  const server = await startServer()
  onTestFinished(() => server.close())
  const readme = readFileSync(join(root, 'examples/web/README.md'), 'utf8')
  const file = (name: string) => new RegExp(`^\`${name}\`\\n\\n\`\`\`\\w+\\n([\\s\\S]*?)^\`\`\``, 'm').exec(readme)![1]!
  const [page, program] = [file('index.html'), file('main.jsx')]
  const lines = `${page}${program}`.trimEnd().split('\n').length
  expect(lines).toBeLessThanOrEqual(linesMax)
  expect(/two files, (\d+) lines/.exec(readme)![1]).toBe(String(lines))

  const dir = mkdtempSync(join(tmpdir(), 'pinstack-from-nothing-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const [, packages] = /^npm install (.*)$/m.exec(readme.slice(readme.indexOf('## From nothing')))!
  for (const name of packages!.split(' ')) install(dir, name)
  writeFileSync(join(dir, 'index.html'), page)
  writeFileSync(join(dir, 'main.jsx'), program.replace('http://127.0.0.1:8080', server.url))
  await buildApp(dir, join(dir, 'dist'), server.url)
  const app = await serveApp(join(dir, 'dist'))
  onTestFinished(() => app.close())

  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const joined = async (name: string) => {
    const page = await browser.newPage()
    await page.goto(app.url)
    await page.getByPlaceholder('A name').fill(name)
    await page.getByRole('button', { name: 'Join' }).click()
    await page.getByRole('button', { name: 'Follow' }).waitFor()
    return page
  }
  const [ada, grace] = [await joined('ada'), await joined('grace')]
  await ada.getByText('0 unread').waitFor()
  await grace.getByPlaceholder('A name').fill('ada')
  await grace.getByRole('button', { name: 'Follow' }).click()
  await ada.getByText('1 unread').waitFor()
  await ada.getByText('follow_created').waitFor()
})

test("the first program for React in the SDK's README", async () => {
  const server = await startServer()
  onTestFinished(() => server.close())
  const readme = readFileSync(join(root, 'packages/sdk/README.md'), 'utf8')
  const [, program] = /^```jsx\n(import [\s\S]*?)^```/m.exec(readme)!
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-readme-'))
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  for (const name of ['react', 'react-dom', '@tanstack/react-query', '@pinstack/sdk']) install(dir, name)
  writeFileSync(join(dir, 'index.html'), '<div id="root"></div><script type="module" src="main.jsx"></script>')
  writeFileSync(join(dir, 'main.jsx'), program!.replace('http://127.0.0.1:8080', server.url))
  await buildApp(dir, join(dir, 'dist'), server.url)
  const app = await serveApp(join(dir, 'dist'))
  onTestFinished(() => app.close())
  const browser = await openChromium()
  onTestFinished(() => browser.close())
  const page = await browser.newPage()
  await page.goto(app.url)
  await page.getByRole('button', { name: 'Join' }).click()
  await page.getByText('● 0 unread').waitFor()
})

/** As a package manager would, from what the repository has installed: `@tanstack/react-query` is the SDK's. */
function install(dir: string, name: string): void {
  const at = join(dir, 'node_modules', name)
  const from = name === '@tanstack/react-query' ? join(root, 'packages/sdk/node_modules', name) : join(root, 'node_modules', name)
  mkdirSync(dirname(at), { recursive: true })
  symlinkSync(from, at)
}
