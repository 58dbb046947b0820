import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { newPrefix, onRedis, unguarded, useRedis } from '../../../test/redis.ts'
import { doorbellContract } from '../../ports/doorbell.contract.ts'
import { redisDoorbell } from './redis.ts'

onRedis('doorbell', (url) => {
  const [here, there] = [useRedis(url), useRedis(url)]
  const open = (connection: typeof here, channel: string, run: typeof unguarded.run = unguarded.run) =>
    redisDoorbell({ ...connection, channel, guard: run })
  doorbellContract('redis', () => open(here, newPrefix()))

  it('wakes those who wait in another process, and nobody at another door', async () => {
    const channel = newPrefix()
    const [bell, other, elsewhere] = [open(here, channel), open(there, channel), open(there, newPrefix())]
    await expect.poll(() => here.client.pubsub('NUMSUB', channel)).toEqual([channel, 2])
    const stop = new AbortController()
    let isWoken = false
    const mistaken = elsewhere.wait(60_000, stop.signal).then(() => (isWoken = true))
    const waiting = other.wait(60_000, stop.signal)
    bell.ring()
    await waiting
    expect(isWoken).toBe(false)
    stop.abort()
    await mistaken
  })

  it('makes one message of the rings that come while one is under way, and loses none', async () => {
    let sent = 0
    const bell = open(here, newPrefix(), async (call) => {
      sent++
      await sleep(20) // as if Redis took so long
      return await call()
    })
    for (let i = 0; i < 1_000; i++) bell.ring()
    await expect.poll(() => sent).toBe(2)
    await sleep(60)
    expect(sent).toBe(2)
  })

  it('is heard again over a new connection', async () => {
    const channel = newPrefix()
    const [bell, other] = [open(here, channel), open(there, channel)]
    const subscribed = () => here.client.pubsub('NUMSUB', channel)
    await expect.poll(subscribed).toEqual([channel, 2])
    const id = (await there.subscriber.call('CLIENT', 'ID')) as number
    await here.client.client('KILL', 'ID', id)
    await expect.poll(subscribed, { timeout: 10_000 }).toEqual([channel, 1])
    await expect.poll(subscribed, { timeout: 10_000 }).toEqual([channel, 2])
    const waiting = other.wait(60_000, new AbortController().signal)
    bell.ring()
    await waiting
  })

  it('still rings here when no message can be sent', async () => {
    const bell = open(here, newPrefix(), async () => {
      throw new Error('away')
    })
    const waiting = bell.wait(60_000, new AbortController().signal)
    bell.ring()
    await waiting
  })
})
