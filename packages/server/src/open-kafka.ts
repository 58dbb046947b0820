import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { KafkaBus, KafkaBusOptions } from './adapters/event-bus/kafka.ts'
import { KafkaRefusal } from './adapters/event-bus/kafka-refusals.ts'
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

/** Why Kafka cannot be used, as one sentence without its full stop, where a setting mends it; undefined where it is only away. */
export function kafkaRefusal(error: unknown): { what: string; way: string } | undefined {
  return error instanceof KafkaRefusal ? error : undefined
}

type FileKey = 'caFile' | 'certFile' | 'keyFile'

/** @throws {StartError} for a file that is not what it is to be: the client would say so in the words of OpenSSL, or not at all. */
function tlsOf({ kafka: { tls } }: Config): KafkaBusOptions['tls'] {
  if (!tls.enabled) return
  const [ca, cert, key] = [readPem(tls, 'caFile'), readPem(tls, 'certFile'), readPem(tls, 'keyFile')]
  if (ca) parsed(tls, { key: 'caFile', what: 'certificate' }, () => new X509Certificate(ca))
  if (cert && key) {
    const certificate = parsed(tls, { key: 'certFile', what: 'certificate' }, () => new X509Certificate(cert))
    const privateKey = parsed(tls, { key: 'keyFile', what: 'key without a passphrase' }, () => createPrivateKey(key))
    if (!certificate.checkPrivateKey(privateKey)) {
      throw new StartError(`${tls.keyFile} is not the key of ${tls.certFile}: correct kafka.tls.keyFile or kafka.tls.certFile.`)
    }
  }
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
}

function readPem(tls: Config['kafka']['tls'], key: FileKey): string | undefined {
  const path = tls[key]
  if (path === undefined) return
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new StartError(`${path} cannot be read (${code}): correct kafka.tls.${key}, or let this user read the file.`, { cause: error })
  }
}

/** Without a cause: what OpenSSL says of a key is of no help, and of a key nothing is to be repeated. */
function parsed<T>(tls: Config['kafka']['tls'], { key, what }: { key: FileKey; what: string }, parse: () => T): T {
  try {
    return parse()
  } catch {
    throw new StartError(`${tls[key]} holds no ${what} in PEM: correct kafka.tls.${key}.`)
  }
}
