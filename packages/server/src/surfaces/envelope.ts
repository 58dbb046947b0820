import type { FastifyReply, FastifyRequest } from 'fastify'
import * as z from 'zod'
import { defineErrors, DomainError, type Issue } from '../core/errors.ts'
import type { Route } from '../rest/route.ts'
import { httpStatusOf, retryAfterOf } from '../rpc/error-kinds.ts'

/** The shape of every good answer. */
export function successOf({ reply }: Route): z.ZodObject {
  return z.object({ status: z.int(), ...(reply && { data: reply }) })
}

/** The shape of every other one. */
export const failure = z.object({
  status: z.int(),
  message: z.string(),
  code: z.string(),
  request_id: z.string(),
  errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  details: z.record(z.string(), z.string().nullable()).optional(),
})

export interface Failure {
  status: number
  code: string
  message: string
  issues?: Issue[] | undefined
  details?: Record<string, string | null> | undefined
  /** Sent as `Retry-After`. */
  retryAfterSeconds?: number | undefined
}

/** What HTTP itself refuses, before a route has a say. */
export const httpFailures = {
  400: { status: 400, code: 'input.unreadable', message: 'invalid input' },
  404: { status: 404, code: 'http.not_found', message: 'not found' },
  405: { status: 405, code: 'http.method_not_allowed', message: 'method not allowed' },
  408: { status: 408, code: 'http.request_too_slow', message: 'request too slow' },
  413: { status: 413, code: 'http.body_too_large', message: 'request too large' },
  431: { status: 431, code: 'http.headers_too_large', message: 'headers too large' },
} satisfies Record<number, Failure>

/** What is nobody's fault but the server's. */
export const internalFailure: Failure = { status: 500, code: 'internal', message: 'internal error' }
export const loadErrors = defineErrors('http', {
  overloaded: ['unavailable', 'service unavailable'],
  timeout: ['unavailable', 'service unavailable'],
})

export const jsonType = 'application/json' // v1 names no charset

/** Makes JSON as v1 does: fit for an HTML page (as Go's encoder has it), one newline at its end. */
export function finishJson(json: string): string {
  return escapeForHtml(`${json}\n`) // the newline first, so that the pieces are put together once: for the look at them, and for the socket
}

export function escapeForHtml(json: string): string {
  return unsafeInHtml.test(json) ? json.replaceAll(allUnsafeInHtml, escapeUnit) : json
}

// Nothing outside a string literal of JSON has one of these, so the text may be replaced as a whole.
const unsafeInHtml = /[<>&\u2028\u2029]/
const allUnsafeInHtml = /[<>&\u2028\u2029]/g

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

export function failureText({ status, message, code, issues, details }: Failure, requestId: string): string {
  const body: z.input<typeof failure> = { status, message, code, request_id: requestId, errors: issues, details }
  return finishJson(JSON.stringify(body))
}

export function sendFailure(reply: FastifyReply, failed: Failure): FastifyReply {
  if (failed.retryAfterSeconds !== undefined) reply.header('retry-after', String(failed.retryAfterSeconds))
  return sendText(reply.code(failed.status), failureText(failed, reply.request.id))
}

/** @NOTE the serialiser keeps Fastify from adding a charset to the content type. */
export function sendText(reply: FastifyReply, json: string): FastifyReply {
  return reply.type(jsonType).serializer(asItIs).send(json)
}

function asItIs(text: string): string {
  return text
}

export interface Listeners {
  /** Hears of every failure that is not the caller's doing. The cause reaches a log here, once, and the client never. */
  onCrash(error: unknown, request: FastifyRequest): void
  /** Hears of every viewer who may not do what he asks for. */
  onForbidden?(): void
}

export function errorHandler({ onCrash, onForbidden }: Listeners) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const known = failureOf(error)
    if (!known && !isGone(error, request)) onCrash(error, request)
    if (known?.status === 403) onForbidden?.()
    return sendFailure(reply, known ?? internalFailure)
  }
}

/** The client hung up while its body was read. Nobody is left to answer. */
export function isGone(error: unknown, { raw }: FastifyRequest): boolean {
  return raw.destroyed && (error as { code?: unknown })?.code === 'ECONNRESET'
}

/** Undefined for a crash. */
export function failureOf(error: unknown): Failure | undefined {
  if (error instanceof DomainError) {
    return {
      status: httpStatusOf(error.kind),
      code: error.code,
      message: error.message,
      issues: error.issues,
      details: error.details,
      retryAfterSeconds: retryAfterOf(error),
    }
  }
  const { code, statusCode = 500 } = (error ?? {}) as { code?: unknown; statusCode?: number }
  const fromFastify = String(code).startsWith('FST_ERR_') // @NOTE errors of other libraries have a statusCode too: that of whom they called
  return fromFastify && statusCode < 500 ? (httpFailures[statusCode as 400] ?? httpFailures[400]) : undefined
}
