import type { FastifyReply } from 'fastify'

/**
 * What every answer bears. One and not Helmet's twelve: each costs 0.3 µs of a request's 18, and the others tell a browser how
 * to treat a document. Those are on the documents, see page.ts.
 */
export function setCommonHeaders(reply: FastifyReply): void {
  reply.header('x-request-id', reply.request.id).header('x-content-type-options', 'nosniff')
}
