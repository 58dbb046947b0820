import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { openSurface } from '../../test/http-surface.ts'
import { route } from '../rest/route.ts'
import { drainMsMax } from './http.ts'

type Surface = Awaited<ReturnType<typeof openSurface>>
const opened: Surface[] = []
afterEach(async () => {
  for (const surface of opened.splice(0)) await surface.close()
})

const gate = { open: Promise.withResolvers<void>() }
const routes = [
  route({
    name: 'test.hello',
    method: 'GET',
    path: '/hello/{name}',
    auth: 'optional',
    params: z.object({ name: z.string() }),
    reply: z.object({ name: z.string() }),
    handle: async ({ params }) => params,
  }),
  route({
    name: 'test.slow',
    method: 'GET',
    path: '/slow',
    auth: 'open',
    handle: async () => {
      await gate.open.promise
    },
  }),
  route({ name: 'test.write', method: 'POST', path: '/write', auth: 'open', body: z.object({ text: z.string() }), handle: async () => {} }),
]

async function listening(options: Parameters<typeof openSurface>[0] = {}) {
  gate.open = Promise.withResolvers()
  const surface = await openSurface({ routes, ...options })
  opened.push(surface)
  const url = await surface.listen({ host: '127.0.0.1', port: 0 })
  return { ...surface, url, port: Number(new URL(url).port) }
}

/** What a server answers to bytes that no HTTP client would send. */
async function answerTo(port: number, bytes: string): Promise<{ status: number; headers: Record<string, string>; body: any }> {
  const socket = connect(port, '127.0.0.1')
  socket.write(bytes)
  let text = ''
  socket.on('data', (chunk) => {
    text += chunk
  })
  await once(socket, 'close')
  const [head, body] = text.split('\r\n\r\n', 2) as [string, string]
  const [first, ...lines] = head.split('\r\n') as [string, ...string[]]
  const headers = Object.fromEntries(lines.map((line) => [line.split(': ')[0]!.toLowerCase(), line.split(': ')[1]!]))
  return { status: Number(first.split(' ')[1]), headers, body: JSON.parse(body) }
}

describe('what is not HTTP', () => {
  it.each([
    ['a first line of nonsense', 'NONSENSE\r\n\r\n', 400, 'input.unreadable'],
    ['a header without a name', 'GET / HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n', 400, 'input.unreadable'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n', 400, 'input.unreadable'],
    ['headers beyond all measure', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(70_000)}\r\n\r\n`, 431, 'http.headers_too_large'],
  ])('is answered in the envelope: %s', async (_name, bytes, status, code) => {
    const { port } = await listening()
    const answer = await answerTo(port, bytes)
    expect([answer.status, answer.headers['content-type'], answer.headers.connection, answer.body]).toEqual([
      status,
      'application/json',
      'close',
      { status, message: expect.any(String), code, request_id: answer.headers['x-request-id'] },
    ])
  })
})

describe('headers', () => {
  it('are the safe ones on every answer, and never name what serves', async () => {
    const { url } = await listening()
    for (const path of ['/api/v1/hello/ann', '/api/v1/nothing', '/livez', '/trpc/nothing', '/docs', '/', '/%zz']) {
      const { headers } = await fetch(url + path)
      expect(Object.fromEntries(headers), path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'access-control-allow-origin': '*',
        'x-request-id': expect.any(String),
      })
      expect([headers.get('x-powered-by'), headers.get('server')]).toEqual([null, null])
    }
  })

  it('let any page call, without cookies, by default', async () => {
    const { url } = await listening()
    const asked = await fetch(`${url}/api/v1/write`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'PUT',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(asked.status).toBe(204)
    expect(Object.fromEntries(asked.headers)).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, POST, PUT, DELETE',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '86400',
    })
    for (const path of ['/api/v1/hello/ann', '/api/v1/nothing', '/trpc/x']) {
      const { headers } = await fetch(url + path, { headers: { origin: 'https://app.example' } })
      expect([
        headers.get('access-control-allow-origin'),
        headers.get('access-control-allow-credentials'),
        headers.get('access-control-expose-headers'),
      ]).toEqual(['*', null, 'x-request-id, retry-after, ratelimit-limit, ratelimit-remaining, ratelimit-reset'])
    }
  })

  it('let some pages call, or none', async () => {
    const some = await listening({ corsOrigins: ['https://app.example', 'https://b.example'] })
    const allowed = async (origin: string) =>
      (await fetch(`${some.url}/livez`, { headers: { origin } })).headers.get('access-control-allow-origin')
    expect([await allowed('https://b.example'), await allowed('https://evil.example')]).toEqual(['https://b.example', null])
    const none = await listening({ corsOrigins: [] })
    const asked = await fetch(`${none.url}/api/v1/write`, {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'POST' },
    })
    expect([asked.status, asked.headers.get('allow'), asked.headers.get('access-control-allow-origin')]).toEqual([405, 'POST', null])
    expect((await fetch(`${none.url}/api/v1/nothing`, { method: 'OPTIONS' })).status).toBe(404)
  })
})

describe('a log line', () => {
  it('tells of each request, once: who, what and how it went, by the pattern and never by what was asked for', async () => {
    const { url, lines } = await listening()
    await fetch(`${url}/api/v1/hello/secret-name?token=hunter2`, { headers: { authorization: 'Bearer 7', 'x-request-id': 'r-1' } })
    await fetch(`${url}/api/v1/private/hunter2`, { method: 'POST', body: '{}' })
    await fetch(`${url}/livez`)
    expect(lines).toEqual([
      {
        level: 'info',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
        request_id: 'r-1',
        user_id: 7,
        method: 'GET',
        route: '/api/v1/hello/{name}',
        status: 200,
        ms: expect.any(Number),
        msg: 'request',
      },
      {
        level: 'info',
        time: expect.any(String),
        request_id: expect.any(String),
        trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
        method: 'POST',
        route: 'unmatched',
        status: 404,
        ms: expect.any(Number),
        msg: 'request',
      },
    ])
  })

  it('names the trace of whoever calls, and makes one for what changes something; a header that is none is none', async () => {
    const { url, lines } = await listening()
    const given = '4bf92f3577b34da6a3ce929d0e0e4736'
    const get = (traceparent: string) => fetch(`${url}/api/v1/hello/ann`, { headers: { traceparent, authorization: 'Bearer 7' } })
    await get(`00-${given}-00f067aa0ba902b7-01`)
    await get(`00-${given}-00f067aa0ba902b7-0x`)
    await get(`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`)
    await get(`hunter2","user_id":8`)
    expect(lines.map(({ trace_id }) => trace_id)).toEqual([given, undefined, undefined, undefined])
  })

  it('tells of probes at debug only', async () => {
    const { url, lines } = await listening({ level: 'debug' })
    await fetch(`${url}/readyz`)
    expect(lines).toEqual([expect.objectContaining({ level: 'debug', route: '/readyz' })])
  })

  it('tells of a client that left, which is no crash', async () => {
    const { url, port, lines, metrics } = await listening()
    const leave = new AbortController()
    const left = fetch(`${url}/api/v1/slow`, { signal: leave.signal }).catch(() => {})
    await sleep(50) // for the request to have arrived
    leave.abort()
    await left
    const half = connect(port, '127.0.0.1')
    half.write('POST /api/v1/write HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"text":')
    await sleep(50) // likewise
    half.destroy()
    await expect.poll(() => lines.length).toBe(2)
    expect(lines).toEqual([
      expect.objectContaining({ route: '/api/v1/slow', status: 499 }),
      expect.objectContaining({ route: '/api/v1/write', status: 499 }),
    ])
    expect(await metrics.registry.metrics()).toContain('pinstack_http_requests_in_flight 0')
  })
})

it('counts requests by method, pattern and status', async () => {
  const { url, metrics } = await listening()
  for (const name of ['ann', 'bob']) await fetch(`${url}/api/v1/hello/${name}`)
  await fetch(`${url}/api/v1/nothing/${'x'.repeat(20)}`)
  const text = await metrics.registry.metrics()
  expect(text).toContain('pinstack_http_requests_total{method="GET",route="/api/v1/hello/{name}",status="200"} 2')
  expect(text).toContain('pinstack_http_requests_total{method="GET",route="unmatched",status="404"} 1')
  expect(text).toContain('pinstack_http_request_duration_seconds_count{method="GET",route="/api/v1/hello/{name}"} 2')
  expect(text).not.toMatch(/ann|bob|xxx/)
})

it('answers for a handler that takes too long', async () => {
  const { url, lines } = await listening({ limits: { requestMs: 100 } })
  const answer = await fetch(`${url}/api/v1/slow`)
  expect([answer.status, answer.headers.get('retry-after'), await answer.json()]).toEqual([
    503,
    '1',
    { status: 503, message: 'service unavailable', code: 'http.timeout', request_id: expect.any(String) },
  ])
  gate.open.resolve() // what the handler has to say in the end is heard by nobody, and is no crash
  await sleep(20) // for it to say so
  expect(lines.map(({ level, status }) => [level, status])).toEqual([['info', 503]])
})

it('refuses requests while the event loop is stuck, but for probes, and takes them again', async () => {
  const { url } = await listening({ limits: { loopDelayMs: 250 } })
  const stuckUntilMs = performance.now() + 4_500
  const stick = setInterval(() => {
    const endMs = performance.now() + 400
    while (performance.now() < endMs);
    if (endMs > stuckUntilMs) clearInterval(stick)
  }, 1)
  const statuses: number[] = []
  while (performance.now() < stuckUntilMs + 500) {
    const [asked, probe] = await Promise.all([fetch(`${url}/api/v1/hello/ann`), fetch(`${url}/livez`)])
    statuses.push(asked.status)
    expect(probe.status).toBe(200)
    if (asked.status === 503)
      expect([asked.headers.get('retry-after'), ((await asked.json()) as any).code]).toEqual(['1', 'http.overloaded'])
  }
  expect(statuses).toContain(503)
  await expect.poll(async () => (await fetch(`${url}/api/v1/hello/ann`)).status, { timeout: 4_000 }).toBe(200)
}, 15_000)

describe('closing', () => {
  /** One connection that stays open between requests, as a proxy's does. */
  function keptAlive(port: number) {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    return (path: string) =>
      new Promise<{ status: number; connection: string | undefined }>((resolve, reject) => {
        request({ port, host: '127.0.0.1', path, agent }, (answer) => {
          answer.resume().on('end', () => resolve({ status: answer.statusCode!, connection: answer.headers.connection }))
        })
          .on('error', reject)
          .end()
      })
  }

  it('lets requests finish, over connections that then close; takes no new ones; and is not ready from the start', async () => {
    const { port, url, close, health, metrics } = await listening()
    const get = keptAlive(port)
    expect((await get('/readyz')).connection).toBe('keep-alive')
    const slow = get('/api/v1/slow')
    await sleep(50) // for it to have arrived
    const startMs = performance.now()
    let isClosed = false
    const closed = close().then(() => {
      isClosed = true
    })
    expect((await health.report()).status).toBe('closing')
    await sleep(300) // longer than an idle server would wait
    expect([isClosed, await fetch(`${url}/livez`).catch(() => 'refused')]).toEqual([false, 'refused'])
    gate.open.resolve()
    expect(await slow).toEqual({ status: 200, connection: 'close' })
    await closed
    expect(performance.now() - startMs).toBeLessThan(2_000)
    expect(await metrics.registry.metrics()).toContain('pinstack_http_requests_in_flight 0')
  })

  it('serves a request that was half here, and asks its connection to close', async () => {
    const { port, close } = await listening()
    const half = connect(port, '127.0.0.1')
    half.write('GET /api/v1/hello/ann HTTP/1.1\r\n')
    await sleep(50) // for it to have arrived
    const closed = close()
    half.write('Host: x\r\n\r\n')
    let text = ''
    half.on('data', (chunk) => {
      text += chunk
    })
    await Promise.all([once(half, 'close'), closed])
    expect(text).toMatch(/^HTTP\/1\.1 200 OK/)
    expect(text.toLowerCase()).toContain('connection: close')
  })

  it('is done at once when nothing is under way, whatever connections a browser keeps open', async () => {
    const { port, close } = await listening()
    const sockets: Socket[] = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1')]
    sockets[1]!.write('GET /livez HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(sockets[1]!, 'data')
    const startMs = performance.now()
    await Promise.all([close(), close()])
    expect(performance.now() - startMs).toBeLessThan(600)
  })

  it('gives up on a request that does not end', async () => {
    expect(drainMsMax).toBe(10_000)
    const { url, close } = await listening({ limits: { drainMs: 300 } })
    const stuck = fetch(`${url}/api/v1/slow`).then(
      () => 'answered',
      () => 'cut',
    )
    await sleep(50) // for it to have arrived
    const startMs = performance.now()
    await close()
    expect([await stuck, performance.now() - startMs < 1_500]).toEqual(['cut', true])
  })
})
