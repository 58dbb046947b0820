import { PinstackError, type Issue } from './errors.ts'
import { readEvents, type ServerEvent } from './event-stream.ts'
import { readAnswer, type Fetch } from './transport.ts'

export interface Opening {
  path: string
  accessToken: string | undefined
  lastEventId: string | null
  signal: AbortSignal
  /** Hears how long the server asks to wait before coming back. */
  onRetry(ms: number): void
}

/** Unless the server says how often it gives a sign. */
const silentMsMax = 60_000

/**
 * One connection of tRPC's event streams: `connected`, then messages. Ends when the server ends it; rejects when it fails, or when
 * nothing is heard of it for longer than it promised.
 */
export async function* connect(
  { baseUrl, fetch, timeoutMs }: { baseUrl: string; fetch: Fetch; timeoutMs: number },
  { path, accessToken, lastEventId, signal, onRetry }: Opening,
): AsyncGenerator<ServerEvent, void> {
  const headers: Record<string, string> = { accept: 'text/event-stream' }
  if (accessToken !== undefined) headers['authorization'] = `Bearer ${accessToken}`
  if (lastEventId !== null) headers['last-event-id'] = lastEventId
  const ended = new AbortController()
  let why: 'aborted' | 'timeout' | undefined // @NOTE React Native's signals have no reason
  const end = (reason: 'aborted' | 'timeout') => {
    why ??= reason
    ended.abort(reason)
  }
  const leave = () => end('aborted')
  let silentMs = timeoutMs
  const expire = () => end('timeout')
  let timer = setTimeout(expire, silentMs)
  const onBytes = () => {
    clearTimeout(timer)
    timer = setTimeout(expire, silentMs)
  }
  if (signal.aborted) leave()
  signal.addEventListener('abort', leave, { once: true })
  try {
    const response = await fetch(`${baseUrl}/trpc/${path}`, { method: 'GET', headers, signal: ended.signal })
    if (response.status !== 200 || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
      readAnswer(await response.text(), response)
      throw new PinstackError('bad_response', `${path}: not a stream of a Pinstack server`, { status: response.status })
    }
    if (!response.body) throw new PinstackError('bad_response', 'this fetch cannot read streams', { status: 400 })
    for await (const event of readEvents(response.body, { onBytes, onRetry })) {
      if (event.event === 'serialized-error') throw toError(event.data)
      if (event.event === 'connected') {
        silentMs = (JSON.parse(event.data) as { reconnectAfterInactivityMs?: number }).reconnectAfterInactivityMs ?? silentMsMax
        onBytes()
      }
      if (event.event === 'connected' || event.event === 'message') yield event
    }
  } catch (error) {
    if (error instanceof PinstackError) throw error
    if (why === 'aborted') throw new PinstackError('aborted', `${path} was aborted`, { cause: signal.reason })
    if (why === 'timeout') throw new PinstackError('timeout', `${path}: nothing heard for ${silentMs} ms`, { cause: error })
    throw new PinstackError('network', `${path}: the connection to ${baseUrl} failed`, { cause: error })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
    leave()
  }
}

interface Shape {
  message: string
  data: { reason: string; httpStatus: number; errors?: Issue[]; details?: Record<string, string | null>; requestId?: string }
}

function toError(json: string): PinstackError {
  const { message, data } = JSON.parse(json) as Shape
  const { reason, httpStatus: status, errors: issues = [], details, requestId = null } = data
  return new PinstackError(reason, message, { status, issues, details, requestId })
}
