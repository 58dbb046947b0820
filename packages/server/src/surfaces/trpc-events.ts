import { getTRPCErrorFromUnknown, getTRPCErrorShape, isTrackedEnvelope, TRPCError, type AnyTRPCRouter } from '@trpc/server'
import type { FastifyHandlerOptions } from '@trpc/server/adapters/fastify'
import type { TRPCRequestInfo } from '@trpc/server/http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { sendEvents, type Streaming } from './sse.ts'

type Options = FastifyHandlerOptions<AnyTRPCRouter, FastifyRequest, FastifyReply>
type Call = TRPCRequestInfo['calls'][number] & { lastEventId: string | undefined }

const heartbeat = frame({ event: 'ping', data: '' })

/** A subscription as tRPC's links ask for one. Undefined for what the adapter is to answer. */
export function readSubscription(
  { router }: Pick<Options, 'router'>,
  { method, headers, params, query }: FastifyRequest,
): Call | undefined {
  const { path } = params as { path: string }
  const { input, batch, lastEventId = (query as any)['Last-Event-Id'], connectionParams } = query as Record<string, unknown>
  const procedure = router._def.procedures[path]
  const isPlain = method === 'GET' && batch === undefined && connectionParams === undefined && headers['trpc-accept'] === undefined
  if (!isPlain || headers['content-type'] !== undefined || procedure?._def.type !== 'subscription') return
  const given = parseInput(input, router._def._config.transformer.input.deserialize)
  if (!given) return
  const id = headers['last-event-id'] ?? lastEventId
  const last = typeof id === 'string' && id !== '' ? id : undefined
  const resumed = last === undefined ? given.value : resume(given.value, last)
  return { path, batchIndex: 0, procedure, getRawInput: async () => resumed, result: () => given.value, lastEventId: last }
}

function parseInput(text: unknown, deserialize: (json: unknown) => unknown): { value: unknown } | undefined {
  if (text === undefined || text === '') return { value: undefined }
  if (typeof text !== 'string') return
  try {
    return { value: deserialize(JSON.parse(text)) }
  } catch {}
}

function resume(input: unknown, lastEventId: string): unknown {
  return typeof input === 'object' && input !== null && !Array.isArray(input) ? { ...input, lastEventId } : (input ?? { lastEventId })
}

/**
 * Answers a subscription with the bytes that tRPC's adapter would send. That one leads each stream through five of the web's
 * stream objects and starts a timer a value: an idle one of its takes 106 KiB and three times the time of one of these.
 */
export function answerSubscription(
  options: Options,
  call: Call,
  { request, reply, streaming }: { request: FastifyRequest; reply: FastifyReply; streaming: Streaming },
): void {
  reply.header('vary', 'trpc-accept, accept')
  const { heartbeatMs } = streaming
  // Told first: a client takes a connection for dead that is silent for longer.
  const connected = heartbeatMs ? { reconnectAfterInactivityMs: 3 * heartbeatMs } : (options.router._def._config.sse?.client ?? {})
  sendEvents(reply, { ...streaming, heartbeat }, async (signal) => frames(options, call, { request, reply, signal, connected }))
}

async function* frames(
  options: Options,
  call: Call,
  { request: req, reply: res, signal, connected }: { request: FastifyRequest; reply: FastifyReply; signal: AbortSignal; connected: object },
): AsyncGenerator<string, void> {
  const { path, batchIndex, getRawInput, procedure } = call
  const { _config: config } = options.router._def
  const type = 'subscription'
  let ctx: unknown
  try {
    yield frame({ event: 'connected', data: JSON.stringify(connected) })
    const info: TRPCRequestInfo = { type, isBatchCall: false, calls: [call], signal, accept: null, connectionParams: null, url: null }
    ctx = await options.createContext?.({ req, res, info })
    const values: unknown = await procedure!({ path, batchIndex, getRawInput, ctx, signal, type })
    if (!isAsyncIterable(values)) throw new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: `${path} gives nothing to iterate over` })
    let lastId = call.lastEventId
    for await (const value of values) {
      const [id, data] = isTrackedEnvelope(value) ? value : [undefined, value]
      const json = JSON.stringify(config.transformer.output.serialize(data))
      if (id !== undefined) yield frame({ data: json, id: (lastId = id) })
      else if (lastId === undefined) yield frame({ data: json })
      // An event without an id would be given the last one, and look as if it were tracked: it is taken away, and put back.
      else yield frame({ data: json, id: '' }) + frame({ event: 'restore-id', data: '', id: lastId })
    }
    yield frame({ event: 'return', data: '' })
  } catch (cause) {
    if ((cause as Error | undefined)?.name === 'AbortError') return // the client is to come back
    const error = getTRPCErrorFromUnknown(cause)
    const failed = { error, path, input: call.result(), ctx, type } as const
    options.onError?.({ ...failed, req })
    yield frame({
      event: 'serialized-error',
      data: JSON.stringify(config.transformer.output.serialize(getTRPCErrorShape({ ...failed, config }))),
    })
  }
}

/** @NOTE in the order of tRPC's own, with its second blank line. */
function frame({ event, data, id }: { event?: string; data: string | undefined; id?: string }): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n${id === undefined ? '' : `id: ${id}\n`}\n\n`
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value
}
