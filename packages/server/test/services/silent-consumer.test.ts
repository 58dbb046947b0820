import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import kafkajs from 'kafkajs'
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { kafkaBus } from '../../src/adapters/event-bus/kafka.ts'
import type { BusEvent } from '../../src/ports/event-bus.ts'
import { ownKafkaNames } from '../kafka.ts'
import { startKafkaBroker, type KafkaBroker } from './kafka-broker.ts'

const script = fileURLToPath(new URL('../given-up-process.ts', import.meta.url))
/** Shorter than what the client gives a request, so that a broker that answers nothing makes it silent. */
const silentMs = 3_000
const soon = { timeout: 60_000, interval: 50 }
/** How long a first member waits for others to join a group. */
const joinMs = 1_000
const silence = 'the Kafka consumer has stopped without a word'

describe('a consumer that has fallen silent', () => {
  let broker: KafkaBroker
  let nextId = 1
  beforeAll(async () => {
    broker = await startKafkaBroker({ properties: () => [`group.initial.rebalance.delay.ms=${joinMs}`] })
  })
  afterAll(() => broker?.remove())
  beforeEach(() => () => broker.thaw())

  function start(options: { silentMs?: number } = {}) {
    const { 'kafka.topics.user': topic, 'kafka.clientId': clientId } = ownKafkaNames(broker.brokers)
    const complaints: string[] = []
    const bus = kafkaBus({
      brokers: broker.brokers,
      clientId,
      topics: [topic],
      topicOf: () => ({ name: topic, times: 'iso' }),
      createTopics: { retentionMs: 86_400_000 },
      warn: (message, { err }) => void complaints.push(err instanceof Error ? err.message : message),
      ...options,
    })
    onTestFinished(() => bus.close())
    return {
      bus,
      groupId: `${clientId}.group`,
      /** How often a consumer was replaced for its silence. */
      silences: () => complaints.filter((one) => one === silence).length,
      async publish(keys: number[]): Promise<string[]> {
        const events = keys.map((key): BusEvent => {
          const id = String(nextId++)
          return { id, type: 'user_registered', key, payload: { user_id: key }, createdAt: '2026-01-01T00:00:00.000Z' }
        })
        await bus.publish(events)
        return events.map(({ id }) => id)
      },
    }
  }

  async function membersOf(groupId: string): Promise<string[]> {
    const admin = new kafkajs.Kafka({ brokers: broker.brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
    const { groups } = await admin.describeGroups([groupId])
    await admin.disconnect()
    return groups[0]!.members.map(({ memberId }) => memberId)
  }

  it('is replaced, and its successor takes what comes, alone', async () => {
    const { bus, groupId, silences, publish } = start({ silentMs })
    const got = new Set<string>()
    await bus.subscribe('group', ['user_registered'], async (events) => {
      for (const { id } of events) got.add(id)
    })
    const before = await publish([1, 2, 3])
    await expect.poll(() => [...got].sort(), soon).toEqual(before.sort())
    const first = await membersOf(groupId)
    const earlier = silences() // a slow machine may have needed a second attempt to join

    broker.freeze()
    await expect.poll(silences, soon).toBeGreaterThan(earlier)
    broker.thaw()
    let after: string[] = []
    await expect.poll(async () => (after = await publish([1, 2, 3]).catch(() => [])).length, soon).toBe(3)
    await expect.poll(() => after.every((id) => got.has(id)), soon).toBe(true)
    const members = async () => {
      const now = await membersOf(groupId)
      return { count: now.length, old: now.filter((one) => first.includes(one)).length }
    }
    await expect.poll(members, soon).toEqual({ count: 1, old: 0 })
  })

  it('because it waits for its handler is left to it', async () => {
    const { bus, silences, publish } = start({ silentMs })
    const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    onTestFinished(() => gate.resolve()) // the bus waits for its handler when it closes
    await bus.subscribe('group', ['user_registered'], async () => {
      begun.resolve()
      await gate.promise
    })
    await publish([1])
    await begun.promise
    const earlier = silences()
    broker.freeze()
    await sleep(3 * silentMs) // so long it could have been noticed
    expect(silences()).toBe(earlier)
    gate.resolve()
    broker.thaw()
  })

  it('while it joins its group does not go on behind its successor, nor after the end', async () => {
    const topic = ownKafkaNames([])['kafka.topics.user']
    const child = fork(script, [broker.brokers[0]!, topic], { execArgv: [] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const gone = once(child, 'exit')
    expect(await once(child, 'message')).toEqual([2, undefined])
    expect(await gone).toEqual([0, null]) // by itself: one that went on would keep it from ending
  })
})
