import kafkajs from 'kafkajs'
import { afterEach, expect, it } from 'vitest'
import { createServer, type Server } from '../../src/server.ts'
import { onKafka, ownKafkaNames } from '../kafka.ts'
import { reaction, trouble } from '../reaction-feature.ts'
import { call, quietly, register, testConfig } from '../serve.ts'

onKafka('events of a feature', (brokers) => {
  let server: Server<any> | undefined
  afterEach(() => server?.close())

  it('are in a topic of their own, by the key of the user whom they concern, and come back to the feature by it', async () => {
    Object.assign(trouble, { failing: false, jobs: 3, closed: 0 })
    const names = ownKafkaNames(brokers)
    const topic = `${names['kafka.clientId']}-reactions`
    server = await createServer(testConfig(names), { ...quietly, features: [{ ...reaction, topic }] })
    const { apiUrl } = await server.listen()
    const [author, fan] = await Promise.all(
      ['author', 'fan'].map(async (name) => (await register(apiUrl, name)).body.data.access_token as string),
    )
    const body = { title: 'A title', content: 'Words that are long enough' }
    const post = (await call(apiUrl, 'POST', '/api/v1/posts', { token: author!, body })).body.data
    await call(apiUrl, 'POST', `/api/v1/posts/${post.id}/reactions`, { token: fan!, body: { kind: 'love' } })

    const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
    const reader = kafka.consumer({ groupId: `${topic}-test` })
    const first = Promise.withResolvers<{ key: string; value: unknown; type: string }>()
    await expect
      .poll(
        () =>
          reader
            .connect()
            .then(() => reader.subscribe({ topic, fromBeginning: true }))
            .then(
              () => 'there',
              () => 'waiting',
            ),
        { timeout: 30_000 },
      )
      .toBe('there')
    await reader.run({
      eachMessage: async ({ message: { key, value, headers } }) =>
        first.resolve({ key: String(key), value: JSON.parse(String(value)), type: String(headers?.event_type) }),
    })
    const message = await first.promise
    await reader.disconnect()
    expect(message).toEqual({
      key: String((await call(apiUrl, 'GET', '/api/v1/auth/me', { token: author! })).body.data.id),
      type: 'reaction_added',
      value: expect.objectContaining({ post_id: post.id, kind: 'love' }),
    })
    const feed = () => call(apiUrl, 'GET', '/api/v1/notification/feed', { token: author! })
    await expect.poll(async () => (await feed()).body.data.total, { timeout: 30_000 }).toBe(1)
  })
})
