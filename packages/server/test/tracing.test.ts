import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { traceIdOf } from '../src/core/correlation.ts'
import { readEvents } from '../src/outbox/read.ts'
import { createServer, type Server } from '../src/server.ts'
import { openApp } from '../src/open-app.ts'
import { createLogger } from '../src/surfaces/logging.ts'
import { openOtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts'
import { call, quietly, register, testConfig } from './serve.ts'
import type { FlagValue } from '../src/config.ts'

const given = '4bf92f3577b34da6a3ce929d0e0e4736'
const sampled = `00-${given}-00f067aa0ba902b7-01`

/** A server with a log at debug, in which ann has followed bob, and the consumer has told him. */
async function followed(flags: Record<string, FlagValue>, follow: { traceparent?: string } = {}) {
  const lines: any[] = []
  const logger = createLogger({ level: 'debug', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
  const config = testConfig(flags)
  const server = await createServer(config, { ...quietly, logger })
  const { apiUrl } = await server.listen()
  const ann = (await register(apiUrl, 'ann')).body.data
  const bob = (await register(apiUrl, 'bob')).body.data
  const { id } = (await call(apiUrl, 'GET', '/api/v1/auth/me', { token: bob.access_token })).body.data
  const response = await fetch(`${apiUrl}/api/v1/relation/follow`, {
    method: 'POST',
    headers: { authorization: `Bearer ${ann.access_token}`, 'x-request-id': 'the-follow', ...follow },
    body: JSON.stringify({ followee_id: id }),
  })
  expect(response.status).toBe(200)
  await expect.poll(() => lines.find(({ msg, event_type }) => msg === 'event consumed' && event_type === 'follow_created')).toBeDefined()
  const requestLine = () => lines.find(({ msg, request_id }) => msg === 'request' && request_id === 'the-follow')
  await expect.poll(requestLine).toBeDefined()
  const consumerLine = lines.find(({ msg, event_type }) => msg === 'event consumed' && event_type === 'follow_created')
  return { server, config, apiUrl, ann, bob, lines, requestLine: requestLine(), consumerLine }
}

/** Closes the server, and reads what is in its outbox. */
async function eventsAfter(server: Server, config: ReturnType<typeof testConfig>) {
  await server.close()
  const { database, close } = await openApp(config)
  const events = await readEvents(database.db, { afterSeq: 0, limit: 100 })
  await close()
  return events
}

describe('correlation, without traces', () => {
  it('goes from the request through its event to the log of its consumer, and to the event that it causes', async () => {
    const { server, config, requestLine, consumerLine } = await followed({})
    expect(consumerLine.trace_id).toBe(requestLine.trace_id)
    expect(requestLine.trace_id).toMatch(/^[0-9a-f]{32}$/)
    expect(consumerLine).toMatchObject({ level: 'debug', consumer: 'follow-notifications', event_id: expect.stringMatching(/^\d+$/) })
    const events = await eventsAfter(server, config)
    const traces = Object.fromEntries(events.map(({ type, traceparent }) => [type, traceparent]))
    expect(traceIdOf(traces.follow_created!)).toBe(requestLine.trace_id)
    expect(traceIdOf(traces.notification_created!)).toBe(requestLine.trace_id)
    expect(traces.follow_created!.slice(-3)).toBe('-00') // nothing of it is recorded, and whoever reads it from Kafka is told so
    expect(new Set(events.filter(({ type }) => type === 'user_registered').map(({ traceparent }) => traceparent)).size).toBe(2)
  })

  it('takes up the trace of the caller as it is', async () => {
    const { server, config, requestLine, consumerLine } = await followed({}, { traceparent: sampled })
    expect([requestLine.trace_id, consumerLine.trace_id]).toEqual([given, given])
    const follow = (await eventsAfter(server, config)).find(({ type }) => type === 'follow_created')
    expect(follow!.traceparent).toBe(sampled)
  })

  it('is in whatever a request logs', async () => {
    const lines: any[] = []
    const logger = createLogger({ level: 'info', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
    const server = await createServer(testConfig(), { ...quietly, logger })
    const { apiUrl } = await server.listen()
    server.app.auth.login = async () => {
      logger.warn('from deep inside')
      throw new Error('crash')
    }
    await fetch(`${apiUrl}/api/v1/auth/login`, {
      method: 'POST',
      headers: { 'x-request-id': 'r-9', traceparent: sampled },
      body: '{"login":"ann","password":"correct horse"}',
    })
    await server.close()
    for (const msg of ['from deep inside', 'request failed', 'request'])
      expect(lines.find((line) => line.msg === msg)).toMatchObject({ request_id: 'r-9', trace_id: given })
  })

  // But for its interface package, which prom-client asks for in any case.
  it('loads nothing of OpenTelemetry', { timeout: 60_000 }, () => {
    const program = `
      import { registerHooks } from 'node:module'
      const seen = []
      registerHooks({ load: (url, context, next) => (seen.push(url), next(url, context)) })
      const { createServer } = await import('./src/server.ts')
      const { loadConfig } = await import('./src/config.ts')
      const flags = { 'http.port': 0, 'metrics.port': 0, 'log.level': 'silent', 'data.dir': process.argv[1], ...JSON.parse(process.argv[2]) }
      const server = await createServer(loadConfig({ flags }).config)
      await server.close()
      console.log(seen.length > 100, seen.some((url) => /@opentelemetry[/](?!api[/])/.test(url)))
      process.exit()`
    const run = (flags: object) => {
      const args = ['--input-type=module', '-e', program, testConfig().data.dir, JSON.stringify(flags)]
      return spawnSync(process.execPath, args, { cwd: join(import.meta.dirname, '..'), encoding: 'utf8' }).stdout.trim()
    }
    expect(run({})).toBe('true false')
    expect(run({ 'tracing.endpoint': 'http://127.0.0.1:9' })).toBe('true true')
  })
})

describe('traces', () => {
  it('are one from the request through its transaction and the outbox to the consumer', async () => {
    const receiver = await openOtlpReceiver()
    const { server, ann, bob, requestLine, consumerLine } = await followed({ 'tracing.endpoint': receiver.url })
    await server.close() // sends what is left
    await receiver.close()
    const { spans, bodies, resources } = receiver
    const byId = new Map(spans.map((span) => [span.spanId, span]))
    const wayUp = (span: ReceivedSpan): string[] => [span.name, ...(span.parentSpanId ? wayUp(byId.get(span.parentSpanId)!) : [])]
    const http = 'POST /api/v1/relation/follow'
    const of = (name: string) => spans.filter((span) => span.name === name)

    expect(of(http)).toEqual([
      {
        name: http,
        kind: 2,
        failed: false,
        traceId: requestLine.trace_id,
        spanId: expect.any(String),
        parentSpanId: undefined,
        attributes: { 'http.request.method': 'POST', 'http.route': '/api/v1/relation/follow', 'http.response.status_code': 200 },
      },
    ])
    const trace = spans.filter(({ traceId }) => traceId === requestLine.trace_id)
    const ways = trace.map(wayUp)
    expect(ways).toContainEqual(['insert', 'transaction', http])
    expect(ways).toContainEqual(['publish follow_created', 'transaction', http])
    const consumed = ['follow-notifications follow_created', 'publish follow_created', 'transaction', http]
    expect(ways).toContainEqual(consumed)
    expect(ways).toContainEqual(['insert', ...consumed])
    expect(ways).toContainEqual(['publish notification_created', ...consumed])
    expect(consumerLine.trace_id).toBe(requestLine.trace_id)
    expect(new Set(of('POST /api/v1/auth/register').map(({ traceId }) => traceId)).size).toBe(2)
    expect(trace.find(({ name }) => name === 'insert')!.attributes).toMatchObject({
      'db.query.text': expect.stringMatching(/^insert into /),
    })
    expect(resources[0]).toMatchObject({ 'service.name': 'pinstack' })
    for (const secret of ['correct horse', '@example.com', ann.access_token, bob.refresh_token, '"ann"', '127.0.0.1'])
      expect(
        bodies
          .join('\n')
          .replaceAll(/"host":"[^"]*"/g, '')
          .includes(secret),
        secret,
      ).toBe(false)
  })

  it('say what failed, and go on with that of the caller', async () => {
    const receiver = await openOtlpReceiver()
    const server = await createServer(testConfig({ 'tracing.endpoint': receiver.url }), quietly)
    const { apiUrl } = await server.listen()
    server.app.auth.login = async () => {
      throw new Error('crash')
    }
    const request = (traceparent: string) =>
      fetch(`${apiUrl}/api/v1/auth/login`, { method: 'POST', headers: { traceparent }, body: '{"login":"ann","password":"correct horse"}' })
    await request(sampled)
    await request(sampled.replace(/01$/, '00')) // whoever asks not to be recorded is not
    await server.close()
    await receiver.close()
    const failed = receiver.spans.filter(({ name }) => name === 'POST /api/v1/auth/login')
    expect(failed).toMatchObject([{ traceId: given, parentSpanId: '00f067aa0ba902b7', failed: true }])
  })

  it('keep the share that is wanted, and no request waits for a receiver that is away', async () => {
    const receiver = await openOtlpReceiver()
    const some = await createServer(testConfig({ 'tracing.endpoint': receiver.url, 'tracing.samplePercent': 10 }), quietly)
    const { apiUrl } = await some.listen()
    for (let i = 0; i < 300; i++) await fetch(`${apiUrl}/livez`)
    await some.close()
    await receiver.close()
    const kept = receiver.spans.filter(({ name }) => name === 'GET /livez').length
    expect(kept).toBeGreaterThan(0) // each by chance: that none of 300 is kept, or 100 of them, is rarer than 1 in 10^13
    expect(kept).toBeLessThan(100)

    const lines: any[] = []
    const logger = createLogger({ level: 'warn', destination: { write: (line) => void lines.push(JSON.parse(line)) } })
    const away = await createServer(testConfig({ 'tracing.endpoint': receiver.url }), { ...quietly, logger })
    const { apiUrl: url } = await away.listen()
    expect((await register(url, 'ann')).status).toBe(201)
    await away.close()
    expect(lines.filter(({ msg }) => msg.startsWith('traces cannot be sent'))).toHaveLength(1)
  })
})
