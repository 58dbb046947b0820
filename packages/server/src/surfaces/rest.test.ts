import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { openSurface } from '../../test/http-surface.ts'
import { DomainError } from '../core/errors.ts'
import { DatabaseUnavailable } from '../ports/database.ts'
import { limitErrors } from '../ports/rate-limiter.ts'
import { id, idInPath, pageQuery, text } from '../rest/fields.ts'
import { route } from '../rest/route.ts'
import { bodyBytesMax } from './http.ts'

const note = z.object({ id: z.int(), text: z.string().optional() })
const params = z.object({ id: idInPath })
const seen = { read: 0 }
const routes = [
  route({
    name: 'note.read',
    method: 'GET',
    path: '/note/{id}',
    auth: 'open',
    params,
    query: z.object({ tag: z.string().min(2).optional() }),
    reply: note,
    handle: async ({ params, query }) => {
      seen.read++
      return { id: params.id, text: query.tag, secret: 'hash' }
    },
  }),
  route({
    name: 'note.write',
    method: 'PUT',
    path: '/note/{id}',
    auth: 'required',
    params,
    body: z.object({
      text: text({ max: 5 }),
      pinned: z.int().nullable().optional(),
      kind: z.enum(['a', 'b']).optional(),
      big: id.optional(),
      parts: z.array(z.object({ url: z.string() })).optional(),
      any: z.unknown().optional(),
      either: z.union([z.string(), z.number()]).optional(),
    }),
    reply: z.object({ got: z.string() }),
    handle: async ({ viewer, params, body }) => ({ got: JSON.stringify({ viewer: viewer.id, id: params.id, ...body }) }),
  }),
  route({ name: 'note.delete', method: 'DELETE', path: '/note/{id}', auth: 'required', params, status: 204, handle: async () => {} }),
  route({ name: 'note.latest', method: 'POST', path: '/note/latest', auth: 'open', handle: async () => {} }),
  route({
    name: 'note.make',
    method: 'POST',
    path: '/note',
    root: true,
    auth: 'open',
    status: 201,
    body: z.object({ text: z.string() }),
    reply: note,
    handle: async ({ body }) => ({ id: 1, text: body.text }),
  }),
  route({
    name: 'note.list',
    method: 'GET',
    path: '/note',
    root: true,
    auth: 'open',
    query: pageQuery({ limitDefault: 10 }),
    reply: z.object({ page: z.int(), limit: z.int() }),
    handle: async ({ query }) => query,
  }),
  route({
    name: 'note.who',
    method: 'GET',
    path: '/who',
    auth: 'optional',
    reply: z.object({ id: z.int().optional(), address: z.string(), device: z.string() }),
    handle: async ({ viewer, client }) => ({ id: viewer?.id, address: client.address, device: client.device }),
  }),
  route({
    name: 'note.by_name',
    method: 'GET',
    path: '/name/{name}',
    auth: 'open',
    params: z.object({ name: z.string() }),
    reply: z.object({ name: z.string() }),
    handle: async ({ params }) => params,
  }),
  route({
    name: 'note.crash',
    method: 'GET',
    path: '/crash',
    auth: 'open',
    handle: async () => {
      throw Object.assign(new Error('upstream said 404'), { statusCode: 404 })
    },
  }),
  route({
    name: 'note.limited',
    method: 'GET',
    path: '/limited',
    auth: 'open',
    handle: async () => {
      throw limitErrors.exceeded({ retryAfterMs: 1500 })
    },
  }),
  route({
    name: 'note.away',
    method: 'GET',
    path: '/away',
    auth: 'open',
    handle: async () => {
      throw new DatabaseUnavailable(new Error('connect ECONNREFUSED'))
    },
  }),
]

let surface: Awaited<ReturnType<typeof openSurface>>
beforeEach(async () => {
  seen.read = 0
  surface = await openSurface({ routes })
})
afterEach(() => surface.close())

type Method = 'GET' | 'PUT' | 'POST' | 'DELETE' | 'HEAD' | 'OPTIONS' | 'PATCH'
const send = async (method: Method, url: string, payload?: string, headers: Record<string, string> = { authorization: 'Bearer 7' }) =>
  surface.app.inject({ method, url, headers, ...(payload !== undefined && { payload }) })
const failure = (status: number, message: string, code: string) => ({ status, message, code, request_id: expect.any(String) })
const crashes = () => surface.lines.filter(({ level }) => level === 'error')

describe('an answer', () => {
  it('is what the reply declares, and nothing else, with one newline at its end', async () => {
    const answer = await send('GET', '/api/v1/note/5')
    expect([answer.statusCode, answer.headers['content-type'], answer.body]).toEqual([
      200,
      'application/json',
      '{"status":200,"data":{"id":5}}\n',
    ])
  })

  it('has no data where there is nothing to say, and no body at 204, where the content type stays', async () => {
    expect((await send('POST', '/api/v1/note/latest')).body).toBe('{"status":200}\n')
    const deleted = await send('DELETE', '/api/v1/note/5')
    expect([deleted.statusCode, deleted.body, deleted.headers['content-type'], deleted.headers['content-length']]).toEqual([
      204,
      '',
      'application/json',
      undefined,
    ])
  })

  it('escapes what Go escapes', async () => {
    const { body } = await send('GET', `/api/v1/name/${encodeURIComponent('<&>\u2028\u2029/"\\é')}`)
    expect(body).toBe('{"status":200,"data":{"name":"\\u003c\\u0026\\u003e\\u2028\\u2029/\\"\\\\é"}}\n')
    expect(JSON.parse(body).data.name).toBe('<&>\u2028\u2029/"\\é')
  })

  it('to HEAD is that of GET without its body', async () => {
    const [got, head] = [await send('GET', '/api/v1/note/5'), await send('HEAD', '/api/v1/note/5')]
    expect([head.statusCode, head.body, head.headers['content-length']]).toEqual([200, '', got.headers['content-length']])
  })

  it('bears a request id, which a proxy may have chosen', async () => {
    const id = async (given: string) => (await send('GET', '/api/v1/note/5', undefined, { 'x-request-id': given })).headers['x-request-id']
    expect([await id('abc-1.2_3'), await id('a b'), await id('x'.repeat(129))]).toEqual([
      'abc-1.2_3',
      expect.stringMatching(/^[\w-]{20}$/),
      expect.stringMatching(/^[\w-]{20}$/),
    ])
    const failed = await send('GET', '/api/v1/note/x')
    expect(failed.headers['x-request-id']).toBe(failed.json().request_id)
  })
})

describe('the way to a route', () => {
  it('is unknown, and says so in the envelope', async () => {
    for (const path of [
      '/api/v1/nothing',
      '/api/v1/Note/5',
      '/api/v1//note/5',
      '/api/v1/note/5/',
      '/api/v1/who/',
      '/api/v1/name/',
      '/elsewhere',
      '/api/v1',
      '/api/v1/',
    ]) {
      for (const method of ['GET', 'POST'] as const)
        expect((await send(method, path, method === 'POST' ? '{' : undefined)).json(), path).toEqual(
          failure(404, 'not found', 'http.not_found'),
        )
    }
  })

  it('is looked at before the body, whatever that is', async () => {
    for (const payload of ['{', 'x'.repeat(bodyBytesMax + 1)]) {
      const headers = { 'content-type': 'application/json' }
      expect((await send('POST', '/api/v1/nothing', payload, headers)).statusCode).toBe(404)
      expect((await send('POST', '/elsewhere', payload, headers)).statusCode).toBe(404)
      expect((await send('POST', '/livez', payload, headers)).statusCode).toBe(405)
    }
  })

  it('is known, but not by that method: said before anyone asks for a token or reads the body', async () => {
    const wrong = await send('PATCH', '/api/v1/note/5?x=1', 'x'.repeat(bodyBytesMax + 1), {})
    expect([wrong.json(), wrong.headers.allow]).toEqual([
      failure(405, 'method not allowed', 'http.method_not_allowed'),
      'GET, HEAD, PUT, DELETE',
    ])
    expect((await send('POST', '/livez', '{', {})).headers.allow).toBe('GET, HEAD')
  })

  it('ends in a slash for the root of a collection, and for no other', async () => {
    for (const path of ['/api/v1/note', '/api/v1/note/']) {
      expect((await send('GET', path)).json().data).toEqual({ page: 1, limit: 10 })
      expect((await send('POST', path, '{"text":"a"}')).statusCode).toBe(201)
      expect((await send('DELETE', path)).headers.allow).toBe('POST, GET, HEAD')
    }
  })

  it('reads a fixed word as an id where only another method knows the word', async () => {
    expect((await send('GET', '/api/v1/note/latest')).json()).toEqual(failure(400, 'invalid input', 'input.unreadable'))
    expect((await send('PATCH', '/api/v1/note/latest')).headers.allow).toBe('GET, HEAD, PUT, DELETE, POST')
  })

  it('decodes every escape in a parameter', async () => {
    const name = async (escaped: string) => (await send('GET', `/api/v1/name/${escaped}`)).json().data.name
    expect([
      await name('u%40example.com'),
      await name('u%2B1@x.org'),
      await name('a%20(b)'),
      await name('%d0%98'),
      await name('a%2Fb'),
    ]).toEqual(['u@example.com', 'u+1@x.org', 'a (b)', 'И', 'a/b'])
  })
})

describe('the token', () => {
  it('is asked for before anyone looks at the id or the body', async () => {
    expect((await send('PUT', '/api/v1/note/x', '{', {})).json()).toEqual(failure(401, 'unauthenticated', 'auth.unauthenticated'))
    const large = await send('PUT', '/api/v1/note/5', 'x'.repeat(bodyBytesMax + 1), {})
    expect([large.statusCode, large.headers['www-authenticate']]).toEqual([401, undefined])
  })

  it('may be broken where it is optional, and is not read where nobody asks', async () => {
    const who = async (headers: Record<string, string>) => (await send('GET', '/api/v1/who', undefined, headers)).json().data.id
    expect([
      await who({ authorization: 'Bearer 7' }),
      await who({ authorization: 'Bearer broken' }),
      await who({ authorization: 'Token 7' }),
      await who({}),
    ]).toEqual([7, undefined, undefined, undefined])
    expect((await send('GET', '/api/v1/note/5', undefined, { authorization: 'nonsense' })).statusCode).toBe(200)
  })

  it('cannot be checked while the database is away: 503, not "nobody"', async () => {
    const away = await openSurface({
      routes,
      authenticate: async () => {
        throw new DatabaseUnavailable(new Error('down'))
      },
    })
    for (const url of ['/api/v1/who', '/api/v1/note/5']) {
      const answer = await away.app.inject({ url, method: url.endsWith('who') ? 'GET' : 'DELETE', headers: { authorization: 'Bearer 7' } })
      expect([answer.statusCode, answer.headers['retry-after']]).toEqual([503, '1'])
    }
    await away.close()
  })
})

describe('the client', () => {
  it('is the peer, or whom a trusted proxy names', async () => {
    const address = async (remoteAddress: string, forwarded: string) =>
      (await surface.app.inject({ url: '/api/v1/who', remoteAddress, headers: { 'x-forwarded-for': forwarded } })).json().data.address
    expect(await address('127.0.0.1', '203.0.113.9')).toBe('203.0.113.9')
    expect(await address('127.0.0.1', '6.6.6.6, 203.0.113.9')).toBe('203.0.113.9') // what the client itself claims comes first
    expect(await address('198.51.100.1', '203.0.113.9')).toBe('198.51.100.1')
    expect(await address('::ffff:198.51.100.1', '203.0.113.9')).toBe('198.51.100.1')
  })

  it('has a device of at most 256 characters', async () => {
    expect((await send('GET', '/api/v1/who', undefined, { 'user-agent': 'x'.repeat(1000) })).json().data.device).toBe('x'.repeat(256))
  })
})

describe('input', () => {
  const write = async (payload: string, path = '5') => (await send('PUT', `/api/v1/note/${path}`, payload)).json()
  const got = async (payload: string) => JSON.parse((await write(payload)).data.got)
  const tooLarge = '9007199254740993'

  it.each([
    ['an empty body', ''],
    ['a syntax error', '{"text":'],
    ['a list', '[]'],
    ['a string', '"x"'],
    ['a number', '5'],
    ['text after the first value', '{"text":"a"} x'],
    ['a second value', '{"text":"a"}{}'],
    ['a number for text', '{"text":5}'],
    ['text for a number', '{"text":"a","pinned":"5"}'],
    ['a fraction', '{"text":"a","pinned":1.5}'],
    ['an id beyond 2^53', `{"text":"a","big":${tooLarge}}`],
    ['a number beyond all', '{"text":"a","big":1e400}'],
    ['a number for a word', '{"text":"a","kind":1}'],
    ['an object for a list', '{"text":"a","parts":{}}'],
    ['a wrong type deep inside', '{"text":"a","parts":[{"url":1}]}'],
    ['neither of two types', '{"text":"a","either":true}'],
    ['a byte order mark', '\ufeff{"text":"a"}'],
  ])('that cannot be read: %s', async (_name, payload) => {
    expect(await write(payload)).toEqual(failure(400, 'invalid input', 'input.unreadable'))
  })

  it.each([
    ['null for everything', 'null'],
    ['a missing field', '{}'],
    ['a null field', '{"text":null}'],
    ['text that is too long', '{"text":"123456"}'],
    ['six letters of two units', '{"text":"😀😀😀😀😀😀"}'],
    ['a NUL', '{"text":"a\\u0000"}'],
    ['half a surrogate pair', '{"text":"\\ud800"}'],
    ['a word that is none', '{"text":"a","kind":"c"}'],
    ['an id of zero', '{"text":"a","big":0}'],
    ['a null in a list', '{"text":"a","parts":[null]}'],
  ])('that is wrong: %s', async (_name, payload) => {
    expect(await write(payload)).toMatchObject({
      ...failure(400, 'validation failed', 'input.invalid'),
      errors: [{ path: expect.any(String), message: expect.any(String) }],
    })
  })

  it('may count characters that are two units each, and integers in any spelling', async () => {
    expect(await got('{"text":"😀😀😀😀😀","pinned":1e3,"big":2.0}')).toMatchObject({ text: '😀😀😀😀😀', pinned: 1000, big: 2 })
  })

  it('has names in any letter case, at any depth; the last of two wins; unknown ones and `__proto__` are nobody', async () => {
    expect(await got('{"TEXT":"a","Parts":[{"URL":"u","url2":1}],"__proto__":{"x":1},"constructor":1,"unknown":{"a":[]}}')).toEqual({
      viewer: 7,
      id: 5,
      text: 'a',
      parts: [{ url: 'u' }],
    })
    expect(await got('{"text":"a","TEXT":"b"}')).toMatchObject({ text: 'b' })
    expect(({} as any).x).toBeUndefined()
  })

  it('is absent when null, but where null is a value', async () => {
    expect(await got('{"text":"a","pinned":null,"kind":null,"any":null}')).toEqual({ viewer: 7, id: 5, text: 'a', pinned: null, any: null })
  })

  it('names what cannot be read before what is wrong, in the path and in the body', async () => {
    expect((await write('{"text":"too long"}', 'x')).message).toBe('invalid input')
    expect((await write('{"text":5}', '0')).message).toBe('invalid input')
    expect((await write('{"text":"too long"}', '0')).errors.map(({ path }: { path: string }) => path)).toEqual(['id', 'text'])
  })

  it.each([
    ['+5', 5],
    ['007', 5 + 2],
    ['5', 5],
    ['%35', 5],
  ])('reads the id %s', async (path, id) => {
    expect((await send('GET', `/api/v1/note/${path}`)).json().data.id).toBe(id)
  })
  it.each([
    ['0x5', 'invalid input'],
    ['1_000', 'invalid input'],
    ['5.0', 'invalid input'],
    ['%205', 'invalid input'],
    ['1e3', 'invalid input'],
    [tooLarge, 'invalid input'],
    ['9'.repeat(400), 'invalid input'],
    ['-5', 'validation failed'],
    ['0', 'validation failed'],
    ['-0', 'validation failed'],
  ])('refuses the id %s as %s', async (path, message) => {
    expect((await send('GET', `/api/v1/note/${path}`)).json()).toMatchObject({ status: 400, message })
    expect(seen.read).toBe(0)
  })

  it('takes the first of a repeated parameter, and an empty one as absent', async () => {
    const tag = async (search: string) => (await send('GET', `/api/v1/note/5${search}`)).json().data?.text
    expect([await tag('?tag=ab&tag=cd'), await tag('?tag='), await tag('?tag='), await tag('?__proto__=x'), await tag('?tag=%zz')]).toEqual(
      ['ab', undefined, undefined, undefined, '%zz'],
    )
    expect((await send('GET', '/api/v1/note/5?tag=a')).json()).toMatchObject({ status: 400, errors: [{ path: 'tag' }] })
  })

  it('takes whatever is wrong with a page for its default', async () => {
    const page = async (search: string) => (await send('GET', `/api/v1/note${search}`)).json().data
    expect(await page('?page=2&limit=100')).toEqual({ page: 2, limit: 100 })
    for (const search of [
      '?page=0&limit=0',
      '?page=x&limit=101',
      '?page=99999999999&limit=-1',
      '?page=1.0&limit=1e1',
      `?page=${'9'.repeat(400)}`,
    ])
      expect(await page(search), search).toEqual({ page: 1, limit: 10 })
  })

  it('is JSON whatever its content type, and ignored where no route asked for it', async () => {
    for (const type of ['no type', 'text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1']) {
      expect(
        (await send('PUT', '/api/v1/note/5', '{"text":"a"}', { authorization: 'Bearer 7', 'content-type': type })).statusCode,
        type,
      ).toBe(200)
    }
    expect((await send('POST', '/api/v1/note/latest', '{')).statusCode).toBe(200)
    expect((await send('DELETE', '/api/v1/note/5', '[1')).statusCode).toBe(204)
  })

  it('may be 10,000 deep, and deeper, and harm nobody', async () => {
    for (const depth of [10_000, 250_000]) {
      const deep = '['.repeat(depth) + ']'.repeat(depth)
      expect((await write(`{"text":"a","unknown":${deep}}`)).status).toBe(200)
      expect((await write(deep)).message).toBe('invalid input')
      expect((await write(`{"text":${deep}}`)).message).toBe('invalid input')
      expect((await write(`{"text":"a","parts":${deep}}`)).message).toBe('invalid input')
    }
    expect((await write('{"text":'.repeat(100_000))).message).toBe('invalid input')
  })

  it('refuses what HTTP itself cannot take', async () => {
    expect((await send('PUT', '/api/v1/note/5', 'x'.repeat(bodyBytesMax + 1))).json()).toEqual(
      failure(413, 'request too large', 'http.body_too_large'),
    )
    for (const url of ['/api/v1/note/%zz', '/%zz', `/api/v1/name/${'x'.repeat(5000)}`]) {
      const answer = await send('GET', url)
      expect(answer.json()).toEqual(failure(400, 'invalid input', 'input.unreadable'))
      expect(answer.headers['x-request-id']).toBe(answer.json().request_id)
    }
  })
})

describe('a failure', () => {
  it('of another library is a crash, whatever status it bears: logged once, with its cause, and told to nobody', async () => {
    const answer = await send('GET', '/api/v1/crash')
    expect(answer.json()).toEqual(failure(500, 'internal error', 'internal'))
    expect(crashes()).toEqual([
      expect.objectContaining({
        msg: 'request failed',
        request_id: answer.json().request_id,
        err: expect.objectContaining({ message: 'upstream said 404', stack: expect.any(String) }),
      }),
    ])
  })

  it('of a limit, and of an outage, says when to come back', async () => {
    const [limited, away] = [await send('GET', '/api/v1/limited'), await send('GET', '/api/v1/away')]
    expect([limited.json(), limited.headers['retry-after']]).toEqual([failure(429, 'rate limit exceeded', 'limit.exceeded'), '2'])
    expect([away.json(), away.headers['retry-after']]).toEqual([failure(503, 'service unavailable', 'unavailable'), '1'])
    expect(crashes()).toEqual([])
  })

  it('keeps the key order of v1', async () => {
    const broken = new DomainError('conflict', 'note.taken', 'taken')
    const own = await openSurface({
      routes: [
        route({
          name: 'n.x',
          method: 'GET',
          path: '/x',
          auth: 'open',
          handle: async () => {
            throw broken
          },
        }),
      ],
    })
    expect((await own.app.inject('/api/v1/x')).body).toMatch(
      /^\{"status":409,"message":"taken","code":"note\.taken","request_id":"[^"]+"\}\n$/,
    )
    await own.close()
  })
})
