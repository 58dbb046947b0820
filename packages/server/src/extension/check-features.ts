import type { Config } from '../config.ts'
import { StartError } from '../core/start-error.ts'
import { topicOfType } from '../outbox/topics.ts'
import type { Feature } from './feature.ts'

const featureName = /^[a-z][a-z0-9_]{0,31}$/
const migrationName = /^\d{4}-[a-z0-9-]{1,64}$/
const eventType = /^[a-z][a-z0-9_]{0,63}$/
const kafkaTopic = /^[a-zA-Z0-9._-]{1,249}$/
const members = new Set(['name', 'migrations', 'events', 'topic', 'create'])
/** What Pinstack's own features, and the errors of its surfaces, are called. */
const reserved = new Set(
  'auth users posts relations notifications live audit admin http input limit rpc internal unavailable user post follow session notification system'.split(
    ' ',
  ),
)

/**
 * Holds the declarations of features against what would collide or could not work, before anything is opened.
 *
 * @throws {StartError} with one sentence that names the feature and what is wrong.
 */
export function checkFeatures(features: readonly Feature[], { kafka }: Pick<Config, 'kafka'>): void {
  const names = new Set<string>()
  const types = new Set<string>(Object.keys(topicOfType))
  const topics = new Set<string>(Object.values(kafka.topics))
  for (const feature of features) {
    const { name, migrations = {}, events = [], create } = asFeature(feature)
    const refuse = (what: string) => new StartError(`The feature ${name} ${what}.`)
    if (names.has(name)) throw refuse('is there twice: give one of them another name')
    names.add(name)
    const unknown = Object.keys(feature).find((member) => !members.has(member))
    if (unknown !== undefined) throw refuse(`has a member ${unknown}, which is none of ${[...members].join(', ')}`)
    if (typeof create !== 'function') throw refuse('has no function create')
    for (const [migration, { up, down }] of Object.entries<{ up: unknown; down: unknown }>(migrations)) {
      if (!migrationName.test(migration)) throw refuse(`has a migration ${migration}, whose name is not like 0001-what-it-does`)
      if (typeof up !== 'function' || typeof down !== 'function')
        throw refuse(`has a migration ${migration} without a function up and a function down`)
    }
    for (const type of events as readonly string[]) {
      if (!eventType.test(type) || !type.startsWith(`${name}_`))
        throw refuse(`has an event type ${type}, which does not begin with ${name}_`)
      if (types.has(type)) throw refuse(`has an event type ${type} that is there already`)
      types.add(type)
    }
    const topic = topicOf(feature)
    if (!kafkaTopic.test(topic)) throw refuse(`has a topic ${topic}, which Kafka would not take`)
    if (events.length > 0 && topics.has(topic)) throw refuse(`has a topic ${topic} that is another's`)
    topics.add(topic)
  }
}

function asFeature(feature: unknown): Feature {
  const { name } = (feature ?? {}) as { name?: unknown }
  if (typeof name !== 'string' || !featureName.test(name))
    throw new StartError(`A feature must have a name of small letters, digits and _, which ${JSON.stringify(name) ?? 'none'} is not.`)
  if (reserved.has(name)) throw new StartError(`The feature ${name} has a name that is Pinstack's own: give it another.`)
  return feature as Feature
}

/** Where the feature's events go on Kafka. */
export function topicOf({ name, topic = `${name.replaceAll('_', '-')}-events` }: Feature): string {
  return topic
}
