import kafkajs from 'kafkajs'

/** Everything that lies in the topic, each partition in its order. */
export async function readTopic(brokers: string[], topic: string): Promise<{ id: string; key: number }[]> {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const admin = kafka.admin()
  await admin.connect()
  const ends = (await admin.fetchTopicOffsets(topic)).filter(({ high }) => Number(high) > 0)
  await admin.disconnect()
  const left = new Set(ends.map(({ partition }) => partition))
  const found: { id: string; key: number }[] = []
  const all = Promise.withResolvers<void>()
  const reader = kafka.consumer({ groupId: `reader-${topic}` })
  await reader.connect()
  await reader.subscribe({ topic, fromBeginning: true })
  await reader.run({
    async eachMessage({ partition, message: { key, headers, offset } }) {
      found.push({ id: String(headers!.event_id), key: Number(key) })
      if (Number(offset) + 1 >= Number(ends.find((end) => end.partition === partition)!.high)) left.delete(partition)
      if (left.size === 0) all.resolve()
    },
  })
  await all.promise
  await reader.disconnect()
  return found
}
