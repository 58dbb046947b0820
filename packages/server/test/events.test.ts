import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { loadConfig } from '../src/config.ts'
import type { EventType } from '../src/events.ts'
import { topicOfType } from '../src/outbox/topics.ts'
import { client, eventsOf, signUp } from './accounts.ts'
import { deliverAll } from './follows.ts'
import { onEachDatabase } from './matrix.ts'

const documented = join(import.meta.dirname, '../../../docs/events.md')

/** The compiler adds whoever is missing here; docs/events.md and what is really emitted are held against it. */
const everyType: Record<EventType, true> = {
  user_registered: true,
  user_updated: true,
  user_deleted: true,
  user_suspended: true,
  user_restored: true,
  session_revoked: true,
  post_created: true,
  post_updated: true,
  post_deleted: true,
  follow_created: true,
  follow_deleted: true,
  notification_created: true,
  notification_read: true,
  notification_removed: true,
}

async function tables() {
  const text = await readFile(documented, 'utf8')
  const words = (cell: string) => [...cell.matchAll(/`([\w-]+)`/g)].map(([, word]) => word!)
  const rows = (part: string) => [...part.matchAll(/^\| `([\w-]+)` \| (.*?) \| (.*?) \|/gm)]
  const [events, consumers] = text.split('## Consumers') as [string, string]
  return {
    events: rows(events).map(([, type, key, payload]) => ({ type: type!, key: words(key!), payload: words(payload!) })),
    consumers: rows(consumers).map(([, group, types]) => ({ group: group!, types: words(types!) })),
  }
}

it('docs/events.md has each topic with what it holds', async () => {
  const text = await readFile(documented, 'utf8')
  const rows = [...text.matchAll(/^\| ([a-z]+-events) \| (.+) \|$/gm)].map(([, topic, types]) => [topic, types!.split(', ')])
  const { topics } = loadConfig({}).config.kafka
  const found = Object.entries(topics).map(([name, topic]) => [
    topic,
    Object.keys(everyType).filter((type) => topicOfType[type as EventType] === name),
  ])
  expect(rows).toEqual(found)
})

onEachDatabase('docs/events.md', (world) => {
  it('has a row for each event that there is, with its key and its payload, and no other row', async () => {
    const { app } = world
    const [ann, bob] = [await signUp(app, 'ann'), await signUp(app, 'bob')]
    await app.users.update(ann.viewer, ann.id, { bio: 'Hello.' })
    const post = await app.posts.create(ann.viewer, { title: 'A title', content: 'Some content.', tags: ['tag'] })
    await app.posts.update(ann.viewer, post.id, { title: 'Another title' })
    await app.posts.remove(ann.viewer, post.id)
    await app.relations.follow(ann.id, bob.id)
    await deliverAll(world)
    await app.relations.unfollow(ann.id, bob.id)
    await deliverAll(world)
    const { id } = await app.notifications.send(ann.viewer, { userId: bob.id, type: 'poke' })
    await app.notifications.read(bob.viewer, id)
    await app.auth.changePassword(ann.viewer, { oldPassword: 'correct horse', newPassword: 'another horse' })
    await app.auth.logout(bob.pair.refreshToken, client)
    await app.auth.suspend({ kind: 'host' }, bob.id, { reason: 'spam', until: null })
    await app.auth.restore({ kind: 'host' }, bob.id)
    await app.users.remove(ann.viewer, ann.id)

    const { events } = await tables()
    const rows = new Map(events.map((row) => [row.type, row]))
    expect(rows.size).toBe(events.length)
    const emitted = await eventsOf(world)
    for (const [type, key, payload] of emitted as [string, number, Record<string, unknown>][]) {
      const row = rows.get(type)!
      expect([type, Object.keys(payload)]).toEqual([type, row.payload])
      expect([type, row.key.map((name) => payload[name])]).toEqual([type, [key]])
    }
    const types = Object.keys(everyType).sort()
    expect([...rows.keys()].sort()).toEqual(types)
    expect([...new Set(emitted.map(([type]) => type))].sort()).toEqual(types)
  })

  it('has a row for each consumer, with what it takes', async () => {
    const { consumers } = await tables()
    expect(consumers).toEqual(world.app.consumers.map(({ name, types }) => ({ group: name, types })))
  })
})
