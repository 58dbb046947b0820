import { expect, it } from 'vitest'
import { eventsOf, signUp, type SignedUp } from '../../../test/accounts.ts'
import { addUsers, expectNoRetry, recountFollows } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'

onEachDatabase('relations', (world) => {
  const relations = () => world.app.relations
  const refused = (code: string) => expect.objectContaining({ code })
  const followEvents = async () => (await eventsOf(world)).filter(([type]) => type.startsWith('follow_'))
  const first = { start: { cursor: undefined }, limit: 10 }

  it('follow once, however often it is asked', async () => {
    const [ann, bob] = await addUsers(world, ['ann', 'bob'])
    expect(await relations().follow(ann, bob)).toEqual({ created: true })
    expect(await relations().follow(ann, bob)).toEqual({ created: false })
    expect(await relations().list('followers', bob, first)).toEqual({
      items: [{ id: expect.any(Number), userId: ann, username: 'ann', avatarUrl: null, createdAt: '2026-01-01T00:00:00.000Z' }],
      total: 1,
      nextCursor: null,
    })
    expect([await relations().counts(ann), await relations().counts(bob)]).toEqual([
      { followers: 0, followees: 1 },
      { followers: 1, followees: 0 },
    ])
    const payload = { follower_id: ann, followee_id: bob, timestamptz: '2026-01-01T00:00:00.000Z' }
    expect(await followEvents()).toEqual([['follow_created', bob, payload]])
  })

  it('follow once when asked many times at once', async () => {
    const [ann, bob] = await addUsers(world, ['ann', 'bob'])
    const answers = await Promise.all(Array.from({ length: 10 }, () => relations().follow(ann, bob)))
    expect(answers.filter(({ created }) => created)).toHaveLength(1)
    expect(await relations().counts(bob)).toEqual({ followers: 1, followees: 0 })
    expect(await followEvents()).toHaveLength(1)
  })

  it('unfollow once, and take the totals back', async () => {
    const [ann, bob, cyd] = await addUsers(world, ['ann', 'bob', 'cyd'])
    await relations().follow(ann, bob)
    await relations().follow(cyd, bob)
    world.clock.advance(1500)
    expect(await relations().unfollow(ann, bob)).toEqual({ removed: true })
    expect(await relations().unfollow(ann, bob)).toEqual({ removed: false })
    expect([await relations().counts(ann), await relations().counts(bob), await relations().counts(cyd)]).toEqual([
      { followers: 0, followees: 0 },
      { followers: 1, followees: 0 },
      { followers: 0, followees: 1 },
    ])
    const payload = { follower_id: ann, followee_id: bob, timestamptz: '2026-01-01T00:00:01.500Z' }
    expect((await followEvents()).slice(2)).toEqual([['follow_deleted', bob, payload]])
  })

  it('keep the totals right while follows cross, without a deadlock that a retry would hide', async () => {
    const users = await addUsers(world, ['a', 'b', 'c', 'd', 'e'])
    const pairs = users.flatMap((from) => users.filter((to) => to !== from).map((to) => [from, to] as const))
    await expectNoRetry(world, async () => {
      for (let round = 0; round < 3; round++) {
        await Promise.all(pairs.map(([from, to]) => relations().follow(from, to)))
        for (const user of users) expect(await relations().counts(user)).toEqual({ followers: 4, followees: 4 })
        // Half of them again while the other half goes: all that can meet does.
        await Promise.all(pairs.map(([from, to], i) => (i % 2 ? relations().follow(from, to) : relations().unfollow(from, to))))
        await recountFollows(world)
        await Promise.all(pairs.map(([from, to]) => relations().unfollow(from, to)))
        for (const user of users) expect(await relations().counts(user)).toEqual({ followers: 0, followees: 0 })
      }
    })
  })

  it('refuse oneself and strangers, and leave nothing behind', async () => {
    const [ann] = await addUsers(world, ['ann'])
    const stranger = ann + 1000
    await expect(relations().follow(ann, ann)).rejects.toEqual(refused('relations.self_follow'))
    await expect(relations().unfollow(ann, ann)).rejects.toEqual(refused('relations.self_unfollow'))
    await expect(relations().follow(ann, stranger)).rejects.toEqual(refused('users.not_found'))
    await expect(relations().follow(stranger, ann)).rejects.toEqual(refused('auth.unauthenticated'))
    expect(await relations().unfollow(ann, stranger)).toEqual({ removed: false })
    for (const side of ['followers', 'followees'] as const)
      await expect(relations().list(side, stranger, first)).rejects.toEqual(refused('users.not_found'))
    await expect(relations().counts(stranger)).rejects.toEqual(refused('users.not_found'))
    expect(await relations().counts(ann)).toEqual({ followers: 0, followees: 0 })
    expect(await followEvents()).toEqual([])
  })

  it('refuse who is deleted, list them as missing, and let go of them', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    await relations().follow(ann.id, bob.id)
    await world.app.users.remove(bob.viewer, bob.id)
    await expect(relations().follow(ann.id, bob.id)).rejects.toEqual(refused('users.not_found'))
    await expect(relations().follow(bob.id, ann.id)).rejects.toEqual(refused('auth.unauthenticated'))
    await expect(relations().list('followers', bob.id, first)).rejects.toEqual(refused('users.not_found'))
    expect((await relations().list('followees', ann.id, first)).items).toMatchObject([
      { userId: bob.id, username: 'Missing user', avatarUrl: null },
    ])
    expect(await relations().unfollow(ann.id, bob.id)).toEqual({ removed: true })
    expect(await relations().counts(ann.id)).toEqual({ followers: 0, followees: 0 })
  })

  it('page newest first, by cursor, and say when a full page is the last', async () => {
    const [star, ...fans] = await addUsers(world, ['star', 'a', 'b', 'c', 'd', 'e'])
    for (const fan of fans.slice(0, 4)) await relations().follow(fan, star!)
    const one = await relations().list('followers', star!, { start: { cursor: undefined }, limit: 2 })
    expect([one.items.map((item) => item.username), one.total]).toEqual([['d', 'c'], 4])
    await relations().follow(fans[4]!, star!)
    await relations().unfollow(fans[3]!, star!)
    const two = await relations().list('followers', star!, { start: { cursor: one.nextCursor! }, limit: 2 })
    expect([two.items.map((item) => item.username), two.nextCursor]).toEqual([['b', 'a'], null])
  })

  it('page by number as well, to the end and past it', async () => {
    const [fan, ...stars] = await addUsers(world, ['fan', 'a', 'b', 'c'])
    for (const star of stars) await relations().follow(fan!, star)
    const names = async (page: number) => {
      const { items } = await relations().list('followees', fan!, { start: { offset: (page - 1) * 2 }, limit: 2 })
      return items.map((item) => item.username)
    }
    expect([await names(1), await names(2), await names(3), await names(2 ** 31 - 1)]).toEqual([['c', 'b'], ['a'], [], []])
  })

  it('tell how one stands to up to 100 users, in one query', async () => {
    const [ann, bob, cyd, dan] = await addUsers(world, ['ann', 'bob', 'cyd', 'dan'])
    await relations().follow(ann, bob)
    await relations().follow(bob, ann)
    await relations().follow(ann, cyd)
    await relations().follow(dan, ann)
    await relations().follow(bob, cyd)
    expect(await relations().status(ann, [dan, cyd, bob, 999_999, ann, cyd])).toEqual([
      { userId: dan, following: false, followedBy: true },
      { userId: cyd, following: true, followedBy: false },
      { userId: bob, following: true, followedBy: true },
      { userId: 999_999, following: false, followedBy: false },
      { userId: ann, following: false, followedBy: false },
      { userId: cyd, following: true, followedBy: false },
    ])
    const hundred = Array.from({ length: 100 }, (_, i) => i + 1)
    expect(await world.countQueries(() => relations().status(ann, hundred))).toBe(1)
    expect(await relations().status(ann, [])).toEqual([])
  })

  it('take as many queries for a page of 100 as for a page of 1', async () => {
    const [star, ...fans] = await addUsers(world, ['star', ...Array.from({ length: 120 }, (_, i) => `fan${i}`)])
    await world.database.transaction(async (tx) => {
      for (const followerId of fans) await tx.insertInto('follow').values({ followerId, followeeId: star!, createdAt: '' }).execute()
      await tx.updateTable('user').where('id', '=', star!).set({ followerCount: fans.length }).execute()
    })
    const queries = (limit: number, start = {}) =>
      world.countQueries(async () => {
        const { items } = await relations().list('followers', star!, { start: { cursor: undefined, ...start }, limit })
        expect(items).toHaveLength(limit)
      })
    expect([await queries(1), await queries(100), await queries(20, { offset: 100 })]).toEqual([3, 3, 3])
  })

  it('will not let a user go while the totals of others count them', async () => {
    const [ann, bob] = await addUsers(world, ['ann', 'bob'])
    await relations().follow(ann, bob)
    await expect(world.database.transaction((tx) => tx.deleteFrom('user').where('id', '=', ann).execute())).rejects.toThrow()
  })

  it('go with the account of either side, and out of the totals of the other', async () => {
    const users: SignedUp[] = []
    for (const name of ['ann', 'bob', 'cyd']) users.push(await signUp(world.app, name))
    const [ann, bob, cyd] = users.map(({ id }) => id) as [number, number, number]
    await relations().follow(ann, bob)
    await relations().follow(bob, ann)
    await relations().follow(cyd, bob)
    await relations().follow(ann, cyd)
    await world.app.users.remove(users[1]!.viewer, bob)
    while (await world.app.jobs.purgeDeletedUsers());
    await recountFollows(world)
    expect([await relations().counts(ann), await relations().counts(cyd)]).toEqual([
      { followers: 0, followees: 1 },
      { followers: 1, followees: 0 },
    ])
    const gone = (await followEvents())
      .slice(4)
      .map(([type, key, { follower_id, followee_id }]: any) => [type, key, follower_id, followee_id])
    expect(gone).toEqual([
      ['follow_deleted', ann, bob, ann],
      ['follow_deleted', bob, ann, bob],
      ['follow_deleted', bob, cyd, bob],
    ])
    expect(await world.database.db.selectFrom('user').where('id', '=', bob).selectAll().execute()).toEqual([])
  })

  it('lose no follow and no total when accounts go while others follow and unfollow them', async () => {
    const users: SignedUp[] = []
    for (let i = 0; i < 8; i++) users.push(await signUp(world.app, `user${i}`))
    await expectNoRetry(world, async () => {
      const going = users.slice(0, 3)
      let done = false
      const busy = users.map(async ({ id }, i) => {
        for (let round = 0; !done; round++) {
          const other = users[(i + 1 + (round % 7)) % 8]!.id
          await relations()
            .follow(id, other)
            .catch((error) => expect(['users.not_found', 'auth.unauthenticated']).toContain(error.code))
          if (round % 3 === 0) await relations().unfollow(id, other)
          await new Promise((resolve) => setImmediate(resolve))
        }
      })
      const purge = async () => {
        for (const { viewer, id } of going) {
          await world.app.users.remove(viewer, id)
          for (let i = 0; i < 3; i++) await world.app.jobs.purgeDeletedUsers()
        }
        while (await world.app.jobs.purgeDeletedUsers());
      }
      await purge()
      done = true
      await Promise.all(busy)
      while (await world.app.jobs.purgeDeletedUsers());
      await recountFollows(world)
      const left = await world.database.db.selectFrom('user').select('id').orderBy('id').execute()
      expect(left.map(({ id }) => id)).toEqual(users.slice(3).map(({ id }) => id))
    })
  })
})
