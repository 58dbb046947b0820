import { expect, it, onTestFinished } from 'vitest'
import { openApp, type OpenedApp } from '../src/open-app.ts'
import { newPrefix, onRedis } from './redis.ts'
import { testConfig } from './serve.ts'

onRedis('apps that share a Redis', (url) => {
  async function openTwo(): Promise<[OpenedApp, OpenedApp]> {
    const flags = { 'redis.url': url, 'redis.prefix': newPrefix(), 'redis.timeoutMs': 30_000, 'rateLimits.enabled': true }
    const open = async () => {
      const app = await openApp(testConfig(flags), { migrate: true })
      onTestFinished(() => app.close())
      return app
    }
    return [await open(), await open()]
  }

  it('hear of events that the other one has numbered, and leave it to number its own', async () => {
    const [here, there] = await openTwo()
    const stop = new AbortController()
    let isMistaken = false
    const mistaken = there.committed.wait(60_000, stop.signal).then(() => (isMistaken = !stop.signal.aborted))
    const waiting = there.sequenced.wait(60_000, stop.signal).then(() => 'rung')
    // Rung until it is heard: a subscription that is under way hears nothing.
    await expect
      .poll(
        async () => {
          here.committed.ring()
          here.sequenced.ring()
          return await Promise.race([waiting, Promise.resolve('waiting')])
        },
        { timeout: 10_000 },
      )
      .toBe('rung')
    stop.abort()
    await mistaken
    expect(isMistaken).toBe(false)
  })

  it('have one count of a limit', async () => {
    const [here, there] = await openTwo()
    const limit = { name: 'test', max: 2, windowMs: 60_000 }
    expect([(await here.limiter.consume(limit, 'a'))!.remaining, (await there.limiter.consume(limit, 'a'))!.remaining]).toEqual([1, 0])
    await expect(here.limiter.consume(limit, 'a')).rejects.toMatchObject({ code: 'limit.exceeded' })
  })

  it('start and close without a Redis that answers', async () => {
    const app = await openApp(testConfig({ 'redis.url': 'redis://127.0.0.1:9', 'rateLimits.enabled': true }), { migrate: true })
    expect(await app.limiter.consume({ name: 'test', max: 2, windowMs: 60_000 }, 'a')).toMatchObject({ remaining: 1 })
    await expect(app.shared!.ping()).rejects.toThrow()
    await app.close()
  })
})
