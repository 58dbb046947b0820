import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isPinstackError } from '../src/client.ts'
import { record, registered, startServer, type RunningServer } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

const users = async () => Promise.all([registered(server.url), registered(server.url)])
const code = (call: Promise<unknown>) =>
  call.then(
    () => 'fulfilled',
    (error: unknown) => (isPinstackError(error) ? error.code : error),
  )

async function all<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const list: Item[] = []
  for await (const item of items) list.push(item)
  return list
}

describe('posts', () => {
  it('are made, changed, emptied, listed and deleted', async () => {
    const [ann, bob] = await users()
    const picture = { url: 'https://example.com/a.png', type: 'image' as const, position: 1 }
    const post = await ann.pinstack.posts.create({
      title: 'Hello',
      content: 'The first of many.',
      tags: ['ann', 'intro'],
      media: [picture],
    })
    expect(post).toMatchObject({
      title: 'Hello',
      author: { username: ann.username },
      media: [picture],
      tags: [{ name: 'ann' }, { name: 'intro' }],
    })
    expect(await bob.pinstack.posts.get(post.id)).toEqual(post)
    expect(await ann.pinstack.posts.update(post.id, { title: 'Hello again', content: null, media: [] })).toMatchObject({
      title: 'Hello again',
      content: null,
      media: [],
      tags: post.tags,
    })
    expect(await code(bob.pinstack.posts.update(post.id, { title: 'Mine now' }))).toBe('auth.forbidden')
    await ann.pinstack.posts.delete(post.id)
    expect(await code(ann.pinstack.posts.get(post.id))).toBe('posts.not_found')
    expect(await code(ann.pinstack.posts.create({ title: 'x', content: 'too short a title' }))).toBe('input.invalid')
  })

  it('come newest first, by the page, and of an author, a tag or a time', async () => {
    const recorder = record()
    const ann = await registered(server.url, { fetch: recorder.fetch })
    for (let i = 0; i < 5; i++)
      await ann.pinstack.posts.create({
        title: `Post ${i}`,
        content: 'Much the same.',
        tags: [`tag-${ann.username}`, i % 2 ? 'odd' : 'even'],
      })
    const authorId = ann.session().userId
    const own = await all(ann.pinstack.posts.list({ authorId }, { limit: 2 }))
    expect(own.map(({ title }) => title)).toEqual(['Post 4', 'Post 3', 'Post 2', 'Post 1', 'Post 0'])
    expect(recorder.count('posts.list')).toBe(3)
    const pages: number[] = []
    for await (const page of ann.pinstack.posts.list({ authorId, tag: 'even' }, { limit: 2 }).pages()) pages.push(page.items.length)
    expect(pages).toEqual([2, 1])
    expect((await all(ann.pinstack.posts.list({ authorId, createdAfter: own[2]!.createdAt }))).every(({ id }) => id > own[2]!.id)).toBe(
      true,
    )
  })
})

it('follows, asks who follows whom, and unfollows', async () => {
  const [ann, bob] = await users()
  const [annId, bobId] = [ann.session().userId, bob.session().userId]
  expect([await ann.pinstack.relations.follow(bobId), await ann.pinstack.relations.follow(bobId)]).toEqual([true, false])
  expect(await code(ann.pinstack.relations.follow(annId))).toBe('relations.self_follow')
  expect(await code(ann.pinstack.relations.follow(999_999))).toBe('users.not_found')
  expect((await all(bob.pinstack.relations.followers(bobId))).map(({ userId, username }) => [userId, username])).toEqual([
    [annId, ann.username],
  ])
  expect((await all(bob.pinstack.relations.followees(annId, { limit: 1 }))).map(({ userId }) => userId)).toEqual([bobId])
  expect(await bob.pinstack.relations.status([annId, 999_999])).toEqual([
    { userId: annId, following: false, followedBy: true },
    { userId: 999_999, following: false, followedBy: false },
  ])
  expect(await bob.pinstack.relations.counts(bobId)).toEqual({ followers: 1, followees: 0 })
  expect([await ann.pinstack.relations.unfollow(bobId), await ann.pinstack.relations.unfollow(bobId)]).toEqual([true, false])
})

it('sends notifications, lists, reads and removes them', async () => {
  const [ann, bob] = await users()
  const to = bob.session().userId
  const ids: number[] = []
  for (let i = 0; i < 3; i++) ids.push(await ann.pinstack.notifications.send({ userId: to, type: 'note', payload: { i } }))
  ids.push(await ann.pinstack.notifications.send({ userId: to, type: 'bare' }))
  const { notifications } = bob.pinstack
  const feed = await all(notifications.feed({ limit: 2 }))
  expect(feed.map(({ id }) => id)).toEqual(ids.toReversed())
  expect([feed[0], feed[1]!.payload]).toEqual([expect.not.objectContaining({ payload: expect.anything() }), { i: 2 }])
  expect(await notifications.unreadCount()).toBe(4)
  expect([await notifications.read(ids[0]!), await notifications.read(ids[0]!)]).toEqual([true, false])
  expect((await notifications.get(ids[0]!)).readAt).not.toBeNull()
  expect([await notifications.readAll(), await notifications.readAll(), await notifications.unreadCount()]).toEqual([3, 0, 0])
  expect([await notifications.remove(ids[0]!), await notifications.remove(ids[0]!)]).toEqual([true, false])
  expect(await code(notifications.get(ids[0]!))).toBe('notifications.not_found')
  expect(await code(ann.pinstack.notifications.get(ids[1]!))).toBe('notifications.access_denied')
})
