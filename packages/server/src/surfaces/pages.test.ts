import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { openSurface } from '../../test/http-surface.ts'

let surface: Awaited<ReturnType<typeof openSurface>>
beforeAll(async () => {
  surface = await openSurface()
})
afterAll(() => surface.close())

it('show a person where to go from here, and a program too', async () => {
  const page = await surface.app.inject({ url: '/', headers: { accept: 'text/html,*/*' } })
  expect([page.headers['content-type'], page.headers.vary]).toEqual(['text/html; charset=utf-8', 'accept'])
  const links = [...page.body.matchAll(/href="([^"]+)"/g)].map(([, path]) => path!)
  expect(links).toEqual(['/docs', '/api/v1/openapi.json', '/healthz'])
  for (const path of links) expect((await surface.app.inject(path)).statusCode).toBe(200)
  expect((await surface.app.inject('/')).json()).toEqual({
    name: 'pinstack',
    version: '1.2.3',
    docs: '/docs',
    openapi: '/api/v1/openapi.json',
    health: '/healthz',
  })
})

it.each(['/', '/setup'])('run and style themselves only by what they bring, and load nothing: %s', async (url) => {
  const { body, headers } = await surface.app.inject({ url, headers: { accept: 'text/html' } })
  const policy = String(headers['content-security-policy'])
  expect(policy).toContain("default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
  expect(policy).not.toContain('unsafe')
  for (const tag of ['script', 'style']) {
    for (const [, inline] of body.matchAll(new RegExp(`<${tag}>(.*?)</${tag}>`, 'gs'))) {
      expect(policy).toContain(`${tag}-src 'sha256-${createHash('sha256').update(inline!).digest('base64')}'`)
    }
  }
  expect(body).not.toMatch(/src=|<link|@import|url\(|https?:\/\/|style="| on\w+="/)
  expect([headers['cache-control'], headers['referrer-policy'], headers['x-frame-options']]).toEqual(['no-store', 'no-referrer', 'DENY'])
})

it('name every field of the setup form for those who cannot see it', async () => {
  const { body } = await surface.app.inject('/setup')
  expect(body).toContain('<html lang="en">')
  for (const [, name] of body.matchAll(/<input id="(\w+)"/g)) {
    expect(body).toContain(`<label for="${name}">`)
    for (const described of [`${name}-hint`, `${name}-error`]) expect(body).toContain(`id="${described}"`)
  }
  expect(body).toContain('role="alert"')
})
