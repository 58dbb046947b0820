import type { FastifyInstance } from 'fastify'
import { sendText } from './envelope.ts'
import { hashSource, sendPage } from './page.ts'
import { setupPage } from './setup-page.ts'
import { baseStyle } from './page-style.ts'

const links = [
  ['/docs', 'Browse and try the REST API'],
  ['/api/v1/openapi.json', 'Its OpenAPI document'],
  ['/healthz', 'How this server is doing'],
] as const

/** `/`: where to go from here, for a person or a program. `/setup`: makes the first admin. */
export function mountPages(server: FastifyInstance, { version, basePath = '' }: { version: string; basePath?: string }): void {
  const index = indexPage(version, basePath)
  const at = (path: string) => basePath + path
  const facts = { name: 'pinstack', version, docs: at('/docs'), openapi: at('/api/v1/openapi.json'), health: at('/healthz') }
  const indexJson = `${JSON.stringify(facts)}\n`
  server.get('/', (request, reply) => {
    reply.header('vary', 'accept')
    if (!request.headers.accept?.includes('text/html')) return sendText(reply, indexJson)
    return sendPage(reply, index, { 'style-src': hashSource(baseStyle) })
  })
  const { html, style, script } = setupPage(basePath)
  const allowed = { 'style-src': hashSource(style), 'script-src': hashSource(script), 'connect-src': "'self'" }
  server.get('/setup', (_request, reply) => sendPage(reply, html, allowed))
}

function indexPage(version: string, basePath: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pinstack</title>
<style>${baseStyle}</style>
</head>
<body>
<main>
<h1>Pinstack</h1>
<p>This server is running, version ${version}.</p>
<ul>
${links.map(([path, text]) => `<li><a href="${basePath}${path}">${text}</a></li>`).join('\n')}
</ul>
</main>
</body>
</html>
`
}
