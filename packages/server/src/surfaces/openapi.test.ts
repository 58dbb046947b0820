import { validate } from '@readme/openapi-parser'
import { describe, expect, it } from 'vitest'
import * as z from 'zod'
import { openSurface } from '../../test/http-surface.ts'
import type { App } from '../compose.ts'
import { defineErrors } from '../core/errors.ts'
import { id, idInPath, pageQuery, text } from '../rest/fields.ts'
import { route } from '../rest/route.ts'
import { createRoutes } from '../routes.ts'
import { openApi } from './openapi.ts'

const errors = defineErrors('note', {
  not_found: ['not_found', 'note not found'],
  taken: ['conflict', 'taken'],
  full: ['conflict', 'full'],
})
const note = z
  .object({ id, text: text({ min: 3, max: 10 }).meta({ examples: ['hello'] }), by: z.object({ id }).meta({ id: 'Author' }).optional() })
  .meta({ id: 'Note' })
const routes = [
  route({
    name: 'notes.read',
    method: 'GET',
    path: '/notes/{id}',
    auth: 'optional',
    summary: 'Read a note',
    params: z.object({ id: idInPath }),
    reply: note,
    errors: [errors.not_found],
    handle: async () => ({ id: 1, text: 'abc' }),
  }),
  route({
    name: 'notes.list',
    method: 'GET',
    path: '/notes',
    root: true,
    auth: 'open',
    query: pageQuery({ limitDefault: 10 }),
    reply: z.object({ notes: z.array(note) }),
    handle: async () => ({ notes: [] }),
  }),
  route({
    name: 'notes.make',
    method: 'POST',
    path: '/notes',
    root: true,
    auth: 'required',
    body: note.pick({ text: true }),
    status: 201,
    reply: note,
    errors: [errors.taken, errors.full],
    handle: async () => ({ id: 1, text: 'abc' }),
  }),
  route({
    name: 'notes.delete',
    method: 'DELETE',
    path: '/notes/{id}',
    auth: 'required',
    params: z.object({ id: idInPath }),
    status: 204,
    handle: async () => {},
  }),
]
const document = openApi(routes, '/api/v1', { version: '1.2.3' }) as any

/** The routes of the product; none of them runs. */
function productRoutes() {
  const anything: any = new Proxy(() => anything, { get: () => anything })
  return createRoutes(anything as App)
}

describe('the OpenAPI document', () => {
  it.each([
    ['of a test', document],
    ['of the product', openApi(productRoutes(), '/api/v1', { version: '1.2.3' })],
  ])('is valid: %s', async (_name, described) => {
    const result = await validate(structuredClone(described) as never)
    expect(result).toMatchObject({ valid: true })
    expect((result as any).warnings ?? []).toEqual([])
  })

  it('has every route, and says what it takes and gives', () => {
    expect([document.openapi, document.info.version, Object.keys(document.paths)]).toEqual([
      '3.1.0',
      '1.2.3',
      ['/api/v1/notes/{id}', '/api/v1/notes'],
    ])
    const { get, delete: remove } = document.paths['/api/v1/notes/{id}']
    expect(get).toMatchObject({ operationId: 'notes.read', tags: ['notes'], summary: 'Read a note', security: [{}, { bearer: [] }] })
    expect(get.parameters).toEqual([
      { in: 'path', name: 'id', required: true, schema: expect.objectContaining({ type: 'integer', minimum: 1 }) },
    ])
    expect(get.responses[200].content['application/json'].schema.properties.data).toEqual({ $ref: '#/components/schemas/Note' })
    expect([remove.security, remove.responses[204]]).toEqual([[{ bearer: [] }], { description: 'Done.' }])
    const { get: list, post } = document.paths['/api/v1/notes']
    expect([list.security, list.parameters.map(({ name, required, schema }: any) => [name, required, schema.default])]).toEqual([
      undefined,
      [
        ['page', false, 1],
        ['limit', false, 10],
      ],
    ])
    expect(post.requestBody.content['application/json'].schema).toMatchObject({
      type: 'object',
      properties: { text: { type: 'string', minLength: 3, maxLength: 10, examples: ['hello'] } },
      required: ['text'],
    })
  })

  it('names schemas that have a name, once', () => {
    expect(Object.keys(document.components.schemas).toSorted()).toEqual(['Author', 'Failure', 'Note'])
    expect(document.components.schemas.Note.properties.by).toEqual({ $ref: '#/components/schemas/Author' })
  })

  it('lists what can go wrong, by status and by code', () => {
    const { responses } = document.paths['/api/v1/notes'].post
    expect(Object.keys(responses)).toEqual(['201', '400', '401', '403', '409', '429', '500', '503'])
    expect(Object.keys(responses[409].content['application/json'].examples)).toEqual(['note.taken', 'note.full'])
    expect(responses[409].content['application/json'].examples['note.taken'].value).toMatchObject({
      status: 409,
      message: 'taken',
      code: 'note.taken',
    })
    expect(responses[401].description).toContain('`auth.token_expired`: token expired')
    expect([responses[429].headers, responses[503].headers, responses[500].headers]).toEqual([
      { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
      { 'Retry-After': { $ref: '#/components/headers/RetryAfter' } },
      undefined,
    ])
    expect(document.paths['/api/v1/notes/{id}'].get.responses[404].description).toBe('`note.not_found`: note not found')
  })
})

describe('its pages', () => {
  it('answer at the new addresses and the old ones', async () => {
    const { app, close } = await openSurface({ routes })
    const [now, then] = [await app.inject('/api/v1/openapi.json'), await app.inject('/swagger/doc.json')]
    expect([now.headers['content-type'], now.json(), then.body]).toEqual(['application/json', document, now.body])
    for (const path of ['/docs', '/docs/', '/swagger/index.html']) {
      const page = await app.inject(path)
      expect([page.statusCode, page.headers['content-type']], path).toEqual([200, 'text/html; charset=utf-8'])
      expect(page.headers['content-security-policy']).toBe(
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self' data:; connect-src 'self'",
      )
    }
    expect((await app.inject('/swagger')).headers.location).toBe('/docs')
    await close()
  })

  it('bring along all that they need', async () => {
    const { app, close } = await openSurface({ routes })
    const { body } = await app.inject('/docs')
    const wanted = [...body.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path]) => path!)
    expect(wanted.length).toBeGreaterThan(4)
    for (const path of wanted) {
      expect(path).toMatch(/^\//)
      expect((await app.inject(path)).statusCode, path).toBe(200)
    }
    expect((await app.inject('/docs/swagger-ui-bundle.js')).headers['content-type']).toBe('text/javascript; charset=utf-8')
    await close()
  })
})
