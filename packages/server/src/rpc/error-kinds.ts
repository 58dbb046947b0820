import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import type { TRPC_ERROR_CODE_KEY } from '@trpc/server/rpc'
import { DomainError, type ErrorKind } from '../core/errors.ts'

/** The one place where a domain error becomes a transport error, for both surfaces. */
export const trpcCodeOf = {
  invalid: 'BAD_REQUEST',
  unauthenticated: 'UNAUTHORIZED',
  forbidden: 'FORBIDDEN',
  not_found: 'NOT_FOUND',
  conflict: 'CONFLICT',
  rate_limited: 'TOO_MANY_REQUESTS',
  unavailable: 'SERVICE_UNAVAILABLE',
} as const satisfies Record<ErrorKind, TRPC_ERROR_CODE_KEY>

const kinds = Object.keys(trpcCodeOf) as ErrorKind[]
const httpStatuses = Object.fromEntries(
  kinds.map((kind) => [kind, getHTTPStatusCodeFromError(new TRPCError({ code: trpcCodeOf[kind] }))]),
) as Record<ErrorKind, number>

/** HTTP statuses follow from tRPC's own table. */
export function httpStatusOf(kind: ErrorKind): number {
  return httpStatuses[kind]
}

const retryAfterSecondsDefault = 1

/** What `Retry-After` says: whole seconds, rounded up. Undefined where trying again changes nothing. */
export function retryAfterOf(error: unknown): number | undefined {
  if (!(error instanceof DomainError)) return
  if (error.retryAfterMs !== undefined) return Math.max(1, Math.ceil(error.retryAfterMs / 1000))
  return error.kind === 'rate_limited' || error.kind === 'unavailable' ? retryAfterSecondsDefault : undefined
}
