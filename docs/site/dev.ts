/** `npm run docs`: the site while one writes. A page is shown anew when its file is saved. */
import { watch } from 'node:fs'
import { join } from 'node:path'
import { createServer } from 'vitepress'
import { pages } from './pages.ts'
import { root } from './root.ts'
import { writePage, writePages } from './write-pages.ts'

process.chdir(join(root, 'docs')) // whose compiler options the bundler of the site knows
await writePages()
for (const page of pages())
  watch(join(root, page.source), () => {
    try {
      writePage(page)
    } catch (error) {
      console.error((error as Error).message) // half-written: the next save mends it
    }
  })
const server = await createServer(join(root, 'docs'))
await server.listen()
server.printUrls()
