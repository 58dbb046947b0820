import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdirSync, mkdtempSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import kafkajs from 'kafkajs'
import { afterEach, expect, it } from 'vitest'
import { createServer } from '../../src/server.ts'
import { addUsers } from '../follows.ts'
import { onKafka, ownKafkaNames } from '../kafka.ts'
import { openApp } from '../../src/open-app.ts'
import { quietly, testConfig } from '../serve.ts'

onKafka('examples/kafka-consumer', (brokers) => {
  const children = new Set<ChildProcess>()
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  it('counts each follow once, though it is killed and events come twice, from a Pinstack on SQLite', async () => {
    const names = ownKafkaNames(brokers)
    const topic = names['kafka.topics.relation']
    const config = testConfig(names)
    const seeding = await openApp(config, { migrate: true })
    const users = await addUsers(
      seeding,
      Array.from({ length: 12 }, (_, i) => `user${i}`),
    )
    await seeding.close()
    const server = await createServer(config, quietly)
    const project = mkdtempSync(join(tmpdir(), 'pinstack-example-'))
    cpSync(join(import.meta.dirname, '../../../../examples/kafka-consumer'), project, { recursive: true })
    mkdirSync(join(project, 'node_modules'))
    symlinkSync(dirname(createRequire(import.meta.url).resolve('kafkajs/package.json')), join(project, 'node_modules/kafkajs'))
    const env = { ...process.env, KAFKA_BROKERS: brokers.join(','), TOPIC: topic, GROUP: `${topic}-counts`, NODE_OPTIONS: '' }
    const start = async () => {
      const child = spawn(process.execPath, ['main.js'], { cwd: project, env, stdio: ['ignore', 'pipe', 'ignore'] })
      children.add(child)
      await once(child.stdout, 'data')
      return child
    }
    const counted = async () => {
      const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', 'main.js', 'show'], { cwd: project, env })
      const rows = stdout.trim().split('\n').filter(Boolean)
      return new Map(rows.map((line) => JSON.parse(line) as { user_id: number; count: number }).map((row) => [row.user_id, row.count]))
    }

    const { relations } = server.app
    const expected = new Map<number, number>()
    const first = await start()
    for (const [i, from] of users.entries()) {
      for (const to of users.slice(i + 1)) {
        await relations.follow(from, to)
        expected.set(to, (expected.get(to) ?? 0) + 1)
      }
      if (i === 4) {
        first.kill('SIGKILL')
        await once(first, 'exit')
      }
    }
    await relations.unfollow(users[0]!, users[11]!)
    expected.set(users[11]!, expected.get(users[11]!)! - 1)
    await expect
      .poll(() => server.app.notifications.unreadCount({ id: users[11]!, role: 'user', sessionId: '' }), { timeout: 20_000 })
      .toEqual({
        count: 10,
      })
    await copyAll(brokers, topic) // the whole topic once more, as an outage may have it at its worst

    const second = await start()
    await expect.poll(counted, { timeout: 40_000, interval: 200 }).toEqual(expected)
    second.kill('SIGTERM')
    expect(await once(second, 'exit')).toEqual([0, null])
    await server.close()
  })
})

/** Writes everything that lies in the topic into it again. */
async function copyAll(brokers: string[], topic: string): Promise<void> {
  const kafka = new kafkajs.Kafka({ brokers, logLevel: kafkajs.logLevel.NOTHING })
  const [admin, producer, reader] = [kafka.admin(), kafka.producer(), kafka.consumer({ groupId: `${topic}-copy` })]
  await Promise.all([admin.connect(), producer.connect(), reader.connect()])
  const total = (await admin.fetchTopicOffsets(topic)).reduce((sum, { high }) => sum + Number(high), 0)
  const messages: kafkajs.Message[] = []
  const all = Promise.withResolvers<void>()
  await reader.subscribe({ topic, fromBeginning: true })
  await reader.run({
    async eachMessage({ message: { key, value, headers } }) {
      messages.push({ key, value, ...(headers && { headers }) })
      if (messages.length === total) all.resolve()
    },
  })
  await all.promise
  await reader.disconnect()
  await producer.send({ topic, messages })
  await Promise.all([admin.disconnect(), producer.disconnect()])
}
