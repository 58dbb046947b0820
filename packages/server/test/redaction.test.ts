import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { createServer } from '../src/server.ts'
import { createLogger } from '../src/surfaces/logging.ts'
import { openOtlpReceiver } from './otlp-receiver.ts'
import { call, quietly, testConfig } from './serve.ts'

it('lets no password, token, address or cookie into a log, an event, a metric, a trace or an error', async () => {
  const lines: string[] = []
  const destination = new Writable({ write: (chunk, _encoding, done) => (lines.push(String(chunk)), done()) })
  const receiver = await openOtlpReceiver()
  const server = await createServer(testConfig({ 'log.level': 'trace', 'tracing.endpoint': receiver.url }), {
    ...quietly,
    logger: createLogger({ level: 'trace', destination }),
  })
  const { apiUrl, metricsUrl } = await server.listen()
  const secrets = [
    'hunter2 hunter2',
    'hunter3 hunter3',
    'wrong wrong wrong',
    'ann.secret@example.com',
    'ann.other@example.com',
    server.setupToken!,
  ]
  const answers: string[] = []
  const send = async (method: string, path: string, body?: unknown, token?: string) => {
    const answer = await call(apiUrl, method, path, { body, ...(token && { token }) })
    if (answer.status >= 400) answers.push(JSON.stringify(answer.body))
    return answer.body?.data
  }

  const pair = await send('POST', '/api/v1/auth/register', {
    username: 'ann',
    email: 'ann.secret@example.com',
    password: 'hunter2 hunter2',
  })
  await send('POST', '/api/v1/auth/register', { username: 'ann', email: 'ann.secret@example.com', password: 'hunter2 hunter2' })
  await send('POST', '/api/v1/auth/login', { login: 'ann.secret@example.com', password: 'wrong wrong wrong' })
  const login = await send('POST', '/api/v1/auth/login', { login: 'ann.secret@example.com', password: 'hunter2 hunter2' })
  const refreshed = await send('POST', '/api/v1/auth/refresh', { refresh_token: login.refresh_token })
  const { id } = await send('GET', '/api/v1/auth/me', undefined, refreshed.access_token)
  await send('PUT', '/api/v1/users', { id, email: 'ann.other@example.com' }, refreshed.access_token)
  await send('GET', '/api/v1/users/email/ann.other@example.com', undefined, refreshed.access_token)
  await send('GET', '/api/v1/users/email/ann.secret@example.com?token=hunter2%20hunter2', undefined, 'broken.token.hunter2')
  const changed = await send(
    'POST',
    '/api/v1/auth/update-password',
    { old_password: 'hunter2 hunter2', new_password: 'hunter3 hunter3' },
    refreshed.access_token,
  )
  await send('POST', '/api/v1/auth/login', '{"login":"ann","password":"hunter2 hunter2"')
  await fetch(`${apiUrl}/trpc/auth.login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', cookie: 'sid=hunter2 hunter2' },
    body: '{"login":"ann","password":5}',
  })
  await send('POST', '/api/v1/auth/logout', { refresh_token: changed.refresh_token })
  for (const { access_token, refresh_token } of [pair, login, refreshed, changed])
    secrets.push(access_token, refresh_token, access_token.split('.')[2])

  const metrics = await (await fetch(metricsUrl)).text()
  const rows = await server.app.audit.list()
  await server.close()
  await receiver.close()
  const traces = receiver.bodies.join('\n')
  expect(traces).toContain('POST /api/v1/auth/login')
  const log = lines.join('')
  expect(log.split('\n').length).toBeGreaterThan(10)
  expect(log).toContain('/api/v1/auth/login')
  for (const [place, text] of Object.entries({ log, metrics, traces, errors: answers.join('\n'), audit: JSON.stringify(rows) })) {
    for (const secret of secrets) expect(text.includes(secret), `${place} holds ${secret}`).toBe(false)
  }
  expect(metrics).not.toMatch(/"ann"|\/users\/1"/)
})
