import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { beforeAll, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { onEachDriver, useDatabase } from '../drivers.ts'
import { recountFollows } from '../follows.ts'
import { countersOf } from '../posts.ts'
import { call, newDataDir } from '../serve.ts'
import { useServerChildren } from '../server-child.ts'
import { seedAccounts } from '../sessions.ts'

const postsMax = 10_000
const followersMax = 5_000
const followeesMax = 500
const notificationsMax = 2_000
/** Far above what a request takes, far below what a purge in one go would hold it up for on this much data. */
const slowMs = 1_000

onEachDriver('deleting a user who has written ten thousand posts, and whom thousands follow', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const servers = useServerChildren()
  beforeAll(() => migrateUp(opened.database))

  it('shows at once, holds up nobody, goes on after a kill, and leaves the totals of others right', async () => {
    const { secret, accounts } = await seedAccounts(opened.database, followersMax + 1)
    const [star, ...fans] = accounts as [(typeof accounts)[0], ...typeof accounts]
    await opened.database.transaction(async (tx) => {
      const createdAt = '2026-01-01T00:00:00.000Z'
      const follows = [
        ...fans.map(({ id }) => ({ followerId: id, followeeId: star.id, createdAt })),
        ...fans.slice(0, followeesMax).map(({ id }) => ({ followerId: star.id, followeeId: id, createdAt })),
      ]
      for (let from = 0; from < follows.length; from += 1_000)
        await tx
          .insertInto('follow')
          .values(follows.slice(from, from + 1_000))
          .execute()
      const one = {
        userId: star.id,
        type: 't',
        origin: 'system',
        senderId: null,
        payload: null,
        sourceKey: null,
        createdAt,
        readAt: null,
      } as const
      for (let i = 0; i < notificationsMax; i += 500)
        await tx
          .insertInto('notification')
          .values(Array.from({ length: 500 }, () => one))
          .execute()
      const tag = await tx.insertInto('tag').values({ name: 'lake' }).returning('id').executeTakeFirstOrThrow()
      const authors = [...Array.from({ length: postsMax }, () => star.id), fans[0]!.id]
      for (let from = 0; from < authors.length; from += 1_000) {
        const made = await tx
          .insertInto('post')
          .values(
            authors
              .slice(from, from + 1_000)
              .map((authorId) => ({ authorId, title: 'A day', content: null, createdAt, updatedAt: createdAt })),
          )
          .returning('id')
          .execute()
        const media = { position: 1, url: 'https://example.com/lake.jpg', type: 'image' } as const
        await tx
          .insertInto('postMedia')
          .values(made.map(({ id }) => ({ postId: id, ...media })))
          .execute()
        await tx
          .insertInto('postTag')
          .values(made.map(({ id }) => ({ postId: id, tagId: tag.id, createdAt })))
          .execute()
      }
      for (const [{ id }, count] of [
        [star, postsMax],
        [fans[0]!, 1],
      ] as const) {
        await tx.updateTable('user').set({ postCount: count }).where('id', '=', id).execute()
        await tx
          .updateTable('postTotal')
          .set((eb) => ({ count: eb('count', '+', count) }))
          .where('shard', '=', id % 16)
          .execute()
      }
      await tx.updateTable('user').set({ followeeCount: 1 }).execute()
      await tx
        .updateTable('user')
        .set({ followerCount: 1 })
        .where(
          'id',
          'in',
          fans.slice(0, followeesMax).map(({ id }) => id),
        )
        .execute()
      const counts = {
        followerCount: followersMax,
        followeeCount: followeesMax,
        notificationCount: notificationsMax,
        unreadCount: notificationsMax,
      }
      await tx.updateTable('user').set(counts).where('id', '=', star.id).execute()
    })
    const recount = async () => [await recountFollows(opened), await countersOf(opened)]
    await recount()

    const flags = [`database.url=${opened.url}`, `data.dir=${newDataDir()}`, `auth.secret=${secret}`, 'rateLimits.enabled=false']
    const serve = async () => {
      const server = servers.load(flags)
      return { ...server, apiUrl: await server.serve() }
    }
    const left = async (table: 'follow' | 'notification' | 'user' | 'post' | 'postMedia' | 'postTag') =>
      (
        await opened.database.db
          .selectFrom(table)
          .select((eb) => eb.fn.countAll<number>().as('n'))
          .executeTakeFirstOrThrow()
      ).n

    const first = await serve()
    const fan = fans[0]!
    expect((await call(first.apiUrl, 'DELETE', `/api/v1/users/${star.id}`, { token: star.token })).status).toBe(204)
    const { total } = (await call(first.apiUrl, 'GET', `/api/v1/relation/${fan.id}/followees`)).body.data
    expect(total).toBe(1) // not purged yet, and yet gone:
    for (const path of [`users/${star.id}`, `relation/${star.id}/followers`, `relation/${star.id}/followees`])
      expect((await call(first.apiUrl, 'GET', `/api/v1/${path}`)).status).toBe(404)
    const follow = await call(first.apiUrl, 'POST', '/api/v1/relation/follow', { token: fan.token, body: { followee_id: star.id } })
    expect([follow.status, follow.body.message]).toEqual([404, 'user not found'])
    expect((await call(first.apiUrl, 'GET', '/api/v1/notification/feed', { token: star.token })).status).toBe(401)
    await first.kill() // before the job has come to it

    const all = followersMax + followeesMax
    const second = await serve() // begins with it at once
    while ((await left('post')) > postsMax - 300) await sleep(1)
    await second.kill()
    expect(await left('post')).toBeGreaterThan(1)
    expect(await left('follow')).toBe(all)
    await recount() // no batch was cut in half

    const third = await serve()
    while ((await left('follow')) > all - 300) await sleep(1)
    await third.kill()
    const interrupted = await left('follow')
    expect(interrupted).toBeGreaterThan(0)
    expect(interrupted).toBeLessThan(all)
    await recount()

    const fourth = await serve()
    let slowestMs = 0
    let answers = 0
    while ((await left('user')) > followersMax) {
      const startMs = performance.now()
      const answer = await call(fourth.apiUrl, 'GET', `/api/v1/relation/${fan.id}/followees`)
      slowestMs = Math.max(slowestMs, performance.now() - startMs)
      expect(answer.status).toBe(200)
      answers++
    }
    expect(answers).toBeGreaterThan(0)
    expect(slowestMs).toBeLessThan(slowMs)
    expect([await left('follow'), await left('notification')]).toEqual([0, 0])
    expect([await left('post'), await left('postMedia'), await left('postTag')]).toEqual([1, 1, 1]) // those of others
    await recount()
    const { rows } = await sql<{ type: string; n: number }>`
      select type, count(*) as n from outbox where type in ('follow_deleted', 'post_deleted') group by type order by type
    `.execute(opened.database.db)
    // One each, whatever was cut off.
    expect(rows.map(({ type, n }) => [type, Number(n)])).toEqual([
      ['follow_deleted', all],
      ['post_deleted', postsMax],
    ])
    await fourth.kill()
  }, 120_000)
})
