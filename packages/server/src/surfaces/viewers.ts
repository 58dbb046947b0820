import type { FastifyRequest } from 'fastify'
import { DomainError } from '../core/errors.ts'
import { bearerToken, type Authenticate, type Viewer } from '../core/viewer.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Null until someone has asked, and for those without a good token. */
    viewer: Viewer | null
  }
}

export type Viewers = ReturnType<typeof createViewers>

/**
 * Finds out who sends a request, for both surfaces: by the header alone, and noted on the request for its log line. `countAccount`
 * refuses an account that asks for too much.
 */
export function createViewers(
  authenticate: Authenticate,
  count: (outcome: 'allowed' | 'unauthenticated') => void,
  countAccount?: (request: FastifyRequest, viewer: Viewer) => Promise<void>,
) {
  return {
    async required(request: FastifyRequest): Promise<Viewer> {
      try {
        request.viewer = await authenticate(bearerToken(request.headers.authorization))
        count('allowed')
        await countAccount?.(request, request.viewer)
        return request.viewer
      } catch (error) {
        if (isRefused(error)) count('unauthenticated')
        throw error
      }
    },
    /** A token that stands for nobody is no obstacle; a database that is away is one. */
    async optional(request: FastifyRequest): Promise<Viewer | null> {
      const { authorization } = request.headers
      if (!authorization) return null
      try {
        request.viewer = await authenticate(bearerToken(authorization))
        await countAccount?.(request, request.viewer)
        return request.viewer
      } catch (error) {
        if (isRefused(error)) return null
        throw error
      }
    },
  }
}

function isRefused(error: unknown): boolean {
  return error instanceof DomainError && error.kind === 'unauthenticated'
}
