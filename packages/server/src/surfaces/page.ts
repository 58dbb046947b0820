import { createHash } from 'node:crypto'
import type { FastifyReply } from 'fastify'

const closed = { 'default-src': "'none'", 'base-uri': "'none'", 'form-action': "'none'", 'frame-ancestors': "'none'" }

const ofDocuments = { 'x-frame-options': 'DENY', 'referrer-policy': 'no-referrer', 'cache-control': 'no-store' }

/** Sends a page that may load and do only what `allowed` says, as directives of its Content-Security-Policy. */
export function sendPage(reply: FastifyReply, html: string, allowed: Record<string, string>): FastifyReply {
  const policy = Object.entries({ ...closed, ...allowed })
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')
  return reply
    .headers({ ...ofDocuments, 'content-security-policy': policy })
    .type('text/html; charset=utf-8')
    .send(html)
}

/** Names an inline script or style in a Content-Security-Policy, by its very bytes. */
export function hashSource(inline: string): string {
  return `'sha256-${createHash('sha256').update(inline).digest('base64')}'`
}
