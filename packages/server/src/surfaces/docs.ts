import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { sendText } from './envelope.ts'
import { sendPage } from './page.ts'

/**
 * The files of Swagger UI come from @fastify/swagger-ui, which ships them without the install-time telemetry of swagger-ui-dist.
 * The plugin itself is not loaded: it costs 70 ms at every start and 10 MB for a page that is seldom opened.
 */
const require = createRequire(import.meta.url)
const assetsDir = join(dirname(require.resolve('@fastify/swagger-ui/package.json')), 'static')
const assetTypes = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
} as const

const startAt = (basePath: string) => `SwaggerUIBundle({
  url: '${basePath}/api/v1/openapi.json', dom_id: '#swagger-ui', presets: [SwaggerUIBundle.presets.apis],
  deepLinking: true, persistAuthorization: false, displayRequestDuration: true, validatorUrl: null, tryItOutEnabled: false,
})`

const htmlAt = (basePath: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Pinstack API</title>
<link rel="icon" href="${basePath}/docs/favicon-32x32.png">
<link rel="stylesheet" href="${basePath}/docs/swagger-ui.css">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The document itself is at <a href="${basePath}/api/v1/openapi.json">/api/v1/openapi.json</a>.</noscript>
<script src="${basePath}/docs/swagger-ui-bundle.js"></script>
<script src="${basePath}/docs/start.js"></script>
</body>
</html>
`

/** Swagger UI sets styles from its script, and has its icons inside the style sheet. It talks to this server alone. */
const contentSecurityPolicy = {
  'script-src': "'self'",
  'style-src': "'self' 'unsafe-inline'",
  'img-src': "'self' data:",
  'font-src': "'self' data:",
  'connect-src': "'self'",
}

/** Serves the document, and a page to browse and try it that needs nothing from elsewhere. The old addresses go on working. */
export function mountDocs(server: FastifyInstance, document: object, basePath = ''): void {
  const [html, start] = [htmlAt(basePath), startAt(basePath)]
  const text = `${JSON.stringify(document)}\n`
  for (const path of ['/api/v1/openapi.json', '/swagger/doc.json']) server.get(path, (_request, reply) => sendText(reply, text))
  for (const path of ['/docs', '/docs/', '/swagger/index.html'])
    server.get(path, (_request, reply) => sendPage(reply, html, contentSecurityPolicy))
  for (const path of ['/swagger', '/swagger/']) server.get(path, (_request, reply) => reply.redirect(`${basePath}/docs`))
  server.get('/docs/start.js', (_request, reply) => reply.type('text/javascript; charset=utf-8').send(start))
  for (const [name, type] of Object.entries(assetTypes)) {
    server.get(`/docs/${name}`, async (_request, reply) =>
      reply
        .type(type)
        .header('cache-control', 'public, max-age=3600')
        .send(await readFile(join(assetsDir, name))),
    )
  }
}
