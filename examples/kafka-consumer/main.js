// Keeps count of everybody's followers in a database of its own, from the events that Pinstack writes to Kafka.
//
//   node main.js            counts, until it is stopped
//   node main.js show       prints what has been counted, as JSON lines
//
// Environment: KAFKA_BROKERS (127.0.0.1:9092), TOPIC (relation-events), GROUP (follower-counts), DATABASE (followers.db)
import { DatabaseSync } from 'node:sqlite'
import kafkajs from 'kafkajs'

const { KAFKA_BROKERS = '127.0.0.1:9092', TOPIC = 'relation-events', GROUP = 'follower-counts', DATABASE = 'followers.db' } = process.env

const database = new DatabaseSync(DATABASE)
database.exec(`
  create table if not exists seen (event_id text primary key, at text not null default current_timestamp) without rowid;
  create table if not exists followers (user_id integer primary key, count integer not null);
`)
const markSeen = database.prepare('insert or ignore into seen (event_id) values (?)')
const add = database.prepare(
  'insert into followers (user_id, count) values (?, ?) on conflict (user_id) do update set count = count + excluded.count',
)
const change = { follow_created: 1, follow_deleted: -1 }

if (process.argv[2] === 'show') {
  for (const row of database.prepare('select user_id, count from followers order by user_id').all()) console.log(JSON.stringify(row))
} else {
  await consume()
}

async function consume() {
  const kafka = new kafkajs.Kafka({ clientId: 'follower-counts', brokers: KAFKA_BROKERS.split(','), logLevel: kafkajs.logLevel.ERROR })
  // By default the client gives up after a few retries, and the program with it. Here an outage is waited for.
  const retry = { retries: Number.MAX_SAFE_INTEGER, maxRetryTime: 1000 }
  const consumer = kafka.consumer({ groupId: GROUP, sessionTimeout: 10_000, retry }) // one that is killed is missed after 10 s
  await consumer.connect()
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true })
  // The position in the topic is committed after `eachMessage`. If this process dies between the two, the event comes again: then it is seen.
  await consumer.run({ eachMessage: async ({ message }) => take(message) })
  console.log('ready')
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void consumer.disconnect().then(() => process.exit(0)))
}

function take({ headers, value }) {
  const delta = change[headers?.event_type?.toString()]
  if (delta === undefined) return // types that are added later are none of its business
  const { followee_id: userId } = JSON.parse(value.toString())
  // "I have seen it" and its effect are one transaction: both are there, or neither.
  database.exec('begin immediate')
  try {
    if (markSeen.run(headers.event_id.toString()).changes > 0) add.run(userId, delta)
    database.exec('commit')
  } catch (error) {
    database.exec('rollback')
    throw error // it comes again
  }
}
