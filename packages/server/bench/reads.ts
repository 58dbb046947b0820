import { compare, overStarts, rateRow, shoot, type Shot, startTarget, stopTargets, warmUp } from './load.ts'
import type { Row } from './main.ts'

const rounds = 8
const rest: Shot = { path: '/api/v1/users/1' }
const rpc: Shot = { path: `/trpc/users.byId?input=${encodeURIComponent('{"id":1}')}` }

/** REST and tRPC reads of a cached user, against Fastify by itself and tRPC's own adapter. */
export async function readRows(dir: string): Promise<Row[]> {
  const rates = await overStarts(() => ratesOfOneStart(dir))
  return [
    rateRow(rates, 'GET /api/v1/users/{id}, production defaults : bare Fastify route', { of: 'product', to: 'bare', bar: 0.6 }),
    rateRow(rates, 'tRPC users.byId, short way : tRPC’s Fastify adapter', { of: 'short', to: 'adapter', bar: 2.3 }),
    rateRow(rates, 'tRPC users.byId, short way : bare Fastify route that calls the same', { of: 'short', to: 'bare rpc', bar: 0.5 }),
    rateRow(rates, 'tRPC users.byId, production defaults : bare Fastify route that calls the same', { of: 'product rpc', to: 'bare rpc' }),
  ]
}

async function ratesOfOneStart(dir: string): Promise<Record<string, number[]>> {
  const start = (name: string) => startTarget(name, dir)
  const targets = {
    bare: await start('bare'),
    product: await start('product'),
    bareRpc: await start('bareRpc'),
    short: await start('short'),
    adapter: await start('adapter'),
  }
  const { bare, product, bareRpc, short, adapter } = targets
  await assertSameBytes(bare.url, product.url, rest)
  await assertSameBytes(bareRpc.url, short.url, rpc)
  const contenders: [string, string, Shot][] = [
    ['bare', bare.url, rest],
    ['product', product.url, rest],
    ['bare rpc', bareRpc.url, rpc],
    ['short', short.url, rpc],
    ['adapter', adapter.url, rpc],
    ['product rpc', product.url, rpc],
  ]
  for (const [, url, shot] of contenders) await warmUp(url, shot)
  const rates = await compare(Object.fromEntries(contenders.map(([name, url, shot]) => [name, () => shoot(url, shot)])), rounds)
  await stopTargets(...Object.values(targets))
  return rates
}

/** Both answer alike, but for v1's newline and the times of the account. */
async function assertSameBytes(one: string, other: string, { path }: Shot): Promise<void> {
  const [a, b] = await Promise.all([one, other].map(async (url) => (await (await fetch(url + path)).text()).trim()))
  if (a!.length !== b!.length) throw new Error(`not the same bytes:\n${a}\n${b}`)
}
