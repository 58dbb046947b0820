import type { ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { DomainError } from '../core/errors.ts'

export interface Streaming {
  /** How often a line without meaning goes out: proxies, and clients, take a silent connection for a dead one. */
  heartbeatMs?: number | undefined
  /** That line, and what ends it; a comment unless told otherwise. */
  heartbeat?: string
  /** How long a reader may take nothing of what waits for it before it is cut off. It can come back and go on. */
  stallMs?: number | undefined
  /** Hears of streams that ended for no reason that a client can be told. */
  onCrash?(error: unknown, request: FastifyRequest): void
}

export const heartbeatMsDefault = 15_000
const stallMsDefault = 30_000
/** When a client comes back: not all at once, after a server that has stopped. */
const retryMs = () => Math.round(1_000 + 2_000 * Math.random())

const headers = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no', // nginx would hold back what is no full buffer
}

/** `frames` are as the HTML standard has them (9.2.5): lines, and a blank one. `open` may refuse: nothing has been sent by then. */
export function sendEvents(reply: FastifyReply, streaming: Streaming, open: (signal: AbortSignal) => Promise<AsyncIterable<string>>): void {
  if (reply.request.method === 'HEAD') return void reply.headers(headers).send()
  const gone = new AbortController()
  reply.raw.once('close', () => gone.abort())
  open(gone.signal).then(
    (frames) => void pump(reply, frames, streaming),
    (error) => reply.send(error),
  )
}

/** A reader that is too slow is waited for: no more than Node's high-water mark and a frame ever lies in its buffer. */
async function pump(reply: FastifyReply, frames: AsyncIterable<string>, streaming: Streaming): Promise<void> {
  const { heartbeatMs = heartbeatMsDefault, heartbeat = ':\n\n', stallMs = stallMsDefault, onCrash } = streaming
  const { raw } = reply
  reply.hijack()
  for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...headers })) raw.setHeader(name, value!) // @NOTE writeHead keeps none for whoever asks
  raw.write(`retry: ${retryMs()}\n\n`)
  const heart = setInterval(() => raw.writableLength > 0 || raw.write(heartbeat), heartbeatMs)
  try {
    for await (const frame of frames) {
      if (raw.writableEnded || raw.destroyed) break // the server closes, or the client has gone
      if (!raw.write(frame)) await drained(raw, stallMs)
    }
  } catch (error) {
    if (!isOrdinary(error)) onCrash?.(error, reply.request)
  } finally {
    clearInterval(heart)
    raw.end()
    destroyAfter(raw, stallMs)
  }
}

async function drained(raw: ServerResponse, stallMs: number): Promise<void> {
  if (raw.destroyed) return // @NOTE neither event would come any more
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(() => raw.destroy(), stallMs)
  raw.once('drain', resolve).once('close', resolve)
  await promise
  raw.off('drain', resolve).off('close', resolve)
  clearTimeout(timer)
}

/** @NOTE an end that is never read would hold the connection for ever. */
function destroyAfter(raw: ServerResponse, ms: number): void {
  if (raw.closed) return
  const timer = setTimeout(() => raw.destroy(), ms).unref()
  raw.once('close', () => clearTimeout(timer))
}

/** The stream was to end, or the client learns from the answer to its next request what is the matter. */
function isOrdinary(error: unknown): boolean {
  return error instanceof DomainError || (error instanceof Error && error.name === 'AbortError')
}
