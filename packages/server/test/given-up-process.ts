/**
 * One process of test/services/silent-consumer.test.ts: `node given-up-process.ts BROKER TOPIC` gives up consumers that are still joining
 * their group, closes, and has nothing left to do. Says how many were given up; it ends when nothing of them goes on.
 */
import { kafkaBus } from '../src/adapters/event-bus/kafka.ts'

const givenUpMin = 2
const [broker, topic] = process.argv.slice(2) as [string, string]
const enough = Promise.withResolvers<void>()
let givenUp = 0
const bus = kafkaBus({
  brokers: [broker],
  clientId: topic,
  topics: [topic],
  topicOf: () => ({ name: topic, times: 'iso' }),
  createTopics: { retentionMs: 86_400_000 },
  silentMs: 200,
  warn(_, { err }) {
    if (!(err instanceof Error) || err.message !== 'the Kafka consumer has stopped without a word') return
    if (++givenUp === givenUpMin) enough.resolve()
  },
})
await bus.subscribe('group', ['user_registered'], async () => {})
await enough.promise
await bus.close()
process.send!(givenUp)
process.disconnect()
