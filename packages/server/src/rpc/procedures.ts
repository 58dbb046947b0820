import { initTRPC, TRPCError, type AnyTRPCRouter } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc'
import * as z from 'zod'
import type { Client } from '../core/client.ts'
import { DomainError } from '../core/errors.ts'
import { inputErrors, toIssues } from '../core/input.ts'
import { hasRole, viewerErrors, type Role, type Viewer } from '../core/viewer.ts'
import { trpcCodeOf } from './error-kinds.ts'

export interface Context {
  /** Asked only by procedures that need to know; a bad token is no obstacle to the others. */
  viewer(): Promise<Viewer>
  /** Null without a token, and with one that stands for nobody. */
  optionalViewer(): Promise<Viewer | null>
  client: Client
  /** Sent with every error, and written to the log with it. */
  requestId?: string
}

/** Gives the errors that a client can act on their code and text; leaves the others as they are. */
export function toTRPCError(error: TRPCError): TRPCError {
  if (error.cause instanceof DomainError) return fromDomain(error.cause)
  if (error.code === 'PARSE_ERROR') return fromDomain(inputErrors.unreadable())
  if (error.code !== 'BAD_REQUEST') return error // @NOTE a SyntaxError of a procedure's own is a crash
  if (error.cause instanceof SyntaxError) return fromDomain(inputErrors.unreadable())
  if (error.cause instanceof z.ZodError) return fromDomain(inputErrors.invalid({ issues: toIssues(error.cause) }))
  return error
}

function fromDomain(cause: DomainError): TRPCError {
  return new TRPCError({ code: trpcCodeOf[cause.kind], message: cause.message, cause })
}

/** What tRPC itself refuses, by its code: no error table has these. docs/errors.md is tested against them. */
export const rpcFailures = {
  BAD_REQUEST: 'rpc.bad_request',
  NOT_FOUND: 'rpc.unknown_procedure',
  METHOD_NOT_SUPPORTED: 'rpc.method_not_supported',
  UNSUPPORTED_MEDIA_TYPE: 'rpc.unsupported_media_type',
  PAYLOAD_TOO_LARGE: 'http.body_too_large', // as REST has it,
} as const

/** Stable code for clients: the feature's own, or `internal` for everything that is not the caller's doing. */
export function publicCode(error: TRPCError): string {
  if (error.cause instanceof DomainError) return error.cause.code
  return (rpcFailures as Record<string, string>)[error.code] ?? 'internal'
}

const t = initTRPC.context<Context>().create({
  isDev: false, // @NOTE else every error carries its stack to the client, unless NODE_ENV says production
  sse: { ping: { enabled: true, intervalMs: 15_000 } }, // below the idle limits of proxies, and of this server
  errorFormatter({ error: raw, shape, ctx }) {
    const error = toTRPCError(raw)
    const reason = publicCode(error)
    const { issues, details } = error.cause instanceof DomainError ? error.cause : {}
    return {
      ...shape,
      code: TRPC_ERROR_CODES_BY_KEY[error.code],
      message: reason === 'internal' ? 'internal error' : error.message,
      data: {
        ...shape.data,
        code: error.code,
        httpStatus: getHTTPStatusCodeFromError(error),
        reason,
        errors: issues,
        details,
        requestId: ctx?.requestId,
      },
    }
  },
})

export const router = t.router
/** Routers with different names become one. */
export const mergeRouters = t.mergeRouters
/** Whether it was made by `router`, so that its procedures get the context of these, and fail in their form. */
export function isOwnRouter(value: unknown): value is AnyTRPCRouter {
  const { _def } = (value ?? {}) as Partial<AnyTRPCRouter>
  return _def?._config?.errorFormatter === t._config.errorFormatter
}
/**
 * For anyone. `await ctx.optionalViewer()` where the answer depends on who asks.
 *
 * @NOTE errors get their code where they are formatted, not in a middleware around every procedure: each costs 5 µs of a call's 30.
 */
export const open = t.procedure
/** For a user: `ctx.viewer` is who. */
export const authed = open.use(async ({ ctx, next }) => next({ ctx: { viewer: await ctx.viewer() } }))
/** For admins and moderators; others get `auth.forbidden`, before anything is said of their input. */
export const moderator = staff('moderator')
/** For admins; others get `auth.forbidden`, before anything is said of their input. */
export const admin = staff('admin')

function staff(needed: Role) {
  return authed.use(async ({ ctx, next }) => {
    if (!hasRole(ctx.viewer.role, needed)) throw viewerErrors.forbidden()
    return next()
  })
}
