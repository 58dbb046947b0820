import { AsyncLocalStorage } from 'node:async_hooks'
import { randomFillSync } from 'node:crypto'

/** Values that a trace shows. Never an id of a user, a name, an address or a secret. */
export type SpanAttributes = Record<string, string | number>

export interface SpanOptions {
  kind?: 'server' | 'client' | 'producer' | 'consumer' | 'internal'
  attributes?: SpanAttributes
}

/** A piece of work whose time is taken, inside a trace. */
export interface Span {
  /** Tells another process which piece of work caused its own: the header of W3C Trace Context. */
  readonly traceparent: string
  /** A piece of this one. Undefined once it has so many that more would say nothing. */
  child(name: string, options?: SpanOptions): Span | undefined
  /** `name` replaces the one it began with; `failed` marks it so. */
  end(how?: { name?: string; failed?: boolean; attributes?: SpanAttributes }): void
}

/** Begins traces, or goes on with those of others. There is none while tracing is off. */
export interface Tracer {
  /** Goes on with the trace of `traceparent`, or begins one. */
  start(name: string, options?: SpanOptions & { traceparent?: string | undefined }): Span
  /** Sends what is left. */
  close(): Promise<void>
}

/** What belongs together, across functions, transactions and processes. */
export interface Correlation {
  readonly traceparent: string
  readonly requestId?: string
  /** Absent while tracing is off. */
  readonly span?: Span
}

// Handed on by the runtime, not by argument: what it is for, logs and traces, is what no function's result depends on.
const current = new AsyncLocalStorage<Correlation>()

/** That of the request or event that is being worked on here; undefined outside of both. */
export function currentCorrelation(): Correlation | undefined {
  return current.getStore()
}

export function correlated<T>(correlation: Correlation, work: () => T): T {
  return current.run(correlation, work)
}

/** Times `work` as a piece of what is going on. While tracing is off it only runs it. */
export function spanned<T>(name: string, work: () => Promise<T>, options?: SpanOptions): Promise<T> {
  const outer = current.getStore()
  const span = outer?.span?.child(name, options)
  return span ? timed(span, { ...outer!, traceparent: span.traceparent, span }, work) : work()
}

async function timed<T>(span: Span, correlation: Correlation, work: () => Promise<T>): Promise<T> {
  let failed = true
  try {
    const result = await current.run(correlation, work)
    failed = false
    return result
  } finally {
    span.end({ failed })
  }
}

const form = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}(?=-|$)/
const traceparentChars = 55

/** The part of the header that this version of it has; undefined for what is none (W3C Trace Context, 3.2). */
export function readTraceparent(header: unknown): string | undefined {
  return typeof header === 'string' && form.test(header) ? `00${header.slice(2, traceparentChars)}` : undefined
}

/** `4bf92f3577b34da6a3ce929d0e0e4736` of `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(3, 35)
}

const idBytes = 24 // of a trace, and of a span
const idsAtOnce = 128
const pool = Buffer.alloc(idBytes * idsAtOnce)
let next = pool.length

/** Ties what one request causes together where no one traces. Its last digits say that nothing of it is recorded. */
export function newTraceparent(): string {
  if (next === pool.length) {
    randomFillSync(pool)
    next = 0
  }
  const hex = pool.toString('hex', next, (next += idBytes))
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`
}
