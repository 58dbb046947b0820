import kafkajs from 'kafkajs'
import { sql } from 'kysely'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { onKafka, ownKafkaNames } from '../kafka.ts'
import { onEachDatabase } from '../matrix.ts'
import { kafkaBus, type KafkaBus } from '../../src/adapters/event-bus/kafka.ts'
import type { BusEvent } from '../../src/ports/event-bus.ts'
import { consumeBatches, type Consumer } from '../../src/outbox/consumers.ts'

const soon = { timeout: 30_000, interval: 20 }
const count = 30

onKafka('a message that Kafka delivers twice', (brokers) => {
  onEachDatabase('consumers', (world) => {
    let [topic, clientId] = ['', '']
    let bus: KafkaBus
    let delivered: string[]
    const open = () =>
      kafkaBus({
        brokers,
        clientId,
        topics: [topic],
        topicOf: () => ({ name: topic, times: 'iso' }),
        createTopics: { retentionMs: 86_400_000 },
        warn() {},
      })
    beforeEach(async () => {
      await sql`drop table if exists effect`.execute(world.database.db)
      await sql`create table effect (name text not null)`.execute(world.database.db)
      ;({ 'kafka.topics.user': topic, 'kafka.clientId': clientId } = ownKafkaNames(brokers))
      delivered = []
      bus = open()
    })
    afterEach(() => bus.close())

    /** Writes a row that nothing keeps from being there twice: what is passed by is so because it was marked, and for nothing else. */
    const consumer: Consumer<'user_registered'> = {
      name: 'writer',
      types: ['user_registered'],
      handle: async (tx, { id }) => void (await sql`insert into effect (name) values (${id})`.execute(tx)),
    }
    const events: BusEvent[] = Array.from({ length: count }, (_, i) => ({
      id: String(i + 1),
      type: 'user_registered',
      key: i % 7,
      payload: { user_id: i % 7 },
      createdAt: '2026-01-01T00:00:00.000Z',
    }))
    const ids = events.map(({ id }) => id).sort()
    const twice = [...ids, ...ids].sort()
    const effects = async () =>
      (await sql<{ name: string }>`select name from effect`.execute(world.database.db)).rows.map(({ name }) => name).sort()

    async function consume(): Promise<void> {
      const take = consumeBatches(
        { ...world, onFailure: (error) => void world.warnings.push({ message: String(error), fields: {} }) },
        consumer,
      )
      await bus.subscribe(consumer.name, consumer.types, async (batch) => {
        await take(batch)
        delivered.push(...batch.map(({ id }) => id)) // only once it is committed
      })
    }

    async function setBack(): Promise<void> {
      await bus.close() // of a group that has members nothing can be set
      const admin = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING }).admin()
      await admin.connect()
      await admin.resetOffsets({ groupId: `${clientId}.${consumer.name}`, topic, earliest: true })
      await admin.disconnect()
      bus = open()
    }

    it('because the offset of its group was set back, has its effect once', async () => {
      await bus.publish(events)
      await consume()
      await expect.poll(() => delivered.toSorted(), soon).toEqual(ids)
      await setBack()
      await consume()
      await expect.poll(() => delivered.toSorted(), soon).toEqual(twice)
      expect(await effects()).toEqual(ids)

      // That it is the mark, and nothing else: without it the same delivery has its effect again.
      await world.database.transaction(async (tx) => void (await tx.deleteFrom('processedEvent').execute()))
      await setBack()
      await consume()
      await expect.poll(effects, soon).toEqual(twice)
      expect(world.warnings).toEqual([])
    })

    it('because the relay has sent it twice, has its effect once', async () => {
      await bus.publish(events)
      await bus.publish(events)
      await consume()
      await expect.poll(() => delivered.toSorted(), soon).toEqual(twice)
      expect(await effects()).toEqual(ids)
      expect(world.warnings).toEqual([])
    })
  })
})
