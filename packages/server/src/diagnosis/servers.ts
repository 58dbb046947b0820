import type { KafkaBus } from '../adapters/event-bus/kafka.ts'
import { openRedis } from '../adapters/redis/connection.ts'
import type { Config } from '../config.ts'
import { StartError } from '../core/start-error.ts'
import { within } from '../core/within.ts'
import { kafkaRefusal, openKafka } from '../open-kafka.ts'
import { good, warning, wrong, type Finding } from './finding.ts'

const answerMsMax = 10_000
/** Redis 6.2 is the oldest that is still in use; nothing older was tried. */
const redisMajorMin = 6
const slowMs = 20
/** Whoever reads from Kafka. A test holds it against those that there are. */
export const consumerNames = ['follow-notifications'] as const
const lagWarning = 1_000
const lagWrong = 10_000

/** Nothing where none is configured. */
export async function diagnoseRedis({ redis }: Config): Promise<Finding[]> {
  if (redis.url === undefined) return []
  let reason: unknown
  const { client, close } = await openRedis({ url: redis.url, onChange: (_, error) => (reason ??= error) })
  try {
    const startedMs = performance.now()
    const info = await answered(client.info('server'))
    const latencyMs = performance.now() - startedMs
    const [, text = 'of an unknown version', major = '0'] = /redis_version:((\d+)\S*)/.exec(info) ?? []
    const found = `Redis ${text} answers within ${latencyMs.toFixed(1)} ms.`
    if (Number(major) < redisMajorMin)
      return [wrong('redis', found, `It is too old: Pinstack is tried with Redis ${redisMajorMin} and newer.`)]
    if (latencyMs > slowMs)
      return [warning('redis', found, 'What takes longer than the database is no cache: bring it nearer, or leave it out.')]
    return [good('redis', found)]
  } catch (error) {
    const { message } = (reason ?? error) as Error
    return [
      wrong(
        'redis',
        `Redis cannot be used: ${message}.`,
        'Start it, or correct redis.url. Until then each process limits and caches for itself.',
      ),
    ]
  } finally {
    close()
  }
}

/** Nothing where none is configured. */
export async function diagnoseKafka(config: Config): Promise<Finding[]> {
  let bus: KafkaBus | undefined
  try {
    bus = await openKafka(config, { warn() {} })
  } catch (error) {
    if (!(error instanceof StartError)) throw error
    return [wrong('kafka', error.message, 'Until then no process with the role worker starts.')]
  }
  if (!bus) return []
  try {
    await answered(bus.ping())
    const answers = good('kafka', `The brokers at ${config.kafka.brokers.join(', ')} answer.`)
    try {
      const lags = await Promise.all(consumerNames.map(async (name) => ({ name, lag: await answered(bus.lag(name)) })))
      return [answers, ...lags.map(ofLag)]
    } catch (error) {
      if ((error as { type?: string }).type !== 'UNKNOWN_TOPIC_OR_PARTITION') throw error
      return [answers, good('consumers', 'There are no topics yet: the first worker makes them.')]
    }
  } catch (error) {
    const { what, way } = kafkaRefusal(error) ?? { what: (error as Error).message, way: 'start the brokers, or correct kafka.brokers' }
    const fix = `${way[0]!.toUpperCase()}${way.slice(1)}. Until then events wait in the outbox; nothing is lost.`
    return [wrong('kafka', `Kafka at ${config.kafka.brokers.join(', ')} cannot be used: ${what}.`, fix)]
  } finally {
    await answered(bus.close()).catch(() => {}) // a client that still tries to connect is not waited for
  }
}

function ofLag({ name, lag }: { name: string; lag: number }): Finding {
  const found = `${name} is ${lag} events behind what is in Kafka.`
  const fix = 'Is a process with the role worker running? When all of them are busy, start more: they share the partitions.'
  if (lag >= lagWrong) return wrong('consumers', found, fix)
  return lag >= lagWarning ? warning('consumers', found, fix) : good('consumers', found)
}

const answered = <T>(work: Promise<T>) => within(answerMsMax, work, `no answer within ${answerMsMax / 1_000} s`)
