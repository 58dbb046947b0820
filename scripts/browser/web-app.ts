import { createReadStream, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { build } from 'vite'
import { root } from '../packages.ts'

const types: Record<string, string> = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css' }

/** Builds a web app as `vite build` does, for a server at `url`. */
export async function buildApp(dir: string, outDir: string, url: string): Promise<void> {
  process.env['VITE_PINSTACK_URL'] = url
  await build({ root: dir, logLevel: 'error', build: { outDir, emptyOutDir: true } })
}

export interface ServedApp {
  url: string
  close(): Promise<void>
}

/** Serves a built app on an origin of its own, and the SDK as it is published below `/sdk/`. */
export async function serveApp(dir: string): Promise<ServedApp> {
  const sdk = join(root, 'packages/sdk/dist')
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url!, 'http://localhost').pathname)
    const file = path.startsWith('/sdk/') ? join(sdk, path.slice(5)) : join(dir, path === '/' ? 'index.html' : path)
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return void response.writeHead(404).end()
    response.writeHead(200, { 'content-type': types[extname(file)] ?? 'application/octet-stream' })
    createReadStream(file).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
