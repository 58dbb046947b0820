import type { ByteStream } from './event-stream.ts'
import { PinstackError, type Issue } from './errors.ts'

/** For one call. */
export interface CallOptions {
  /** Ends the waiting. A change that is under way may still take effect. */
  signal?: AbortSignal
  /** Instead of the client's own, in milliseconds: for the answer, with whatever has to happen before it comes. */
  timeoutMs?: number
  /** Instead of the client's own: how often to try again where that is safe. 0 for never. */
  retries?: number
}

/** The part of `fetch` that is used, for a proxy, a test or an older runtime. */
export type Fetch = (
  url: string,
  init: { method: string; headers: Record<string, string>; body?: string; signal: AbortSignal },
) => Promise<FetchResponse>

/** The part of a `Response` that is used. */
export interface FetchResponse {
  /** HTTP status. */
  status: number
  /** Read by name. */
  headers: { get(name: string): string | null }
  /** The whole body. */
  text(): Promise<string>
  /** Needed for streams. */
  body?: ByteStream | null
}

export interface Request extends CallOptions {
  kind: 'query' | 'mutation'
  path: string
  input: unknown
  accessToken?: string
}

/** Sends one call and reads its answer. Sends it once: whoever calls knows what may be tried again. */
export type Send = (request: Request) => Promise<unknown>

export function createSend(baseUrl: string, { fetch, timeoutMs: timeoutMsOfClient }: { fetch: Fetch; timeoutMs: number }): Send {
  return async ({ kind, path, input, accessToken, signal, timeoutMs = timeoutMsOfClient }) => {
    const json = input === undefined ? undefined : JSON.stringify(input)
    const query = kind === 'query' && json !== undefined ? `?input=${encodeURIComponent(json)}` : ''
    const headers: Record<string, string> = {}
    if (kind === 'mutation') headers['content-type'] = 'application/json'
    if (accessToken !== undefined) headers['authorization'] = `Bearer ${accessToken}`
    const ended = new AbortController()
    let why: 'aborted' | 'timeout' | undefined // @NOTE React Native's signals have no reason
    const end = (reason: 'aborted' | 'timeout') => {
      why ??= reason
      ended.abort(reason)
    }
    const abort = () => end('aborted')
    const timer = setTimeout(() => end('timeout'), timeoutMs)
    if (signal?.aborted) abort()
    signal?.addEventListener('abort', abort, { once: true })
    try {
      const response = await fetch(`${baseUrl}/trpc/${path}${query}`, {
        method: kind === 'query' ? 'GET' : 'POST',
        headers,
        signal: ended.signal,
        ...(kind === 'mutation' && json !== undefined && { body: json }),
      })
      return readAnswer(await response.text(), response)
    } catch (error) {
      if (error instanceof PinstackError) throw error
      if (why === 'aborted') throw new PinstackError('aborted', `${path} was aborted`, { cause: signal?.reason })
      if (why === 'timeout') throw new PinstackError('timeout', `${path}: no answer in time`, { cause: error })
      throw new PinstackError('network', `${path}: ${baseUrl} does not answer`, { cause: error })
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
    }
  }
}

/** tRPC's answer, or the plain envelope of what ends a request before tRPC sees it (too large, too busy). */
interface Answer {
  result?: { data?: unknown }
  error?: { message?: unknown; data?: { reason?: unknown; errors?: unknown; details?: unknown; requestId?: unknown } }
  message?: unknown
  code?: unknown
  request_id?: unknown
}

/** Throws what the server says went wrong. */
export function readAnswer(text: string, { status, headers }: FetchResponse): unknown {
  const answer = parse(text)
  if (answer?.result) return answer.result.data
  const details = { status, retryAfterMs: retryAfterMs(headers.get('retry-after')) }
  const data = answer?.error?.data
  if (typeof data?.reason === 'string') {
    throw new PinstackError(data.reason, textOr(answer!.error!.message, data.reason), {
      ...details,
      issues: Array.isArray(data.errors) ? (data.errors as Issue[]) : [],
      details: (data.details ?? undefined) as Record<string, string | null> | undefined,
      requestId: textOr(data.requestId, null),
    })
  }
  if (typeof answer?.code === 'string') {
    throw new PinstackError(answer.code, textOr(answer.message, answer.code), { ...details, requestId: textOr(answer.request_id, null) })
  }
  throw new PinstackError('bad_response', `not an answer of a Pinstack server (HTTP ${status})`, details)
}

function parse(text: string): Answer | null {
  try {
    const json: unknown = JSON.parse(text)
    return typeof json === 'object' ? json : null
  } catch {
    return null
  }
}

function textOr<Else>(value: unknown, otherwise: Else): string | Else {
  return typeof value === 'string' ? value : otherwise
}

function retryAfterMs(header: string | null): number | null {
  if (header === null) return null
  const ms = /^\d+$/.test(header) ? Number(header) * 1000 : Date.parse(header) - Date.now() // RFC 9110, 10.2.3
  return Number.isNaN(ms) ? null : Math.max(0, ms)
}
