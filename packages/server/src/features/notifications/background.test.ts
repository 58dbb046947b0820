import { setImmediate as othersTurn, setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { localDoorbell } from '../../adapters/doorbell/local.ts'
import { startBackground, type Background } from '../../background.ts'
import type { App } from '../../compose.ts'
import type { Consumer } from '../../outbox/consumers.ts'
import { DatabaseUnavailable, type Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import { addUsers, expectNoRetry, recountFollows } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'

onEachDatabase('follow notifications, by the background', (world) => {
  let background: Background | undefined
  let app: App
  const committed = localDoorbell()
  beforeEach(() => {
    app = world.composeAgain({ committed })
  })
  afterEach(async () => {
    await background?.close()
    background = undefined
  })
  async function start(database: Database<Tables> = world.database, consumers: Consumer<any>[] = app.consumers) {
    background = await startBackground({
      app: { jobs: {} as App['jobs'], hear() {}, consumers },
      database,
      clock: world.clock,
      committed,
      sequenced: localDoorbell(),
      settings: { pollMs: 500, retentionMs: 86_400_000 },
      warn: (message, fields) => void world.warnings.push({ message, fields }),
    })
  }
  const rows = () => world.database.db.selectFrom('notification').orderBy('id').select(['userId', 'sourceKey']).execute()
  const sources = async () => (await rows()).map(({ sourceKey }) => sourceKey).sort()
  const viewer = (id: number) => ({ id, role: 'user', sessionId: '' }) as const
  const idle = () => expect.poll(() => background!.bus.lag('follow-notifications'), { timeout: 10_000, interval: 10 }).toBe(0)

  it('come and go by themselves', async () => {
    const [ann, bob] = await addUsers(world, ['ann', 'bob'])
    await start()
    const unread = async () => (await app.notifications.unreadCount(viewer(bob))).count
    await app.relations.follow(ann, bob)
    await expect.poll(unread, { timeout: 1_000, interval: 5 }).toBe(1)
    await app.relations.unfollow(ann, bob)
    await expect.poll(unread, { timeout: 1_000, interval: 5 }).toBe(0)
  })

  const stormMs = 10_000

  it('are one for each who follows, after a storm of 50 who follow and unfollow the same user', async () => {
    const [star, ...fans] = await addUsers(world, ['star', ...Array.from({ length: 50 }, (_, i) => `fan${i}`)])
    await start()
    const unreadMax: number[] = []
    await expectNoRetry(world, async () => {
      let isOver = false
      const endMs = performance.now() + stormMs
      const storm = fans.map(async (fan, i) => {
        for (let step = i; performance.now() < endMs; step++) {
          await app.relations.follow(fan, star!)
          await othersTurn()
          if (step % 3 > 0) await app.relations.unfollow(fan, star!)
        }
      })
      const looking = (async () => {
        while (!isOver) {
          const unread = await world.database.db.selectFrom('notification').where('readAt', 'is', null).select('sourceKey').execute()
          unreadMax.push(unread.length - new Set(unread.map(({ sourceKey }) => sourceKey)).size)
          await sleep(50)
        }
      })()
      await Promise.all(storm).finally(() => (isOver = true))
      await looking
    })
    // What the storm has left to do is nobody's business now: it has to come to its end, and to the right one.
    while (
      !(await world.database.db
        .selectFrom('outbox')
        .where('seq', 'is', null)
        .select('id')
        .limit(1)
        .execute()
        .then((left) => left.length === 0))
    )
      await sleep(20)
    await idle()
    await recountFollows(world)
    const follows = await world.database.db.selectFrom('follow').select('followerId').execute()
    expect(await sources()).toEqual(follows.map(({ followerId }) => `follow:${followerId}:${star}`).sort())
    expect(new Set(unreadMax)).toEqual(new Set([0])) // at no time two of one pair
    expect((await app.relations.counts(star!)).followers).toBe(follows.length)
  }, 120_000)

  it('wait for a database that fails for a while, and lose nothing', async () => {
    const [star, ...fans] = await addUsers(world, ['star', ...Array.from({ length: 30 }, (_, i) => `fan${i}`)])
    let isAway = false
    /** The background's own: what users do goes on. */
    const failing: Database<Tables> = {
      ...world.database,
      async transaction(work) {
        if (isAway) throw new DatabaseUnavailable(new Error('away'))
        return world.database.transaction(async (tx) => {
          const result = await work(tx)
          if (isAway) throw new DatabaseUnavailable(new Error('away before the commit'))
          return result
        })
      },
    }
    await start(failing)
    for (const [index, fan] of fans.entries()) {
      if (index === 10) isAway = true
      await app.relations.follow(fan, star!)
    }
    await sleep(800) // long enough for several attempts
    expect((await rows()).length).toBeLessThanOrEqual(10)
    isAway = false
    await expect.poll(() => rows().then(({ length }) => length), { timeout: 10_000, interval: 20 }).toBe(fans.length)
    await sleep(100) // a double would come now
    expect(await sources()).toEqual(fans.map((fan) => `follow:${fan}:${star}`).sort())
    await recountFollows(world)
    expect(await app.deadLetters.count()).toBe(0)
  })

  it('let their neighbours pass a poison one, which lies among the dead with its error, and comes after the fix', async () => {
    const [ann, bob, cyd] = await addUsers(world, ['ann', 'bob', 'cyd'])
    const [real] = app.consumers as [Consumer]
    let isBroken = true
    const broken: Consumer = {
      ...real,
      async handle(tx, event) {
        await real.handle(tx, event)
        if (isBroken && event.key === bob) throw new Error('a bug that bob meets')
      },
    }
    await start(world.database, [broken])
    await app.relations.follow(ann, cyd)
    await app.relations.follow(ann, bob)
    await app.relations.follow(bob, cyd)
    await expect.poll(sources, { timeout: 2_000, interval: 10 }).toEqual([`follow:${ann}:${cyd}`, `follow:${bob}:${cyd}`].sort())
    await app.relations.follow(cyd, ann)
    await expect.poll(() => rows().then(({ length }) => length), { timeout: 2_000, interval: 10 }).toBe(3)
    const dead = async () => {
      world.clock.advance(10_000) // beyond the longest pause between two attempts
      return app.deadLetters.count()
    }
    await expect.poll(dead, { timeout: 8_000, interval: 50 }).toBe(1)
    const [letter] = await app.deadLetters.list()
    expect(letter).toMatchObject({
      consumer: 'follow-notifications',
      attempts: 5,
      error: 'Error: a bug that bob meets',
      event: { type: 'follow_created', key: bob },
    })

    isBroken = false
    expect(await app.deadLetters.replay(letter!.id)).toBe(true)
    await expect.poll(() => rows().then(({ length }) => length), { timeout: 5_000, interval: 20 }).toBe(4)
    expect(await app.deadLetters.count()).toBe(0)
    await recountFollows(world)
  }, 20_000)

  it('refuse an event that nobody here can have written, and go on', async () => {
    const [ann, bob] = await addUsers(world, ['ann', 'bob'])
    const payload = JSON.stringify({ follower_id: 'x', followee_id: bob })
    await world.database.transaction(async (tx) => {
      await tx
        .insertInto('outbox')
        .values({ seq: null, type: 'follow_created', key: bob, payload, createdAt: '2026-01-01T00:00:00.000Z' })
        .execute()
    })
    await app.relations.follow(bob, ann)
    await start()
    await expect.poll(sources, { timeout: 3_000, interval: 10 }).toEqual([`follow:${bob}:${ann}`])
    const parked = await world.database.db.selectFrom('deadLetter').select(['error']).execute()
    expect(parked).toEqual([{ error: `Error: not the ids of a follow: x, ${bob}` }])
  })
})
