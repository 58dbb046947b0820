import { randomBytes } from 'node:crypto'
import { onKafka } from '../../../test/kafka.ts'
import { currentCorrelation } from '../../core/correlation.ts'
import { eventBusContract } from '../../ports/event-bus.contract.ts'
import type { KafkaBus } from './kafka.ts'
import { kafkaBus } from './kafka.ts'

onKafka('Kafka bus', (brokers) => {
  let [clientId, nextId] = ['', 1]
  let publisher: KafkaBus
  eventBusContract('kafka', () => {
    const open = () =>
      kafkaBus({
        brokers,
        clientId,
        topics: [`${clientId}.users`],
        topicOf: () => ({ name: `${clientId}.users`, times: 'iso' }),
        createTopics: { retentionMs: 86_400_000 },
        warn() {},
      })
    return {
      async reset() {
        await publisher?.close()
        clientId = `test-${randomBytes(6).toString('hex')}`
        publisher = open()
      },
      open: async () => open(),
      async publish(keys) {
        const events = keys.map((key) => ({
          id: String(nextId++),
          type: 'user_registered',
          key,
          payload: { user_id: key },
          createdAt: '2026-01-01T00:00:00.000Z',
          traceparent: currentCorrelation()?.traceparent, // as the outbox notes it
        }))
        await publisher.publish(events)
        return events.map(({ id }) => id)
      },
    }
  })
})
