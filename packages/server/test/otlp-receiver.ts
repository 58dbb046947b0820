import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface ReceivedSpan {
  name: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  kind: number
  failed: boolean
  attributes: Record<string, unknown>
}

/** A receiver of OTLP over HTTP, as a collector is one: what came is in `spans`, and as it came in `bodies`. */
export async function openOtlpReceiver() {
  const bodies: string[] = []
  const spans: ReceivedSpan[] = []
  const resources: Record<string, unknown>[] = []
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      bodies.push(`${JSON.stringify(request.headers)}\n${body}`)
      if (request.url !== '/v1/traces') return response.writeHead(404).end()
      for (const { resource, scopeSpans } of JSON.parse(body).resourceSpans) {
        resources.push(valuesOf(resource.attributes))
        for (const span of scopeSpans.flatMap((scope: any) => scope.spans)) {
          const { name, traceId, spanId, kind, status, attributes } = span
          const parentSpanId = span.parentSpanId || undefined
          spans.push({ name, traceId, spanId, parentSpanId, kind, failed: status?.code === 2, attributes: valuesOf(attributes) })
        }
      }
      response.setHeader('content-type', 'application/json').end('{}')
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    bodies,
    resources,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

function valuesOf(attributes: { key: string; value: Record<string, unknown> }[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))
}
