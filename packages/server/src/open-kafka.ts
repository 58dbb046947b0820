import { readFileSync } from 'node:fs'
import type { KafkaBus, KafkaBusOptions } from './adapters/event-bus/kafka.ts'
import type { Config } from './config.ts'
import { StartError } from './core/start-error.ts'
import type { EventType } from './events.ts'
import { topicOf } from './extension/check-features.ts'
import type { Feature } from './extension/feature.ts'
import { topicOfType } from './outbox/topics.ts'

const dayMs = 86_400_000

/** What `kafka.brokers` names; without it not even the client is loaded. It connects by itself, and goes on trying. */
export async function openKafka(
  config: Config,
  { warn, features = [] }: Pick<KafkaBusOptions, 'warn'> & { features?: readonly Feature[] },
): Promise<KafkaBus | undefined> {
  const { brokers, clientId, topics, createTopics, sessionTimeout, sasl } = config.kafka
  if (brokers.length === 0) return
  const added = new Map(features.flatMap((feature) => (feature.events ?? []).map((type) => [type as string, topicOf(feature)])))
  const tls = tlsOf(config)
  const { kafkaBus } = await import('./adapters/event-bus/kafka.ts')
  return kafkaBus({
    brokers,
    clientId,
    ...(tls && { tls }),
    ...(sasl.mechanism && { sasl: { mechanism: sasl.mechanism, username: sasl.username!, password: sasl.password! } }),
    topics: [...new Set([...Object.values(topics), ...added.values()])],
    topicOf(type) {
      const own = added.get(type)
      if (own !== undefined) return { name: own, times: 'iso' }
      const topic = topicOfType[type as EventType]
      // The readers of this one were there before Pinstack was, and read times as Go prints them.
      return { name: topics[topic], times: topic === 'relation' ? 'go' : 'iso' }
    },
    sessionMs: sessionTimeout,
    createTopics: createTopics ? { retentionMs: config.outbox.retentionDays * dayMs } : undefined,
    warn,
  })
}

function tlsOf({ kafka: { tls } }: Config): KafkaBusOptions['tls'] {
  if (!tls.enabled) return
  const read = (key: 'caFile' | 'certFile' | 'keyFile') => {
    const path = tls[key]
    if (path === undefined) return
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new StartError(`${path} cannot be read (${code}): correct kafka.tls.${key}, or let this user read the file.`, { cause: error })
    }
  }
  const [ca, cert, key] = [read('caFile'), read('certFile'), read('keyFile')]
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}
