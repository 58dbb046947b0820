import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { delayingProxy } from '../delaying-proxy.ts'
import { drivers, onDriver } from '../drivers.ts'
import { useRedisServers, withRedisServers } from '../redis-server.ts'
import { useServerChildren } from '../server-child.ts'
import { call, login, newDataDir, register, type Answer } from '../serve.ts'

const secret = 'auth.secret=a secret of all replicas here, long enough'
const silent = 'log.level=silent'
/** No call to Redis gives up because this machine is busy: what is counted here is counted by Redis. */
const patient = 'redis.timeoutMs=30000'

withRedisServers('Redis and its outages', () => {
  const servers = useRedisServers()
  const children = useServerChildren()

  const partOf = async (url: string) => (await call(url, 'GET', '/healthz')).body.parts.redis
  const isUp = (url: string) => expect.poll(async () => (await partOf(url)).status, { timeout: 10_000 }).toBe('up')
  const read = (url: string, id: number) => call(url, 'GET', `/api/v1/users/${id}`)

  /** How many of `count` requests, a few at a time, were allowed. Anything but 200 and 429 fails. */
  async function allowed(ask: (i: number) => Promise<Answer>, count: number): Promise<number> {
    const statuses: number[] = []
    let next = 0
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        while (next < count) statuses.push((await ask(next++)).status)
      }),
    )
    expect(statuses.filter((status) => status !== 200 && status !== 429)).toEqual([])
    return statuses.filter((status) => status === 200).length
  }

  it('is killed and restarted under load: no request fails, what is written shows, and the limits stay on', async () => {
    const redis = await servers.start()
    const url = await children
      .load([
        silent,
        `data.dir=${newDataDir()}`,
        `redis.url=${redis.url}`,
        'rateLimits.loginsPerAddress=1000000',
        'rateLimits.readsPerAddress=1000000',
      ])
      .serve()
    const token = (await register(url, 'ann')).body.data.access_token as string
    const { id } = (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data
    await isUp(url)

    const wrong: unknown[] = []
    let isOver = false
    let reads = 0
    let writes = 0
    const readers = Array.from({ length: 4 }, async () => {
      while (!isOver) {
        const answer = await read(url, id)
        if (answer.status !== 200) wrong.push(answer)
        reads++
      }
    })
    async function write(): Promise<void> {
      const bio = `number ${++writes}`
      const written = await call(url, 'PUT', '/api/v1/users', { token, body: { id, bio } })
      if (written.status !== 200) wrong.push(written)
      const shown = await read(url, id)
      if (shown.body.data?.bio !== bio) wrong.push([bio, shown])
    }
    async function goOn(): Promise<void> {
      const enough = reads + 100
      for (let i = 0; i < 10; i++) await write()
      while (reads < enough) await sleep(5)
    }
    await goOn()
    for (let outage = 0; outage < 3; outage++) {
      await redis.kill()
      await goOn()
      await expect.poll(async () => (await partOf(url)).status, { timeout: 10_000 }).toBe('down')
      expect((await call(url, 'GET', '/readyz')).status).toBe(200)
      await redis.start()
      await goOn()
      await isUp(url)
      await goOn()
    }
    isOver = true
    await Promise.all(readers)
    expect(wrong).toEqual([])
    expect(writes).toBe(100)

    // The limit of failures, first by Redis, then by the process itself: never none.
    const guess = () => call(url, 'POST', '/api/v1/auth/login', { body: { login: 'ann', password: 'wrong horse' } })
    const statuses = async () => {
      const found: number[] = []
      for (let i = 0; i < 12; i++) found.push((await guess()).status)
      return found
    }
    const limited = [...Array(10).fill(401), 429, 429]
    expect(await statuses()).toEqual(limited)
    await redis.kill()
    expect(await statuses()).toEqual(limited)
    expect((await guess()).status).toBe(429)
  }, 120_000)

  it('comes back from a snapshot: what was deleted since is not shown', async () => {
    const redis = await servers.start()
    const url = await children
      .load([silent, `data.dir=${newDataDir()}`, `redis.url=${redis.url}`, 'rateLimits.enabled=false', patient])
      .serve()
    const token = (await register(url, 'ann')).body.data.access_token as string
    const { id } = (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data
    const bio = async () => (await read(url, id)).body.data.bio
    const write = (text: string) => call(url, 'PUT', '/api/v1/users', { token, body: { id, bio: text } })
    await isUp(url)
    await write('old')
    await expect.poll(async () => [await bio(), await redis.keys('pinstack:cache:v:*')]).toEqual(['old', [`pinstack:cache:v:user:${id}`]])
    await redis.save()
    await write('new')
    await sleep(1_500) // the tail deletes it once more, and is not to do so after the restart: then that would be what is tested
    await redis.kill()
    await redis.start()
    expect(await redis.keys('pinstack:cache:v:*')).toEqual([`pinstack:cache:v:user:${id}`]) // the old one is back indeed
    for (let i = 0; i < 20; i++) expect(await bio()).toBe('new')
    await isUp(url)
    await expect.poll(async () => [await bio(), await redis.keys('pinstack:cache:v:*')]).toEqual(['new', [`pinstack:cache:v:user:${id}`]])
    for (let i = 0; i < 20; i++) expect(await bio()).toBe('new')
  }, 60_000)

  it('is slow: no request waits for longer than the timeouts, and soon none waits at all', async () => {
    const redis = await servers.start()
    const proxy = await delayingProxy(redis.url)
    const timeoutMs = 100
    try {
      const server = children.load([silent, `data.dir=${newDataDir()}`, `redis.url=${proxy.url}`, `redis.timeoutMs=${timeoutMs}`])
      const { apiUrl: url, metricsUrl } = await server.listen()
      const failures = async (reason: string) => {
        const text = await (await fetch(metricsUrl)).text()
        return Number(
          new RegExp(`^pinstack_dependency_failures_total{dependency="redis",reason="${reason}"} (\\d+)`, 'm').exec(text)?.[1] ?? 0,
        )
      }
      const token = (await register(url, 'ann')).body.data.access_token as string
      const { id } = (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data
      await isUp(url)
      const before = await failures('timeout')
      proxy.delayMs = 500
      const slowSinceMs = performance.now()
      const slow: number[] = []
      for (let i = 0; i < 100; i++) {
        const startMs = performance.now()
        const answer =
          i % 10 === 0 ? await call(url, 'PUT', '/api/v1/users', { token, body: { id, bio: `number ${i}` } }) : await read(url, id)
        slow.push(performance.now() - startMs)
        expect(answer.status).toBe(200)
        if (i % 10 === 1) expect(answer.body.data.bio).toBe(`number ${i - 1}`)
      }
      // A read asks Redis three times (limit, value, lease), a write more often, and each answer takes 500 ms.
      expect(Math.max(...slow)).toBeLessThan(10 * timeoutMs)
      // Five calls in a row that are too slow open the breaker, some were under way by then; after that it is one call a second that is slow.
      const tries = Math.ceil((performance.now() - slowSinceMs) / 1_000)
      expect((await failures('timeout')) - before).toBeLessThanOrEqual(10 + tries)
      expect(await failures('rejected')).toBeGreaterThan(100)
      await expect.poll(() => partOf(url), { timeout: 10_000 }).toMatchObject({ status: 'down', breaker: 'open' })
      const { body } = await call(url, 'GET', '/healthz')
      expect(body.status).toBe('degraded')
      proxy.delayMs = 0
      await expect.poll(() => partOf(url), { timeout: 10_000 }).toMatchObject({ status: 'up', breaker: 'closed' })
      expect((await read(url, id)).body.data.bio).toBe('number 90')
    } finally {
      proxy.close()
    }
  }, 60_000)

  onDriver('postgres', 'two replicas', (driver) => {
    it('have one limit: together they allow exactly what it says, and each for itself while Redis is away', async () => {
      const [redis, opened] = [await servers.start(), await drivers[driver]()]
      try {
        const flags = [silent, `database.url=${opened.url}`, `redis.url=${redis.url}`, secret, patient, 'rateLimits.readsPerAddress=60']
        const urls = await Promise.all([0, 1].map(() => children.load([...flags, `data.dir=${newDataDir()}`]).serve()))
        await Promise.all(urls.map(isUp))
        expect(await allowed((i) => call(urls[i % 2]!, 'GET', '/api/v1/posts/list'), 200)).toBe(60)
        const refused = await call(urls[0]!, 'GET', '/api/v1/posts/list')
        expect([refused.status, refused.headers.get('ratelimit-limit'), refused.headers.get('ratelimit-remaining')]).toEqual([
          429,
          '60',
          '0',
        ])
        expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
        await redis.kill()
        await expect.poll(async () => (await partOf(urls[0]!)).status, { timeout: 10_000 }).toBe('down')
        expect(await allowed((i) => call(urls[i % 2]!, 'GET', '/api/v1/posts/list'), 300)).toBe(2 * 60)
      } finally {
        await opened.drop()
      }
    }, 60_000)

    it('show each other’s writes at once by Redis, and within a second without', async () => {
      const [redis, opened] = [await servers.start(), await drivers[driver]()]
      try {
        const flags = [silent, `database.url=${opened.url}`, `redis.url=${redis.url}`, secret, patient, 'rateLimits.enabled=false']
        const [here, there] = (await Promise.all([0, 1].map(() => children.load([...flags, `data.dir=${newDataDir()}`]).serve()))) as [
          string,
          string,
        ]
        await Promise.all([here, there].map(isUp))
        const token = (await register(here, 'ann')).body.data.access_token as string
        const { id } = (await call(there, 'GET', '/api/v1/auth/me', { token })).body.data
        const write = (bio: string) => call(here, 'PUT', '/api/v1/users', { token, body: { id, bio } })
        const bioThere = async () => (await read(there, id)).body.data.bio
        await bioThere()
        await expect.poll(() => redis.keys('pinstack:cache:v:*')).toEqual([`pinstack:cache:v:user:${id}`])
        for (let i = 0; i < 50; i++) {
          await write(`number ${i}`)
          expect(await bioThere()).toBe(`number ${i}`)
        }
        await redis.kill()
        await write('without')
        const startMs = performance.now()
        while ((await bioThere()) !== 'without') expect(performance.now() - startMs).toBeLessThan(1_000)
        await redis.start()
        await write('again')
        expect(await bioThere()).toBe('again')
        expect((await login(there, 'ann')).status).toBe(200)
      } finally {
        await opened.drop()
      }
    }, 60_000)
  })
})
