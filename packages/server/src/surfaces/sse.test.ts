import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { openEvents } from '../../test/event-stream.ts'
import { openSurface } from '../../test/http-surface.ts'
import { DomainError } from '../core/errors.ts'
import { eventRoute, type SentEvent, type StreamInput } from '../rest/route.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server with one stream, on a port of its own. */
async function serve(open: (input: StreamInput) => AsyncIterable<SentEvent>, options: Parameters<typeof openSurface>[0] = {}) {
  const data = z.object({ text: z.string() })
  const route = eventRoute({
    name: 'test.stream',
    path: '/stream',
    auth: 'required',
    events: { word: data },
    open: async (input) => open(input),
  })
  const surface = await openSurface({ routes: [route], ...options })
  closing.push(surface.close)
  return { ...surface, url: `${await surface.listen({ host: '127.0.0.1', port: 0 })}/api/v1/stream` }
}

async function* nothing({ signal }: StreamInput): AsyncGenerator<SentEvent, void> {
  await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
  yield* []
}

const word = (id: number, text: string): SentEvent => ({ id: String(id), event: 'word', data: { text, secret: 'not in the schema' } })

describe('a stream', () => {
  it('goes out byte by byte as the standard has it, and nothing of it but what its schema names', async () => {
    const { url } = await serve(async function* (input) {
      yield word(7, 'a\n<b> "ü"\u2028')
      yield* nothing(input)
    })
    const stream = await openEvents(url, { token: '7' })
    await expect.poll(() => stream.events()).toHaveLength(1)
    expect(stream.text()).toMatch(/^retry: [12]\d{3}\n\nevent: word\nid: 7\ndata: {"text":"a\\n\\u003cb\\u003e \\"ü\\"\\u2028"}\n\n$/)
    expect(stream.status).toBe(200)
    expect(stream.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-content-type-options': 'nosniff',
      'access-control-allow-origin': '*',
      'x-request-id': expect.any(String),
    })
    stream.close()
  })

  it('says that it is there while nothing happens', async () => {
    const { url } = await serve(nothing, { heartbeatMs: 30 })
    const stream = await openEvents(url, { token: '7' })
    await expect.poll(() => stream.text()).toMatch(/^retry: \d+\n\n:\n\n:\n\n:\n\n/)
    expect(stream.events()).toEqual([])
    stream.close()
  })

  it('tells its handler what came last, and when the client has gone', async () => {
    const asked: StreamInput[] = []
    const { url, lines, metrics } = await serve((input) => (asked.push(input), nothing(input)))
    const stream = await openEvents(url, { token: '7', lastEventId: '41' })
    expect([asked[0]!.lastEventId, asked[0]!.signal.aborted]).toEqual(['41', false])
    stream.close()
    await expect.poll(() => asked[0]!.signal.aborted).toBe(true)
    await expect.poll(() => lines.find(({ route }) => route === '/api/v1/stream')).toMatchObject({ user_id: 7 })
    const text = await metrics.registry.metrics()
    expect(text).toContain('pinstack_http_requests_total{method="GET",route="/api/v1/stream",status="499"} 1')
    expect(text).toContain('pinstack_http_request_duration_seconds_count{method="GET",route="/api/v1/stream"} 0')
  })

  it('is refused in the envelope, and answers HEAD without beginning', async () => {
    let opened = 0
    const { url, app } = await serve((input) => {
      opened++
      if (input.lastEventId === 'busy') throw new DomainError('rate_limited', 'test.busy', 'rate limit exceeded', { retryAfterMs: 1_500 })
      return nothing(input)
    })
    const none = await openEvents(url)
    await none.ended
    expect([none.status, JSON.parse(none.text())]).toEqual([
      401,
      { status: 401, message: 'unauthenticated', code: 'auth.unauthenticated', request_id: expect.any(String) },
    ])
    const busy = await openEvents(url, { token: '7', lastEventId: 'busy' })
    await busy.ended
    expect([busy.status, busy.headers['retry-after'], JSON.parse(busy.text()).code, opened]).toEqual([429, '2', 'test.busy', 1])
    const head = await app.inject({ method: 'HEAD', url: '/api/v1/stream', headers: { authorization: 'Bearer 7' } })
    expect([head.statusCode, head.headers['content-type'], head.body, opened]).toEqual([200, 'text/event-stream', '', 1])
    expect((await app.inject({ method: 'POST', url: '/api/v1/stream' })).statusCode).toBe(405)
  })

  it('cuts off a reader that takes nothing, and holds no more than a buffer for it meanwhile', async () => {
    let yielded = 0
    let isLeft = false
    const { url } = await serve(
      async function* ({ signal }) {
        signal.addEventListener('abort', () => {
          isLeft = true
        })
        for (; yielded < 1_000; yielded++) yield word(yielded, 'x'.repeat(64 * 1024))
      },
      { limits: { stallMs: 200 } },
    )
    const stream = await openEvents(url, { token: '7' })
    stream.response.pause()
    await expect.poll(() => isLeft, { timeout: 5_000 }).toBe(true)
    expect(yielded).toBeLessThan(200) // of 64 MB, what the kernel took, and one buffer
    stream.close()
  })

  it('lets go of a stream whose client left while something was made for it', async () => {
    const [left, isOver] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const { url } = await serve(async function* ({ signal }) {
      try {
        yield word(1, 'first')
        signal.addEventListener('abort', () => left.resolve())
        await left.promise
        for (let i = 2; i < 20; i++) yield word(i, 'x'.repeat(64 * 1024))
        await new Promise(() => {})
      } finally {
        isOver.resolve()
      }
    })
    const stream = await openEvents(url, { token: '7' })
    await expect.poll(() => stream.events()).toHaveLength(1)
    stream.close()
    await isOver.promise
  })

  it('waits for a reader that is slow', async () => {
    const total = 100
    const { url } = await serve(
      async function* () {
        for (let i = 0; i < total; i++) yield word(i, 'x'.repeat(64 * 1024))
      },
      { limits: { stallMs: 400 } },
    )
    const stream = await openEvents(url, { token: '7' })
    for (let i = 0; i < 8; i++) {
      stream.response.pause()
      await sleep(60)
      stream.response.resume()
      await sleep(5)
    }
    await stream.ended
    expect(stream.events().map(({ id }) => Number(id))).toEqual(Array.from({ length: total }, (_, i) => i))
  })

  it('ends when it fails; a crash is logged, and what the client will be told is not', async () => {
    const causes: Record<string, Error> = {
      crash: new Error('password=hunter2'),
      over: Object.assign(new Error('over'), { name: 'AbortError' }),
      revoked: new DomainError('unauthenticated', 'auth.unauthenticated', 'unauthenticated'),
    }
    const { url, lines } = await serve(async function* ({ lastEventId }) {
      yield word(1, 'first')
      throw causes[lastEventId!]!
    })
    for (const lastEventId of ['crash', 'over', 'revoked']) {
      const stream = await openEvents(url, { token: '7', lastEventId })
      await stream.ended
      expect([stream.status, stream.events().map(({ id }) => id), stream.text().includes('hunter2')]).toEqual([200, ['1'], false])
    }
    expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  })

  it('ends, for its client to come back, when the server closes', async () => {
    const { url, close } = await serve(nothing)
    const stream = await openEvents(url, { token: '7' })
    const startMs = performance.now()
    await Promise.all([close(), stream.ended])
    expect(performance.now() - startMs).toBeLessThan(1_000)
    expect(stream.response.complete).toBe(true) // ended, not cut off
  })
})
