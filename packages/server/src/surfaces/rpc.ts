import { getTRPCErrorShape, TRPCError, type AnyTRPCRouter } from '@trpc/server'
import type { TRPC_ERROR_CODE_KEY } from '@trpc/server/rpc'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { DomainError } from '../core/errors.ts'
import type { Viewer } from '../core/viewer.ts'
import { retryAfterOf } from '../rpc/error-kinds.ts'
import { toTRPCError, type Context } from '../rpc/procedures.ts'
import { clientOf } from './client.ts'
import { failureOf, isGone, sendText, type Listeners } from './envelope.ts'
import type { Streaming } from './sse.ts'
import { mountTrpc } from './trpc.ts'
import type { Viewers } from './viewers.ts'

const batchSizeMax = 50

/** Mounts the router with what its procedures may ask of a request, and has everything that fails fail in tRPC's form. */
export function mountRpc(
  server: FastifyInstance,
  router: AnyTRPCRouter,
  deps: { viewers: Viewers; listeners: Listeners; bodyBytesMax: number; streaming: Streaming },
): void {
  const { viewers, listeners, bodyBytesMax, streaming } = deps
  server.addHook('onRoute', (options) => {
    options.config = { ...options.config, pattern: patternOf(router, server.prefix), callsOf }
  })
  server.setErrorHandler((error, request, reply) => sendRpcFailure(router, { error, request, reply, listeners }))
  mountTrpc(
    server,
    {
      router,
      maxBatchSize: batchSizeMax,
      maxBodySize: bodyBytesMax,
      createContext: ({ req }) => contextOf(req, viewers),
      responseMeta({ errors }) {
        const seconds = Math.max(0, ...errors.map((error) => retryAfterOf(error.cause) ?? 0))
        return seconds > 0 ? { headers: new Headers({ 'retry-after': String(seconds) }) } : {}
      },
      onError({ error: raw, req }) {
        const error = toTRPCError(raw)
        if (error.code === 'INTERNAL_SERVER_ERROR') listeners.onCrash(error.cause ?? error, req)
        if (error.code === 'FORBIDDEN') listeners.onForbidden?.()
      },
    },
    streaming,
  )
}

/** Looks the viewer up once for a whole batch, and not before someone wants to know. */
function contextOf(request: FastifyRequest, viewers: Viewers): Context {
  let required: Promise<Viewer> | undefined
  let optional: Promise<Viewer | null> | undefined
  return {
    viewer: () => (required ??= viewers.required(request)),
    optionalViewer: () => (optional ??= viewers.optional(request)),
    client: clientOf(request),
    requestId: request.id,
  }
}

/** A procedure's name is one of a fixed few; what is none of them must not become a label. */
function patternOf(router: AnyTRPCRouter, prefix: string) {
  const { procedures } = router._def
  return ({ params }: FastifyRequest) => {
    const { path } = params as { path?: string }
    if (path !== undefined && Object.hasOwn(procedures, path)) return `${prefix}/${path}`
    return `${prefix}/${path?.includes(',') ? '{batch}' : '{unknown}'}`
  }
}

/** A batch counts as the calls that it has. */
function callsOf({ params, query }: FastifyRequest): number {
  if ((query as { batch?: unknown }).batch === undefined) return 1
  return Math.min(batchSizeMax, ((params as { path?: string }).path ?? '').split(',').length) // a longer one is refused
}

interface Failed {
  error: unknown
  request: FastifyRequest
  reply: FastifyReply
  listeners: Listeners
}

/** For what goes wrong before tRPC has a request: a body too large, a server too busy. */
function sendRpcFailure(router: AnyTRPCRouter, { error: cause, request, reply, listeners }: Failed) {
  const error = toTRPCError(rpcErrorOf(cause))
  if (error.code === 'INTERNAL_SERVER_ERROR' && !isGone(cause, request)) listeners.onCrash(cause, request)
  const ctx = { requestId: request.id }
  const shape = getTRPCErrorShape({
    config: router._def._config,
    error,
    type: 'unknown',
    path: undefined,
    input: undefined,
    ctx: ctx as never,
  })
  const seconds = retryAfterOf(cause)
  if (seconds !== undefined) reply.header('retry-after', String(seconds))
  return sendText(reply.code(shape.data.httpStatus), JSON.stringify({ error: shape }))
}

const codeOfStatus: Record<number, TRPC_ERROR_CODE_KEY> = { 400: 'BAD_REQUEST', 413: 'PAYLOAD_TOO_LARGE', 415: 'UNSUPPORTED_MEDIA_TYPE' }

function rpcErrorOf(cause: unknown): TRPCError {
  if (cause instanceof DomainError) return new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause }) // by its kind, further on
  const known = failureOf(cause)
  const code = known && (codeOfStatus[(cause as FastifyError).statusCode ?? known.status] ?? 'BAD_REQUEST')
  return code ? new TRPCError({ code, message: known.message }) : new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause })
}
