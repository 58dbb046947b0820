import type { FastifyRequest } from 'fastify'
import { deviceCharsMax, type Client } from '../core/client.ts'

/** Who sends a request. Worked out when it is asked for: most routes never ask. */
export function clientOf(request: FastifyRequest): Client {
  return {
    get address() {
      return (request.ip ?? '').replace(/^::ffff:/, '') // IPv4 on a socket that takes both
    },
    get device() {
      return (request.headers['user-agent'] ?? '').slice(0, deviceCharsMax)
    },
  }
}
