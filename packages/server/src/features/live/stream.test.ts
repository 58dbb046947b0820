import { setImmediate as othersTurn } from 'node:timers/promises'
import { beforeEach, expect, it } from 'vitest'
import { signUp, type SignedUp } from '../../../test/accounts.ts'
import { addUsers } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { publish } from '../../../test/posts.ts'
import { unlimited } from '../../adapters/rate-limiter/memory.ts'
import type { App } from '../../compose.ts'
import { readEvents } from '../../outbox/read.ts'
import { pruneEvents } from '../../outbox/prune.ts'
import { sequenceEvents } from '../../outbox/sequence.ts'
import type { Viewer } from '../../core/viewer.ts'
import { followeesMax, waitingMax } from './live.ts'
import type { Stream } from './service.ts'

onEachDatabase('streams', (world) => {
  let app: App
  let heardSeq: number
  let leave: AbortController
  let ann: SignedUp, bob: SignedUp, cyd: SignedUp
  beforeEach(async () => {
    heardSeq = 0
    app = world.composeAgain({ limiter: unlimited })
    world.app = app
    leave = new AbortController()
    ann = await signUp(app, 'ann')
    bob = await signUp(app, 'bob')
    cyd = await signUp(app, 'cyd')
    await tell()
    return () => leave.abort()
  })

  const number = async () => {
    while ((await sequenceEvents(world.database)).length > 0);
  }
  /** What the relay and the tail of a process do. */
  async function tell(): Promise<void> {
    await number()
    for (;;) {
      const events = await readEvents(world.database.db, { afterSeq: heardSeq, limit: 500 })
      for (const event of events) app.hear(event)
      if (events.length === 0) return
      heardSeq = events.at(-1)!.seq
    }
  }
  const send = (to: SignedUp, text: string) => app.notifications.send(cyd.viewer, { userId: to.id, type: 'note', payload: text })

  /** The items of a stream as they come. */
  function listen<Item extends object>(stream: Stream<Item>) {
    const items: any[] = []
    const seqs: number[] = []
    const done = (async () => {
      for await (const { seq, item } of stream) {
        seqs.push(seq)
        items.push(
          'notification' in item
            ? (item as any).notification.payload
            : 'post' in item
              ? (item as any).post.title
              : 'type' in item
                ? item.type
                : item,
        )
      }
    })().catch((error: unknown) => error)
    return { items, seqs, done, becomes: (expected: unknown[]) => expect.poll(() => items).toEqual(expected) }
  }
  it('begins now, and tells of each thing once, to whom it concerns and in order', async () => {
    await send(ann, 'before')
    await tell()
    const [anns, bobs] = [ann, bob].map(({ viewer }) => listen(app.live.notifications(viewer, { signal: leave.signal })))
    await anns!.becomes(['ready'])
    await bobs!.becomes(['ready'])
    const { id } = await send(ann, '1')
    await send(bob, 'b')
    await send(ann, '2')
    await tell()
    await anns!.becomes(['ready', '1', '2'])
    await app.notifications.read(ann.viewer, id)
    await app.notifications.remove(ann.viewer, id)
    await tell()
    await anns!.becomes(['ready', '1', '2', 'read', 'removed'])
    await bobs!.becomes(['ready', 'b'])
    expect(anns!.seqs).toEqual(anns!.seqs.toSorted((a, b) => a - b))
  })

  it('goes on after what came last, and leaves out what is gone', async () => {
    const gone = await send(ann, 'gone')
    await number()
    const last = String((await readEvents(world.database.db, { afterSeq: 0, limit: 500 })).at(-1)!.seq)
    for (let i = 0; i < 230; i++) await send(i % 2 ? ann : bob, `${i}`)
    await app.notifications.remove(ann.viewer, gone.id)
    await number()
    const mine = Array.from({ length: 115 }, (_, i) => `${2 * i + 1}`)
    const stream = listen(app.live.notifications(ann.viewer, { lastEventId: last, signal: leave.signal }))
    await stream.becomes([...mine, 'removed', 'ready'])
    await tell() // the process's tail comes to them later: they are not told again
    await send(ann, 'live')
    await tell()
    await stream.becomes([...mine, 'removed', 'ready', 'live'])
  })

  it('misses nothing and doubles nothing, wherever it is cut off while others write', async () => {
    const got: unknown[] = []
    let [last, isWriting] = [String(heardSeq), true]
    const writing = Promise.all(
      [0, 1, 2].map(async (writer) => {
        for (let i = 0; i < 60; i++) await send(ann, `${writer}.${i}`)
      }),
    ).finally(() => {
      isWriting = false
    })
    const telling = (async () => {
      for (; isWriting; await othersTurn()) await tell()
    })().then(tell)
    while (got.length < 180) {
      const cut = new AbortController()
      let left = Math.ceil(Math.random() * 12)
      try {
        for await (const { seq, item } of app.live.notifications(ann.viewer, { lastEventId: last, signal: cut.signal })) {
          if (item.type === 'created') got.push(item.notification.payload)
          last = String(seq)
          if (--left === 0 || got.length === 180) break
        }
      } finally {
        cut.abort()
      }
    }
    await Promise.all([writing, telling])
    const all = (await app.notifications.feed(ann.viewer, { start: { offset: 0 }, limit: 1000 })).items.map(({ payload }) => payload)
    expect(got).toHaveLength(180)
    expect(got.toSorted()).toEqual(all.toSorted())
    for (const writer of [0, 1, 2])
      expect(got.filter((text) => String(text).startsWith(`${writer}.`))).toEqual(Array.from({ length: 60 }, (_, i) => `${writer}.${i}`))
  })

  it('lets nothing pile up for a reader that does not read, who still gets everything', async () => {
    const stream = app.live.notifications(ann.viewer, { signal: leave.signal })
    expect((await stream.next()).value).toMatchObject({ item: { type: 'ready' } })
    const total = waitingMax + 60
    await world.database.transaction(async (tx) => {
      for (let i = 0; i < total; i++)
        await tx
          .insertInto('outbox')
          .values({
            seq: null,
            type: 'notification_read',
            key: ann.id,
            createdAt: '2026-01-01T00:00:00.000Z',
            payload: JSON.stringify({ notification_id: i + 1, user_id: ann.id, type: 'note' }),
          })
          .execute()
    })
    await tell()
    const ids: number[] = []
    while (ids.length < total) {
      const { item } = (await stream.next()).value!
      ids.push((item as { notificationId: number }).notificationId)
    }
    expect(ids).toEqual(Array.from({ length: total }, (_, i) => i + 1))
    leave.abort()
    await expect(stream.next()).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('says so when what was missed is no longer kept, or was never here', async () => {
    const before = String(heardSeq)
    await send(ann, 'old')
    await tell()
    world.clock.advance(8 * 86_400_000)
    await send(ann, 'young')
    await tell()
    const after = String(heardSeq - 1)
    expect(await pruneEvents({ database: world.database, clock: world.clock, groups: [], retentionMs: 7 * 86_400_000 })).toBeGreaterThan(0)
    const open = (lastEventId: string) => {
      const cut = new AbortController()
      const stream = listen(app.live.notifications(ann.viewer, { lastEventId, signal: cut.signal }))
      return { ...stream, cut }
    }
    for (const [id, expected] of [
      [after, ['young', 'ready']],
      [before, ['reset', 'ready']],
      ['999999', ['reset', 'ready']],
      ['x', ['reset', 'ready']],
      ['', ['ready']],
    ] as const) {
      const stream = open(id)
      await stream.becomes([...expected])
      if (expected[0] === 'reset') {
        await send(ann, id)
        await tell()
        await stream.becomes([...expected, id])
      }
      stream.cut.abort()
    }
  })

  it('counts what is unread: now, and after each change', async () => {
    await send(ann, '1')
    const stream = listen(app.live.unreadCount(ann.viewer, { signal: leave.signal }))
    await stream.becomes([{ count: 1 }])
    await send(ann, '2')
    await send(bob, 'b')
    await send(ann, '3')
    await tell()
    await stream.becomes([{ count: 1 }, { count: 3 }])
    await app.notifications.readAll(ann.viewer)
    await tell()
    await stream.becomes([{ count: 1 }, { count: 3 }, { count: 0 }])
  })

  it('tells who begins and who ceases to follow', async () => {
    const stream = app.live.relations(ann.viewer, { signal: leave.signal })
    expect((await stream.next()).value?.item).toEqual({ type: 'ready' })
    await app.relations.follow(bob.id, ann.id)
    await app.relations.follow(ann.id, bob.id)
    await app.relations.unfollow(bob.id, ann.id)
    await tell()
    const user = { id: bob.id, username: 'bob', fullName: null, avatarUrl: null }
    expect((await stream.next()).value?.item).toEqual({ type: 'followed', userId: bob.id, user, at: '2026-01-01T00:00:00.000Z' })
    expect((await stream.next()).value?.item).toEqual({ type: 'unfollowed', userId: bob.id, user, at: '2026-01-01T00:00:00.000Z' })
  })

  it('tells of new posts of those whom one follows, from the follow to the unfollow, and of those that were missed', async () => {
    await app.relations.follow(ann.id, bob.id)
    const start = heardSeq
    const stream = listen(app.live.posts(ann.viewer, { signal: leave.signal }))
    await stream.becomes(['ready'])
    await publish(world, bob, { title: 'of bob' })
    await publish(world, cyd, { title: 'of cyd, not followed' })
    const gone = await publish(world, bob, { title: 'gone' })
    await app.posts.remove(bob.viewer, gone.id)
    await publish(world, ann, { title: 'my own' })
    await tell()
    await stream.becomes(['ready', 'of bob'])
    await app.relations.follow(ann.id, cyd.id)
    await tell()
    await publish(world, cyd, { title: 'of cyd, followed' })
    await tell()
    await stream.becomes(['ready', 'of bob', 'of cyd, followed'])
    await app.relations.unfollow(ann.id, bob.id)
    await tell()
    await publish(world, bob, { title: 'of bob again' })
    await publish(world, cyd, { title: 'more of cyd' })
    await tell()
    await stream.becomes(['ready', 'of bob', 'of cyd, followed', 'more of cyd'])
    const missed = listen(app.live.posts(ann.viewer, { lastEventId: String(start), signal: leave.signal }))
    await missed.becomes(['of cyd, not followed', 'of cyd, followed', 'more of cyd', 'ready'])
  })

  it('keeps to its bounds: streams of a user, streams of a process', async () => {
    const open = (viewer: Viewer) => {
      const cut = new AbortController()
      return { cut, stream: listen(app.live.notifications(viewer, { signal: cut.signal })) }
    }
    const anns = [open(ann.viewer), open(ann.viewer), open(ann.viewer)]
    expect(() => open(ann.viewer)).toThrow(expect.objectContaining({ code: 'live.too_many_streams', retryAfterMs: 10_000 }))
    const others = [bob, bob, bob, cyd, cyd, cyd, await signUp(app, 'dan')].map(({ viewer }) => open(viewer))
    expect(() => open(others.length ? { ...ann.viewer, id: 99 } : ann.viewer)).toThrow(expect.objectContaining({ code: 'live.full' }))
    anns[0]!.cut.abort()
    await anns[0]!.stream.done
    others.push(open(ann.viewer))
    for (const { cut } of [...anns, ...others]) cut.abort()
    for (const { stream } of [...anns, ...others]) expect(await stream.done).toMatchObject({ name: 'AbortError' })
    expect(others.length).toBe(8)
  })

  it('ends with its session, and with the account, also when it opens a moment too late', async () => {
    const other = await app.auth.login({ login: 'ann', password: 'correct horse' }, { address: '', device: '' })
    const phone = await app.auth.authenticate(other.accessToken)
    const [here, there] = [ann.viewer, phone].map((viewer) => listen(app.live.notifications(viewer, { signal: leave.signal })))
    await there!.becomes(['ready'])
    await app.auth.revokeSession(ann.viewer, phone.sessionId)
    await tell()
    expect(await there!.done).toMatchObject({ code: 'auth.unauthenticated' })
    expect(() => app.live.notifications(phone)).toThrow(expect.objectContaining({ code: 'auth.unauthenticated' }))
    await send(ann, 'still here')
    await tell()
    await here!.becomes(['ready', 'still here'])
    await app.users.remove(ann.viewer, ann.id)
    await tell()
    expect(await here!.done).toMatchObject({ code: 'auth.unauthenticated' })
  })

  it('costs no query while nothing of its user happens, and the same few for one and for many that an event concerns', async () => {
    const users = [ann, bob, await signUp(app, 'dan'), await signUp(app, 'eve')]
    await tell()
    const streams = users.flatMap(({ viewer }) => [
      listen(app.live.notifications(viewer, { signal: leave.signal })),
      listen(app.live.posts(viewer, { signal: leave.signal })),
    ])
    for (const stream of streams) await stream.becomes(['ready'])
    await app.notifications.send(ann.viewer, { userId: cyd.id, type: 'note', payload: 1 })
    await publish(world, cyd)
    await number()
    const events = await readEvents(world.database.db, { afterSeq: heardSeq, limit: 500 })
    expect(events).toHaveLength(2)
    const hear = async () => {
      for (const event of events) app.hear(event)
      await new Promise((resolve) => setTimeout(resolve, 30)) // a query would come now
    }
    expect(await world.countQueries(hear)).toBe(0)

    heardSeq = events.at(-1)!.seq
    for (const { viewer } of users) await app.relations.follow(viewer.id, cyd.id)
    await tell()
    await publish(world, cyd, { title: 'to all of them' })
    await number()
    const [posted] = (await readEvents(world.database.db, { afterSeq: heardSeq, limit: 500 })).filter(({ type }) => type === 'post_created')
    const told = async () => {
      app.hear(posted!)
      for (const [index, stream] of streams.entries()) if (index % 2) await stream.becomes(['ready', 'to all of them'])
    }
    expect(await world.countQueries(told)).toBe(2)
    expect(streams.filter((_, index) => index % 2 === 0).map(({ items }) => items)).toEqual(Array(4).fill(['ready']))

    for (const user of users) await send(user, 'to each')
    await number()
    const sent = await readEvents(world.database.db, { afterSeq: posted!.seq, limit: 500 })
    const toldEach = async () => {
      for (const event of sent) app.hear(event)
      for (const [index, stream] of streams.entries()) if (index % 2 === 0) await stream.becomes(['ready', 'to each'])
    }
    expect(sent).toHaveLength(4)
    expect(await world.countQueries(toldEach)).toBe(1)
  })

  it('asks about each author for whoever follows too many to remember', async () => {
    const followees = await addUsers(
      world,
      Array.from({ length: followeesMax + 1 }, (_, i) => `u${i}`),
    )
    const row = { followerId: ann.id, createdAt: '2026-01-01T00:00:00.000Z' }
    for (let from = 0; from < followees.length; from += 1_000) {
      const rows = followees.slice(from, from + 1_000).map((followeeId) => ({ ...row, followeeId }))
      await world.database.transaction((tx) => tx.insertInto('follow').values(rows).execute())
    }
    const stream = listen(app.live.posts(ann.viewer, { signal: leave.signal }))
    await stream.becomes(['ready'])
    await publish(world, { viewer: { ...bob.viewer, id: followees[5_000]! } }, { title: 'by one of many' })
    await publish(world, bob, { title: 'by another' })
    await tell()
    await stream.becomes(['ready', 'by one of many'])
  }, 30_000)
})
