import { afterEach, describe, expect, it } from 'vitest'
import * as z from 'zod'
import { memoryRateLimiter } from '../adapters/rate-limiter/memory.ts'
import { openSurface } from '../../test/http-surface.ts'
import { route } from '../rest/route.ts'
import { authed, open, router } from '../rpc/procedures.ts'

const minuteMs = 60_000
const maxima = { readsPerAddress: 100, readsPerAccount: 100, writesPerAddress: 100, writesPerAccount: 100 }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Counts what has run, so that a refusal is known to have come before. */
async function surface(changes: Partial<typeof maxima>) {
  const ran: string[] = []
  const refused: string[] = []
  const does = (name: string) => async () => {
    ran.push(name)
  }
  const opened = await openSurface({
    routes: [
      route({ name: 'a.read', method: 'GET', path: '/read', auth: 'open', handle: does('read') }),
      route({ name: 'a.mine', method: 'GET', path: '/mine', auth: 'required', handle: does('mine') }),
      route({ name: 'a.write', method: 'POST', path: '/write', auth: 'open', body: z.object({}), handle: does('write') }),
    ],
    router: router({
      read: open.query(does('read')),
      mine: authed.query(does('mine')),
      both: open.query(async ({ ctx }) => [await ctx.optionalViewer(), await ctx.viewer()].length),
      write: open.mutation(does('write')),
    }),
    requestLimits: { limiter: memoryRateLimiter((name) => refused.push(name)), maxima: { ...maxima, ...changes } },
  })
  closing.push(opened.close)
  async function ask(method: 'GET' | 'POST', url: string, { token, address }: { token?: string; address?: string } = {}) {
    const { statusCode, headers, body } = await opened.app.inject({
      method,
      url,
      ...(method === 'POST' && { payload: '{}' }),
      headers: {
        ...(method === 'POST' && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...(address && { 'x-forwarded-for': address }),
      },
    })
    return { status: statusCode, headers, body }
  }
  const left = (headers: Record<string, unknown>) => [headers['ratelimit-limit'], headers['ratelimit-remaining']]
  return { ask, ran, refused, left }
}

describe('request limits', () => {
  it('count REST and tRPC together, tell what is left, and refuse both in their own form before anything runs', async () => {
    const { ask, ran, refused, left } = await surface({ readsPerAddress: 3 })
    const first = await ask('GET', '/api/v1/read')
    expect([first.status, ...left(first.headers)]).toEqual([200, '3', '2'])
    expect(Number(first.headers['ratelimit-reset'])).toBeGreaterThan(0)
    expect(Number(first.headers['ratelimit-reset'])).toBeLessThanOrEqual(minuteMs / 1000)
    expect(left((await ask('GET', '/trpc/read')).headers)).toEqual(['3', '1'])
    expect(left((await ask('GET', '/api/v1/read')).headers)).toEqual(['3', '0'])
    const rest = await ask('GET', '/api/v1/read')
    expect([rest.status, ...left(rest.headers), JSON.parse(rest.body)]).toMatchObject([
      429,
      '3',
      '0',
      { status: 429, message: 'rate limit exceeded', code: 'limit.exceeded' },
    ])
    expect(Number(rest.headers['retry-after'])).toBeGreaterThan(0)
    const rpc = await ask('GET', '/trpc/read')
    expect([rpc.status, ...left(rpc.headers), JSON.parse(rpc.body).error.data.reason]).toEqual([429, '3', '0', 'limit.exceeded'])
    expect(rpc.headers['retry-after']).toBe(rest.headers['retry-after'])
    expect([ran, refused]).toEqual([
      ['read', 'read', 'read'],
      ['read_address', 'read_address'],
    ])
  })

  it('count what writes apart from what reads', async () => {
    const { ask, ran } = await surface({ readsPerAddress: 1, writesPerAddress: 2 })
    const statuses: number[] = []
    for (const [method, url] of [
      ['POST', '/api/v1/write'],
      ['GET', '/api/v1/read'],
      ['POST', '/trpc/write'],
      ['POST', '/api/v1/write'],
      ['POST', '/trpc/write'],
      ['GET', '/trpc/read'],
    ] as const)
      statuses.push((await ask(method, url)).status)
    expect(statuses).toEqual([200, 200, 200, 429, 429, 429])
    expect(ran).toEqual(['write', 'read', 'write'])
  })

  it('count each call of a batch, and the account once for each call as well', async () => {
    const { ask, left } = await surface({ readsPerAddress: 10, readsPerAccount: 8 })
    const batch = '/trpc/read,both,mine?batch=1&input=%7B%7D'
    const answer = await ask('GET', batch, { token: '7' })
    expect([answer.status, ...left(answer.headers)]).toEqual([200, '8', '5'])
    expect(left((await ask('GET', batch, { token: '7' })).headers)).toEqual(['8', '2'])
    const third = await ask('GET', batch, { token: '7' })
    expect([third.status, ...left(third.headers)]).toEqual([207, '8', '0']) // what needs no account was answered
    expect(JSON.parse(third.body).map(({ error }: any) => error?.data.reason)).toEqual([undefined, 'limit.exceeded', 'limit.exceeded'])
    expect((await ask('GET', batch, { token: '7' })).status).toBe(429) // that was the address
  })

  it('limit an account wherever it comes from, and an address whoever comes from it', async () => {
    const { ask } = await surface({ readsPerAccount: 2, readsPerAddress: 4 })
    const status = async (options: { token?: string; address: string }) => (await ask('GET', '/api/v1/mine', options)).status
    expect(await status({ token: '7', address: '192.0.2.1' })).toBe(200)
    expect(await status({ token: '7', address: '192.0.2.2' })).toBe(200)
    expect(await status({ token: '7', address: '192.0.2.3' })).toBe(429)
    expect(await status({ token: '8', address: '192.0.2.3' })).toBe(200)
    expect(await status({ address: '2001:db8::1' })).toBe(401)
    for (const token of ['9', '10', '11']) expect(await status({ token, address: '2001:db8::2' })).toBe(200)
    expect(await status({ token: '12', address: '2001:db8::ffff:3' })).toBe(429) // the same /64
    expect(await status({ token: '12', address: '2001:db8:0:1::1' })).toBe(200)
  })

  it('believe only trusted proxies, and the socket where none has spoken', async () => {
    const { ask } = await surface({ readsPerAddress: 1 })
    expect((await ask('GET', '/api/v1/read')).status).toBe(200)
    expect((await ask('GET', '/api/v1/read')).status).toBe(429)
    expect((await ask('GET', '/api/v1/read', { address: '192.0.2.1' })).status).toBe(200) // inject comes from loopback, which is trusted
    expect((await ask('GET', '/api/v1/read', { address: '192.0.2.1' })).status).toBe(429)
  })

  it('leave probes alone', async () => {
    const { ask } = await surface({ readsPerAddress: 1 })
    for (let i = 0; i < 3; i++) {
      const { status, headers } = await ask('GET', '/readyz')
      expect([status, headers['ratelimit-limit']]).toEqual([200, undefined])
    }
    expect((await ask('GET', '/api/v1/read')).status).toBe(200)
  })
})
