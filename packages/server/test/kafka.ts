import { randomBytes } from 'node:crypto'
import { describe } from 'vitest'

/** Where scripts/services.sh has a Kafka up; without it what needs one is skipped, and says so. */
export const kafkaBrokers = process.env.TEST_KAFKA_BROKERS?.split(',')

/** Declares a suite that needs a real Kafka. A missing one skips it loudly, and fails it in CI. */
export function onKafka(title: string, suite: (brokers: string[]) => void): void {
  if (kafkaBrokers) return void describe(`${title} [kafka]`, () => suite(kafkaBrokers))
  if (process.env.CI) throw new Error('TEST_KAFKA_BROKERS is required in CI')
  describe.skip(`${title} [kafka] — TEST_KAFKA_BROKERS is not set`, () => suite([]))
}

/** Settings under which nobody else works: own topics, own groups. */
export function ownKafkaNames(brokers: readonly string[]) {
  const id = `test-${randomBytes(6).toString('hex')}`
  return {
    'kafka.brokers': brokers.join(','),
    'kafka.clientId': id,
    'kafka.topics.user': `${id}-users`,
    'kafka.topics.post': `${id}-posts`,
    'kafka.topics.relation': `${id}-relations`,
    'kafka.topics.notification': `${id}-notifications`,
  }
}
