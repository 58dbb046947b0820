import { beforeEach, describe, expect, it } from 'vitest'
import { eventsOf, signUp, signUpAdmin, type SignedUp } from '../../../test/accounts.ts'
import { addUsers, deliverAll, expectNoRetry, recountFollows } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'

onEachDatabase('notifications', (world) => {
  let ann: SignedUp
  let bob: SignedUp
  beforeEach(async () => {
    ann = await signUp(world.app, 'ann')
    bob = await signUp(world.app, 'bob')
  })
  const notifications = () => world.app.notifications
  const refused = (code: string) => expect.objectContaining({ code })
  const feedOf = ({ viewer }: SignedUp, limit = 100) => notifications().feed(viewer, { start: { cursor: undefined }, limit })
  const itemsOf = async (user: SignedUp) => (await feedOf(user)).items
  const unreadOf = async ({ viewer }: SignedUp) => (await notifications().unreadCount(viewer)).count
  const send = (from: SignedUp, to: SignedUp, type = 'hello', payload?: unknown) =>
    notifications().send(from.viewer, { userId: to.id, type, payload })
  const notificationEvents = async () => (await eventsOf(world)).filter(([type]) => type.startsWith('notification_'))
  const follow = (from: SignedUp, to: SignedUp) => world.app.relations.follow(from.id, to.id)
  const unfollow = (from: SignedUp, to: SignedUp) => world.app.relations.unfollow(from.id, to.id)

  describe('that users send', () => {
    it('arrive with their sender, at once', async () => {
      const { id } = await send(ann, bob, 'poke', { b: 1, aa: 2 })
      const arrived = {
        id,
        userId: bob.id,
        type: 'poke',
        origin: 'user',
        senderId: ann.id,
        payload: { b: 1, aa: 2 },
        createdAt: '2026-01-01T00:00:00.000Z',
        readAt: null,
      }
      expect(await feedOf(bob)).toEqual({ items: [arrived], total: 1, nextCursor: null })
      expect(await notifications().byId(bob.viewer, id)).toEqual(arrived)
      expect([await unreadOf(bob), await unreadOf(ann)]).toEqual([1, 0])
      expect(await notificationEvents()).toEqual([['notification_created', bob.id, { notification_id: id, user_id: bob.id, type: 'poke' }]])
    })

    it('may go to oneself, and tell no payload from one of null', async () => {
      await send(ann, ann, 'a')
      await send(ann, ann, 'b', null)
      const [b, a] = await itemsOf(ann)
      expect([a, b].map((item) => ['payload' in item!, item!.payload])).toEqual([
        [false, undefined],
        [true, null],
      ])
    })

    it('cannot pass for what the system reports, and neither hide it nor vanish with it', async () => {
      const forged = { follower_id: ann.id, followee_id: bob.id, timestamptz: '2026-01-01T00:00:00.000Z' }
      await send(ann, bob, 'follow_created', forged)
      await deliverAll(world)
      expect(await itemsOf(bob)).toMatchObject([{ type: 'follow_created', origin: 'user', senderId: ann.id }])
      await follow(ann, bob)
      await deliverAll(world)
      expect((await itemsOf(bob)).map(({ origin, senderId }) => [origin, senderId])).toEqual([
        ['system', null],
        ['user', ann.id],
      ])
      await unfollow(ann, bob)
      await deliverAll(world)
      expect((await itemsOf(bob)).map(({ origin }) => origin)).toEqual(['user'])
      await recountFollows(world)
    })

    it('are refused for what is wrong with them, and for whom nobody is', async () => {
      const to = (userId: number, type: string, payload?: unknown) => notifications().send(ann.viewer, { userId, type, payload })
      for (const type of ['', 'a\0', 'a'.repeat(256)]) await expect(to(bob.id, type)).rejects.toEqual(refused('input.invalid'))
      await expect(to(bob.id, 'a', 'x\0')).rejects.toEqual(refused('input.invalid'))
      await expect(to(bob.id + 1000, 'a')).rejects.toEqual(refused('users.not_found'))
      await world.app.users.remove(bob.viewer, bob.id)
      await expect(to(bob.id, 'a')).rejects.toEqual(refused('users.not_found'))
      expect(await notificationEvents()).toEqual([])
    })

    it('are 120 a minute from one sender', async () => {
      for (let i = 0; i < 120; i++) await send(ann, bob)
      await expect(send(ann, bob)).rejects.toEqual(refused('limit.exceeded'))
      await send(bob, ann)
      expect(await unreadOf(bob)).toBe(120)
      await recountFollows(world)
    })

    it('can be switched off, but for admins', async () => {
      const admin = await signUpAdmin(world.app, 'root')
      const settings = { createByUsers: true, sendByUsers: false, accessTtlMs: 900_000, refreshTtlMs: 9e9, issuer: '', audience: '' }
      const closed = world.composeAgain({ settings }).notifications
      const hello = { userId: bob.id, type: 'hello' }
      await expect(closed.send(ann.viewer, hello)).rejects.toEqual(refused('notifications.sending_disabled'))
      await expect(closed.send(ann.viewer, { ...hello, type: '' })).rejects.toEqual(refused('input.invalid'))
      await closed.send(admin.viewer, hello)
      await follow(ann, bob)
      await deliverAll(world)
      expect(await unreadOf(bob)).toBe(2)
    })
  })

  describe('read and removed', () => {
    it('once each, with counters and events', async () => {
      const [{ id: one }, { id: two }, { id: three }] = [await send(ann, bob, 'x'), await send(ann, bob, 'y'), await send(ann, bob, 'z')]
      world.clock.advance(1000)
      const read = (id: number) => notifications().read(bob.viewer, id)
      expect([await read(one), await read(one)]).toEqual([{ changed: true }, { changed: false }])
      expect((await notifications().byId(bob.viewer, one)).readAt).toBe('2026-01-01T00:00:01.000Z')
      const remove = (id: number) => notifications().remove(bob.viewer, id)
      expect([await remove(one), await remove(two), await remove(two)]).toEqual([{ removed: true }, { removed: true }, { removed: false }])
      expect([await unreadOf(bob), (await feedOf(bob)).total]).toEqual([1, 1])
      expect((await itemsOf(bob)).map(({ id }) => id)).toEqual([three])
      await recountFollows(world)
      expect((await notificationEvents()).slice(3)).toEqual([
        ['notification_read', bob.id, { notification_id: one, user_id: bob.id, type: 'x' }],
        ['notification_removed', bob.id, { notification_id: one, user_id: bob.id, type: 'x' }],
        ['notification_removed', bob.id, { notification_id: two, user_id: bob.id, type: 'y' }],
      ])
    })

    it('by their recipient alone, whoever sent them', async () => {
      const { id } = await send(ann, bob)
      const { byId, read, remove } = notifications()
      for (const act of [byId, read, remove]) await expect(act(ann.viewer, id)).rejects.toEqual(refused('notifications.access_denied'))
      for (const act of [byId, read]) await expect(act(ann.viewer, id + 1)).rejects.toEqual(refused('notifications.not_found'))
      expect(await unreadOf(bob)).toBe(1)
    })

    it('all at once, in batches, each with its event', async () => {
      const [star] = await addUsers(world, ['star'])
      await world.database.transaction(async (tx) => {
        const row = { userId: bob.id, type: 't', origin: 'user', senderId: star, payload: null, sourceKey: null, createdAt: '' } as const
        for (let i = 0; i < 250; i++)
          await tx
            .insertInto('notification')
            .values({ ...row, readAt: i % 5 ? null : 'then' })
            .execute()
        await tx.updateTable('user').where('id', '=', bob.id).set({ notificationCount: 250, unreadCount: 200 }).execute()
      })
      await send(bob, ann)
      expect(await notifications().readAll(bob.viewer)).toEqual({ changed: 200 })
      expect(await notifications().readAll(bob.viewer)).toEqual({ changed: 0 })
      expect([await unreadOf(bob), await unreadOf(ann), (await feedOf(bob)).total]).toEqual([0, 1, 250])
      await recountFollows(world)
      const read = (await notificationEvents()).filter(([type]) => type === 'notification_read')
      expect([read.length, new Set(read.map(([, , payload]: any) => payload.notification_id)).size]).toEqual([200, 200])
    })

    it('with the right counters, however many do it at once', async () => {
      const ids = await Promise.all(Array.from({ length: 20 }, async (_, i) => (await send(ann, bob, `${i}`)).id))
      await expectNoRetry(world, async () => {
        const { read, remove, readAll } = notifications()
        await Promise.all(
          ids.flatMap((id, i) => [
            read(bob.viewer, id).catch(() => {}),
            i % 2 ? remove(bob.viewer, id) : read(bob.viewer, id),
            i % 5 ? send(ann, bob) : readAll(bob.viewer),
          ]),
        )
        await recountFollows(world)
        expect((await feedOf(bob)).total).toBe(10 + 16)
      })
    })
  })

  describe('in a feed', () => {
    it('are newest first, by cursor and by number, with the total', async () => {
      const sent: number[] = []
      for (let i = 0; i < 7; i++) sent.unshift((await send(ann, bob, `${i}`)).id)
      await send(bob, ann)
      const ids = async (start: { cursor: number | undefined } | { offset: number }, limit = 3) => {
        const { items, total, nextCursor } = await notifications().feed(bob.viewer, { start, limit })
        return [items.map(({ id }) => id), total, nextCursor]
      }
      expect(await ids({ cursor: undefined })).toEqual([sent.slice(0, 3), 7, sent[2]])
      await send(ann, bob, 'in between')
      expect(await ids({ cursor: sent[2] })).toEqual([sent.slice(3, 6), 8, sent[5]])
      expect(await ids({ cursor: sent[5] })).toEqual([sent.slice(6), 8, null])
      expect(await ids({ offset: 6 }, 2)).toEqual([sent.slice(5), 8, null])
      expect(await ids({ offset: 8 })).toEqual([[], 8, null])
    })

    it('take as many queries for a page of 100 as for a page of 1', async () => {
      for (let i = 0; i < 110; i++) await send(ann, bob)
      const queries = (limit: number) => world.countQueries(async () => expect((await feedOf(bob, limit)).items).toHaveLength(limit))
      expect([await queries(1), await queries(100)]).toEqual([2, 2])
      expect(await world.countQueries(() => unreadOf(bob))).toBe(1)
    })
  })

  describe('of follows', () => {
    it('come once, however often the event does', async () => {
      await follow(ann, bob)
      await deliverAll(world)
      await deliverAll(world)
      const payload = { followee_id: bob.id, follower_id: ann.id, timestamptz: '2026-01-01T00:00:00.000Z' }
      const [item, ...others] = await itemsOf(bob)
      expect(others).toEqual([])
      expect(item).toMatchObject({ type: 'follow_created', origin: 'system', senderId: null, payload, readAt: null })
      const event = { notification_id: item!.id, user_id: bob.id, type: 'follow_created' }
      expect(await notificationEvents()).toEqual([['notification_created', bob.id, event]])
      await recountFollows(world)
    })

    it('are withdrawn by an unfollow while they are unread, and stay when they were read', async () => {
      await follow(ann, bob)
      await deliverAll(world)
      await unfollow(ann, bob)
      await deliverAll(world)
      expect([await itemsOf(bob), await unreadOf(bob)]).toEqual([[], 0])
      expect((await notificationEvents()).map(([type]) => type)).toEqual(['notification_created', 'notification_removed'])

      world.clock.advance(1000)
      await follow(ann, bob)
      await deliverAll(world)
      await notifications().readAll(bob.viewer)
      await unfollow(ann, bob)
      await deliverAll(world)
      expect(await itemsOf(bob)).toMatchObject([{ readAt: expect.any(String) }])
      world.clock.advance(1000)
      await follow(ann, bob)
      await deliverAll(world)
      expect((await itemsOf(bob)).map(({ readAt }) => readAt === null)).toEqual([true, false])
      await recountFollows(world)
    })

    it('are none for a follow that is over before its event comes', async () => {
      await follow(ann, bob)
      await unfollow(ann, bob)
      world.clock.advance(1000)
      await follow(ann, bob)
      await deliverAll(world)
      expect(await itemsOf(bob)).toHaveLength(1)
      expect(await notificationEvents()).toHaveLength(1)
    })

    it('are none for who is gone, and go with the follower', async () => {
      const cyd = await signUp(world.app, 'cyd')
      await follow(ann, bob)
      await follow(cyd, bob)
      await follow(bob, cyd)
      await world.app.users.remove(cyd.viewer, cyd.id)
      await deliverAll(world)
      expect(await itemsOf(bob)).toHaveLength(2)
      expect(await world.database.db.selectFrom('notification').where('userId', '=', cyd.id).selectAll().execute()).toEqual([])
      while (await world.app.jobs.purgeDeletedUsers());
      await deliverAll(world)
      expect((await itemsOf(bob)).map(({ payload }) => payload)).toMatchObject([{ follower_id: ann.id }])
      await recountFollows(world)
    })

    it('are made in batches without a deadlock, while the same users follow each other', async () => {
      const users = await addUsers(world, ['a', 'b', 'c', 'd', 'e', 'f'])
      const pairs = users.flatMap((from) => users.filter((to) => to !== from).map((to) => [from, to] as const))
      await expectNoRetry(world, async () => {
        for (let round = 0; round < 3; round++) {
          let going = true
          const consuming = (async () => {
            while (going) await deliverAll(world)
          })()
          await Promise.all(pairs.toReversed().map(([from, to]) => world.app.relations.follow(from, to)))
          await Promise.all(pairs.map(([from, to], i) => i % 2 && world.app.relations.unfollow(from, to)))
          going = false
          await consuming
          await deliverAll(world)
          await recountFollows(world)
          const rows = await world.database.db.selectFrom('notification').select(['sourceKey']).where('readAt', 'is', null).execute()
          expect(rows).toHaveLength(pairs.length / 2)
          for (const [from, to] of pairs) await world.app.relations.unfollow(from, to)
        }
      })
    })
  })

  it('go with the account of their recipient; what a user sent stays with whom it was sent to', async () => {
    for (let i = 0; i < 3; i++) {
      await send(bob, ann)
      await send(ann, bob)
    }
    await world.app.users.remove(ann.viewer, ann.id)
    while (await world.app.jobs.purgeDeletedUsers());
    expect((await itemsOf(bob)).map(({ senderId }) => senderId)).toEqual([ann.id, ann.id, ann.id])
    expect(await world.database.db.selectFrom('notification').where('userId', '=', ann.id).selectAll().execute()).toEqual([])
    expect(await world.database.db.selectFrom('user').select('id').execute()).toEqual([{ id: bob.id }])
    await recountFollows(world)
  })
})
