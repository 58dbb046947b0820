import { afterEach, describe, expect, it } from 'vitest'
import { client, signUp } from '../../test/accounts.ts'
import { drivers, type OpenedDatabase } from '../../test/drivers.ts'
import { deliverAll } from '../../test/follows.ts'
import { onEachDatabase } from '../../test/matrix.ts'
import { publish } from '../../test/posts.ts'
import { countRows, dumpSeed, expectCountersRight, password, smallSeed, words } from '../../test/seeds.ts'
import { migrateUp } from '../migrations/index.ts'
import type { Tables } from '../schema.ts'
import { dangerOfAccounts, dangerOfSettings, seedDatabase, type SeedOptions, type SeedProgress } from './seed.ts'

onEachDatabase('seed', (world, driver) => {
  const opened: OpenedDatabase<Tables>[] = []
  afterEach(async () => {
    for (const { drop } of opened.splice(0)) await drop()
  })
  async function emptyDatabase() {
    const one = await drivers[driver]<Tables>()
    opened.push(one)
    await migrateUp(one.database)
    return one.database
  }
  const seed = (changes: Partial<SeedOptions> = {}) => seedDatabase(world.database, smallSeed(changes))
  const signInAs = async (number: number) => {
    const pair = await world.app.auth.login({ login: `u${number}@seed-1.example`, password }, client)
    return { viewer: await world.app.auth.authenticate(pair.accessToken) }
  }
  /** Stops a run when it has committed so many batches. */
  const stoppingAfter = (batches: number) => {
    let [left, stage] = [batches, '']
    return (progress: SeedProgress) => {
      const isBatch = progress.stage === stage
      stage = progress.stage
      if (isBatch && --left === 0) throw new Error('stopped')
    }
  }

  it('makes the same rows in every database, and others for another number', async () => {
    const dumps = []
    for (const number of [1, 1, 2]) {
      const database = await emptyDatabase()
      const summary = await seedDatabase(database, smallSeed({ seed: number }))
      const dump = await dumpSeed(database.db)
      const rows = Object.entries(dump).filter(([name]) => name !== 'postTotal')
      expect(summary).toMatchObject({ changed: true, rows: rows.reduce((sum, [, { length }]) => sum + length, 0) })
      dumps.push(dump)
    }
    expect(dumps[0]).toEqual(dumps[1])
    expect(dumps[0]!.follow).not.toEqual(dumps[2]!.follow)
    const sizes = Object.entries(dumps[0]!).map(([name, { length }]) => [name, length])
    expect(Object.fromEntries(sizes)).toMatchObject({ user: 600, credentials: 600, post: 1200, follow: 2400, notification: 2400, tag: 200 })
  }, 60_000)

  it('leaves every counter right wherever it is stopped, and goes on to the very same rows', async () => {
    const [stopped, whole] = [await emptyDatabase(), await emptyDatabase()]
    let stops = 0
    for (; ; stops++) {
      const done = await seedDatabase(stopped, smallSeed({ onProgress: stoppingAfter(1) })).catch((error: Error) => error.message)
      await expectCountersRight(stopped.db)
      if (done !== 'stopped') break
    }
    expect(stops).toBe(8)
    await seedDatabase(whole, smallSeed())
    expect(await dumpSeed(stopped.db)).toEqual(await dumpSeed(whole.db))
  }, 60_000)

  it('changes nothing when it is complete, also on a later day', async () => {
    await seed()
    const before = await dumpSeed(world.database.db)
    for (const untilMs of [Date.UTC(2026, 0, 1), undefined]) expect(await seed({ untilMs })).toMatchObject({ changed: false, rows: 0 })
    expect(await dumpSeed(world.database.db)).toEqual(before)
  })

  it('spreads its times over the year, upwards with the ids', async () => {
    await seed()
    for (const table of ['user', 'post', 'follow', 'notification'] as const) {
      const times = (await world.database.db.selectFrom(table).orderBy('id').select('createdAt').execute()).map(
        ({ createdAt }) => createdAt,
      )
      expect(times).toEqual(times.toSorted())
      expect([times[0]! >= '2025-01-01', times[0]! < '2025-03-01', times.at(-1)! > '2025-12-20', times.at(-1)! < '2026-01-01']).toEqual(
        Array(4).fill(true),
      )
    }
    const early = await world.database.db
      .selectFrom('post')
      .innerJoin('user', 'user.id', 'post.authorId')
      .whereRef('post.createdAt', '<', 'user.createdAt')
      .select('post.id')
      .execute()
    expect(early).toEqual([])
  })

  it('writes no events', async () => {
    await seed()
    expect(await world.database.db.selectFrom('outbox').selectAll().execute()).toEqual([])
  })

  describe('what it makes', () => {
    it('can be logged in to, and looks like the app’s own', async () => {
      await seed()
      const user = await signInAs(7)
      const feed = await world.app.notifications.feed(user.viewer, { start: { cursor: undefined }, limit: 100 })
      expect(feed.items.length).toBe(feed.total)
      await publish(world, user)
      await expectCountersRight(world.database.db)
    })

    it('tells of follows as the consumer does, and no longer when they are over', async () => {
      await seed()
      const { db } = world.database
      const unread = await db
        .selectFrom('notification')
        .where('readAt', 'is', null)
        .orderBy('id')
        .limit(1)
        .selectAll()
        .executeTakeFirstOrThrow()
      const { follower_id: follower, followee_id: followee } = JSON.parse(unread.payload!)
      await world.app.relations.unfollow(follower, followee)
      await deliverAll(world)
      expect(await db.selectFrom('notification').where('id', '=', unread.id).selectAll().execute()).toEqual([])

      await world.app.relations.follow(follower, followee)
      await deliverAll(world)
      const again = await db.selectFrom('notification').where('sourceKey', '=', unread.sourceKey).selectAll().executeTakeFirstOrThrow()
      const { createdAt } = await db
        .selectFrom('follow')
        .where('followerId', '=', follower)
        .where('followeeId', '=', followee)
        .select('createdAt')
        .executeTakeFirstOrThrow()
      const { timestamptz } = JSON.parse(unread.payload!)
      expect({ ...unread, id: 0, createdAt: '', payload: unread.payload!.replace(timestamptz, createdAt) }).toEqual({
        ...again,
        id: 0,
        createdAt: '',
      })
      await expectCountersRight(db)
    })

    it('keeps the rules that people’s own posts and names keep', async () => {
      const { assertNewPost } = await import('../features/posts/posts.ts')
      const { assertNewAccount } = await import('../features/users/users.ts')
      const { createPlan } = await import('./plan.ts')
      const plan = createPlan(999_999, { users: 1_000_000, postsPerUser: 1, followsPerUser: 0 }, words)
      for (let index = 999_000; index < 1_000_000; index++) {
        assertNewPost(plan.post(index))
        const { bio, avatarUrl, ...account } = plan.user(index)
        assertNewAccount({ ...account, password, ...(bio && { bio }), ...(avatarUrl && { avatarUrl }) })
      }
    })
  })

  it('gives one user in a hundred more than 15 % of all followers', async () => {
    await seed({ size: { users: 1000, postsPerUser: 0, followsPerUser: 20 } })
    const users = await world.database.db.selectFrom('user').select(['followerCount', 'followeeCount']).execute()
    const followers = users.map(({ followerCount }) => followerCount).toSorted((one, other) => other - one)
    const sum = (counts: number[]) => counts.reduce((total, count) => total + count, 0)
    expect(sum(followers)).toBe(20_000)
    expect(sum(followers.slice(0, 10)) / 20_000).toBeGreaterThan(0.15)
    expect(followers[499]).toBeLessThan(20)
    expect(new Set(users.map(({ followeeCount }) => followeeCount)).size).toBeGreaterThan(20)
  })

  describe('while the app is at work', () => {
    it('gets on with it, and both count right', async () => {
      const ann = await signUp(world.app, 'ann')
      const seeding = seed()
      let isDone = false
      void seeding.finally(() => (isDone = true)).catch(() => {})
      for (let round = 0; !isDone; round++) {
        await publish(world, ann, { tags: ['tag-1'] })
        const someone = await world.database.db.selectFrom('user').orderBy('id', 'desc').limit(1).select('id').executeTakeFirstOrThrow()
        if (someone.id !== ann.id) await world.app.relations.follow(ann.id, someone.id)
      }
      await seeding
      await expectCountersRight(world.database.db)
      expect(await countRows(world.database.db, 'follow')).toBeGreaterThan(2400)
      expect(await seed()).toMatchObject({ changed: false })
    })

    it('passes by who was deleted, and what is in the way, between two runs', async () => {
      await seed({ onProgress: stoppingAfter(2) }).catch(() => {})
      const one = await signInAs(1)
      await world.app.users.remove(one.viewer, one.viewer.id)
      const two = await signInAs(2)
      for (let number = 3; number < 100; number++) await world.app.relations.follow(two.viewer.id, (await signedUpId(number))!)
      await seed()
      await expectCountersRight(world.database.db)
      expect(await world.database.db.selectFrom('post').where('authorId', '=', one.viewer.id).select('id').execute()).toEqual([])
      expect(await countRows(world.database.db, 'post')).toBeLessThan(1200)
    })
    it('passes by who is deleted while it runs', async () => {
      await seed({ onProgress: stoppingAfter(2) }).catch(() => {})
      const three = await signInAs(3)
      let removed: Promise<unknown> | undefined
      await seed({
        onProgress: ({ stage }) => void (stage === 'posts' && (removed ??= world.app.users.remove(three.viewer, three.viewer.id))),
      })
      await removed
      const follows = await world.database.db
        .selectFrom('follow')
        .where((eb) => eb.or([eb('followerId', '=', three.viewer.id), eb('followeeId', '=', three.viewer.id)]))
        .select('id')
        .execute()
      expect(follows).toEqual([])
      await expectCountersRight(world.database.db)
      expect(await countRows(world.database.db, 'follow')).toBeLessThan(2400)
    })
    const signedUpId = async (number: number) =>
      (await world.database.db.selectFrom('user').where('emailFolded', '=', `u${number}@seed-1.example`).select('id').executeTakeFirst())
        ?.id
  })

  describe('is refused', () => {
    it.each<[string, Partial<SeedOptions>]>([
      ['--users must be a whole number from 1 to 1000000.', { size: { users: 0, postsPerUser: 1, followsPerUser: 0 } }],
      ['--follows-per-user must be a whole number from 0 to 9.', { size: { users: 10, postsPerUser: 1, followsPerUser: 10 } }],
      ['--posts-per-user must be a whole number from 0 to 20.', { size: { users: 1_000_000, postsPerUser: 21, followsPerUser: 1 } }],
      ['--seed must be a whole number from 1 to 999999.', { seed: 0 }],
      ['--password must have 8 to 128 characters.', { password: 'short' }],
      ['--until must be a time that has passed, from 1971 on.', { untilMs: Date.UTC(2999, 0, 1) }],
    ])('%s', async (message, changes) => {
      await expect(seed(changes)).rejects.toMatchObject({ name: 'SeedError', reason: 'options', message })
    })

    it('with other sizes, another day or another password than it was begun with', async () => {
      await seed({ onProgress: stoppingAfter(1) }).catch(() => {})
      await expect(seed({ password: 'another one' })).rejects.toMatchObject({ name: 'SeedError', reason: 'data' })
      await seed({ onProgress: stoppingAfter(5) }).catch(() => {})
      const { size } = smallSeed()
      const others = [
        { size: { ...size, users: 500 } },
        { size: { ...size, users: 700 } },
        { size: { ...size, postsPerUser: 3 } },
        { size: { ...size, followsPerUser: 5 } },
        { untilMs: Date.UTC(2025, 0, 1) },
      ]
      const before = await dumpSeed(world.database.db)
      for (const other of others) await expect(seed(other)).rejects.toMatchObject({ name: 'SeedError', reason: 'data' })
      expect(await dumpSeed(world.database.db)).toEqual(before)
    })

    it('where people may be using the database', async () => {
      const safe = ['sqlite:pinstack.db', 'postgres://localhost/x', 'postgres://a:b@127.0.0.1:5433/x', 'postgres://[::1]/x']
      for (const url of [...safe, 'postgres:///x?host=/run/postgresql', 'postgres://%2Frun%2Fpostgresql/x']) {
        expect(dangerOfSettings({ url, env: {} })).toBeUndefined()
        expect(dangerOfSettings({ url, env: { NODE_ENV: 'production' } })).toBe('NODE_ENV is production')
      }
      for (const url of ['postgres://db.example/x', 'postgres://localhost/x?host=db.example', 'postgres://localhost.example/x'])
        expect(dangerOfSettings({ url, env: {} })).toBe('The database is on another machine')
    })

    it('where there are accounts that no seed has made', async () => {
      const { database, app } = world
      await seed({ size: { users: 3, postsPerUser: 0, followsPerUser: 0 } })
      expect(await dangerOfAccounts(database)).toBeUndefined()
      const ann = await signUp(app, 'ann')
      expect(await dangerOfAccounts(database)).toBe('The database has accounts that no seed has made')
      await app.users.remove(ann.viewer, ann.id)
      expect(await dangerOfAccounts(database)).toBeUndefined()
    })
  })
})
