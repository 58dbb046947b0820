import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { openSurface } from '../../test/http-surface.ts'
import { viewerErrors } from '../core/viewer.ts'
import { route } from '../rest/route.ts'
import { open, router } from '../rpc/procedures.ts'
import { createLogger } from './logging.ts'

const secrets = {
  password: 'correct-horse-battery',
  email: 'ann.smith+1@example.co.uk',
  access: `eyJhbGciOiJFZERTQSJ9.${'eyJzdWIiOiI3In0'}.c2lnbmF0dXJl-_x`,
  refresh: 'Zm9vYmFyYmF6cXV4LXJlZnJlc2gtdG9rZW4',
  cookie: 'sid=s3cr3t-c00kie',
}

function logged(write: (logger: ReturnType<typeof createLogger>) => void): { text: string; lines: any[] } {
  let text = ''
  write(
    createLogger({
      level: 'trace',
      destination: {
        write: (line) => {
          text += line
        },
      },
    }),
  )
  return {
    text,
    lines: text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
  }
}

describe('a line', () => {
  it('is JSON with a time, a word for the level, and nothing about the machine', () => {
    expect(logged((logger) => logger.warn({ path: 'x' }, 'hello')).lines).toEqual([
      { level: 'warn', time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/), path: 'x', msg: 'hello' },
    ])
  })

  it('tells an error with its causes, and no other member of it', () => {
    const cause = Object.assign(new Error('duplicate key'), {
      code: '23505',
      detail: `Key (email)=(${secrets.email}) already exists.`,
      parameters: [secrets.password],
    })
    const { lines, text } = logged((logger) => logger.error({ err: new Error('insert failed', { cause }) }, 'failed'))
    expect(lines[0].err).toEqual({
      type: 'Error',
      message: 'insert failed',
      stack: expect.stringContaining('insert failed'),
      cause: { type: 'Error', code: '23505', message: 'duplicate key', stack: expect.any(String) },
    })
    expect(text).not.toMatch(/example|horse/)
  })

  it('goes on when causes go round in a circle', () => {
    const [a, b] = [new Error('a'), new Error('b')]
    a.cause = b
    b.cause = a
    expect(logged((logger) => logger.error({ err: a }, 'failed')).lines[0].err.cause.cause.message).toBe('a')
  })

  it.each<[string, object | string]>([
    [
      'by name',
      {
        password: secrets.password,
        newPassword: secrets.password,
        email: secrets.email,
        refresh_token: secrets.refresh,
        cookie: secrets.cookie,
        login: secrets.email,
      },
    ],
    [
      'deep inside',
      {
        request: {
          body: [{ oldPassword: `${secrets.password}"quoted`, refreshToken: secrets.refresh }],
          headers: { authorization: secrets.access, 'set-cookie': secrets.cookie, cookie: secrets.cookie },
        },
      },
    ],
    ['in the message', `login of ${secrets.email} with Bearer ${secrets.refresh} and ${secrets.access} failed`],
    ['in an address', { url: `postgres://pinstack:${secrets.password}@db.internal:5432/app`, at: `http://x/?mail=${secrets.email}` }],
    ['in an error', { err: new Error(`no such user: "${secrets.email}" (${secrets.access})`) }],
  ])('keeps secrets that someone put into it to itself: %s', (_name, line) => {
    const { text } = logged((logger) => (typeof line === 'string' ? logger.info(line) : logger.info(line, 'x')))
    for (const secret of Object.values(secrets)) expect(text).not.toContain(secret)
    expect(text).not.toContain('quoted')
  })

  it('keeps what is no secret', () => {
    const { lines } = logged((logger) =>
      logger.info({ user_id: 7, route: '/api/v1/users/{id}', path: '/var/lib/pinstack', handle: '@ann', price: 'a@b' }, 'bearer of news'),
    )
    expect(lines[0]).toMatchObject({ user_id: 7, route: '/api/v1/users/{id}', path: '/var/lib/pinstack', handle: '@ann', price: 'a@b' })
  })
})

describe('the log of a server, at its most talkative', () => {
  const body = z.object({ email: z.string(), password: z.string() })
  const tokens = z.object({ access_token: z.string(), refresh_token: z.string() })
  const routes = [
    route({
      name: 't.login',
      method: 'POST',
      path: '/login',
      auth: 'open',
      body,
      reply: tokens,
      handle: async () => ({ access_token: secrets.access, refresh_token: secrets.refresh }),
    }),
    route({
      name: 't.me',
      method: 'GET',
      path: '/me/{email}',
      auth: 'required',
      params: z.object({ email: z.string() }),
      handle: async () => {},
    }),
    route({
      name: 't.crash',
      method: 'POST',
      path: '/crash',
      auth: 'open',
      body,
      handle: async ({ body }) => {
        throw Object.assign(new Error(`cannot store ${body.email}`), { body })
      },
    }),
  ]
  const procedures = router({
    login: open.input(body).mutation(({ input }) => {
      throw Object.assign(new Error(`cannot store ${input.email}`), { input })
    }),
  })
  let close: () => Promise<void>
  afterEach(() => close())

  it('has no secret that came with a request, went with an answer, or was in a crash', async () => {
    const surface = await openSurface({
      routes,
      router: procedures,
      level: 'trace',
      authenticate: async (token) => {
        if (token === secrets.access) return { id: 7, role: 'user', sessionId: 's' }
        throw viewerErrors.invalid_token()
      },
    })
    close = surface.close
    const url = await surface.listen({ host: '127.0.0.1', port: 0 })
    const payload = JSON.stringify({ email: secrets.email, password: secrets.password })
    const headers = { authorization: `Bearer ${secrets.access}`, cookie: secrets.cookie, 'content-type': 'application/json' }
    const statuses = [
      (await fetch(`${url}/api/v1/login`, { method: 'POST', headers, body: payload })).status,
      (await fetch(`${url}/api/v1/login`, { method: 'POST', headers, body: payload.slice(0, -1) })).status,
      (await fetch(`${url}/api/v1/me/${secrets.email}?token=${secrets.refresh}`, { headers })).status,
      (await fetch(`${url}/api/v1/me/${secrets.email}`, { headers: { ...headers, authorization: `Bearer ${secrets.refresh}` } })).status,
      (await fetch(`${url}/api/v1/crash`, { method: 'POST', headers, body: payload })).status,
      (await fetch(`${url}/trpc/login`, { method: 'POST', headers, body: payload })).status,
    ]
    expect(statuses).toEqual([200, 400, 200, 401, 500, 500])
    await expect.poll(() => surface.lines.filter(({ msg }) => msg === 'request').length).toBe(6)
    for (const secret of [...Object.values(secrets), 'battery', 'ann.smith', 'c00kie']) expect(surface.log.join('')).not.toContain(secret)
    expect(surface.lines.filter(({ level }) => level === 'error').map(({ err }) => err.message)).toEqual([
      'cannot store [e-mail]',
      'cannot store [e-mail]',
    ])
  })
})
