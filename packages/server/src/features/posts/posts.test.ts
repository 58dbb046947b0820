import fc from 'fast-check'
import { expect, it } from 'vitest'
import { eventsOf, signUp } from '../../../test/accounts.ts'
import { expectNoRetry } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { countersOf, picture, publish } from '../../../test/posts.ts'
import { fromCursor, toCursor, type NewPost, type PostChanges } from './posts.ts'

const refused = (code: string) => expect.objectContaining({ code })
const astral = '\u{1F600}'

onEachDatabase('posts', (world) => {
  const db = () => world.database.db
  const rows = async () => [
    await db().selectFrom('post').select('id').execute(),
    await db().selectFrom('postMedia').select('id').execute(),
    await db().selectFrom('postTag').select('tagId').execute(),
  ]
  const postEvents = async () => (await eventsOf(world)).filter(([type]) => type.startsWith('post_'))

  it('are made with what was given, and read back alike', async () => {
    const ann = await signUp(world.app, 'ann')
    const made = await world.app.posts.create(ann.viewer, {
      title: 'A day at the lake',
      content: 'Water, and more water.',
      tags: ['lake', 'Summer', 'lake', 'summer'],
      media: [picture(2, 'b'), picture(1, 'a'), { ...picture(2, 'b'), type: 'video' }],
    })
    expect(made).toEqual({
      id: expect.any(Number),
      title: 'A day at the lake',
      content: 'Water, and more water.',
      author: { id: ann.id, username: 'ann', fullName: null, avatarUrl: null },
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
      media: [
        { id: expect.any(Number), ...picture(1, 'a') },
        { id: expect.any(Number), ...picture(2, 'b') },
        { id: expect.any(Number), ...picture(2, 'b'), type: 'video' },
      ],
      tags: expect.toSatisfy(
        (tags: { name: string }[]) =>
          tags
            .map(({ name }) => name)
            .toSorted()
            .join() === 'Summer,lake,summer',
      ),
    })
    expect(made.tags.map(({ id }) => id)).toEqual(made.tags.map(({ id }) => id).toSorted((a, b) => a - b))
    expect(await world.app.posts.byId(made.id)).toEqual(made) // as loaded
    expect(await world.app.posts.byId(made.id)).toEqual(made) // as cached
    expect((await world.app.posts.list({}, { start: { offset: 0 }, limit: 10 })).items).toEqual([made])
    expect(await postEvents()).toEqual([
      ['post_created', ann.id, { post_id: made.id, author_id: ann.id, tags: made.tags.map(({ name }) => name) }],
    ])
    expect(await countersOf(world)).toEqual({ total: 1, authors: { ann: 1 } })
  })

  it('share their tags, which have one id each and differ by letter case', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    const [one, other] = [await publish(world, ann, { tags: ['a1', 'b1'] }), await publish(world, bob, { tags: ['b1', 'c1', 'B1'] })]
    const idOf = (name: string, { tags } = other) => tags.find((tag) => tag.name === name)!.id
    expect([idOf('b1'), new Set([...one.tags, ...other.tags].map(({ id }) => id)).size]).toEqual([idOf('b1', one), 4])
  })

  it.each<[string, Partial<NewPost>, string]>([
    ['a title of 2', { title: 'Hi' }, 'title'],
    ['a title of 256', { title: astral.repeat(256) }, 'title'],
    ['a title of 2 that takes 4 units', { title: astral.repeat(2) }, 'title'],
    ['a NUL in the title', { title: 'A day\0' }, 'title'],
    ['half a character in the title', { title: 'A day\ud800' }, 'title'],
    ['content of 9', { content: '123456789' }, 'content'],
    ['content of 9 that takes 18 units', { content: astral.repeat(9) }, 'content'],
    ['content of 100001', { content: 'x'.repeat(100_001) }, 'content'],
    ['a NUL in the content', { content: 'Water, and\0more' }, 'content'],
    ['a tag of 1', { tags: ['ok', 'x'] }, 'tags'],
    ['a tag of 51', { tags: [astral.repeat(51)] }, 'tags'],
    ['half a character in a tag', { tags: ['x\udc00y'] }, 'tags'],
    ['51 tags', { tags: Array.from({ length: 51 }, (_, index) => `tag ${index}`) }, 'tags'],
    ['10 media', { media: Array.from({ length: 10 }, () => picture(1)) }, 'media'],
    ['a media URL that runs', { media: [{ ...picture(1), url: 'javascript:alert(1)' }] }, 'media'],
    ['a media URL of 513', { media: [{ ...picture(1), url: `https://x/${'a'.repeat(503)}` }] }, 'media'],
    ['a medium of another type', { media: [{ ...picture(1), type: 'audio' as 'video' }] }, 'media'],
    ['position 0', { media: [picture(0)] }, 'media'],
    ['position 10', { media: [picture(10)] }, 'media'],
    ['position 1.5', { media: [picture(1.5)] }, 'media'],
  ])('are not made with %s, nor become so, and nothing is left of it', async (_what, input, path) => {
    const ann = await signUp(world.app, 'ann')
    const refusal = await publish(world, ann, input).catch((error) => error)
    expect([refusal.code, refusal.issues?.[0].path]).toEqual(['input.invalid', path])
    expect([await rows(), await countersOf(world), await postEvents()]).toEqual([[[], [], []], { total: 0, authors: { ann: 0 } }, []])
    const post = await publish(world, ann)
    await expect(world.app.posts.update(ann.viewer, post.id, input as PostChanges)).rejects.toEqual(refused('input.invalid'))
    expect(await world.app.posts.byId(post.id)).toEqual(post)
  })

  it('may fill their bounds', async () => {
    const ann = await signUp(world.app, 'ann')
    const full = {
      title: astral.repeat(255),
      content: astral.repeat(100_000),
      tags: [...Array.from({ length: 50 }, (_, index) => `${index}${'x'.repeat(48)}`.slice(0, 50)), '0'.padEnd(49, 'x')],
      media: Array.from({ length: 9 }, (_, index) => ({ ...picture(index + 1), url: `https://x/${'a'.repeat(502)}` })),
    }
    const { id } = await world.app.posts.create(ann.viewer, full)
    const { title, content, tags, media } = await world.app.posts.byId(id)
    expect([title, content, tags.length, media.length]).toEqual([full.title, full.content, new Set(full.tags).size, 9])
  })

  it('change in what is given and in nothing else, and the next read shows it', async () => {
    const ann = await signUp(world.app, 'ann')
    const post = await publish(world, ann, { tags: ['a1', 'b1'], media: [picture(1)] })
    await world.app.posts.byId(post.id) // and now it is cached
    const update = async (changes: PostChanges) => {
      world.clock.advance(1_000)
      const changed = await world.app.posts.update(ann.viewer, post.id, changes)
      expect(await world.app.posts.byId(post.id)).toEqual(changed)
      expect((await world.app.posts.list({}, { start: { offset: 0 }, limit: 1 })).items).toEqual([changed])
      return changed
    }
    expect(await update({ title: 'Another title' })).toEqual({ ...post, title: 'Another title', updatedAt: '2026-01-01T00:00:01.000Z' })
    expect(await update({})).toMatchObject({ title: 'Another title', createdAt: post.createdAt, updatedAt: '2026-01-01T00:00:02.000Z' })
    expect((await update({ tags: ['b1', 'c1', 'b1'] })).tags.map(({ name }) => name)).toEqual(['b1', 'c1'])
    const { media } = await update({ media: [picture(5, 'x'), picture(3, 'y')] })
    expect(media.map(({ url, position }) => [url, position])).toEqual([
      ['https://example.com/y.jpg', 3],
      ['https://example.com/x.jpg', 5],
    ])
    expect(await update({ tags: [], media: [], content: null })).toMatchObject({ tags: [], media: [], content: null })
    expect(await world.app.posts.list({ tag: 'b1' }, { start: { offset: 0 }, limit: 9 })).toEqual({ items: [], nextCursor: null })
    expect((await postEvents()).map(([type, , payload]) => [type, (payload as { tags: string[] }).tags])).toEqual([
      ['post_created', ['a1', 'b1']],
      ['post_updated', ['a1', 'b1']],
      ['post_updated', ['a1', 'b1']],
      ['post_updated', ['b1', 'c1']],
      ['post_updated', ['b1', 'c1']],
      ['post_updated', []],
    ])
    expect(await countersOf(world)).toEqual({ total: 1, authors: { ann: 1 } })
  })

  it('go with their media and tag links; the tags stay', async () => {
    const ann = await signUp(world.app, 'ann')
    const [post, other] = [await publish(world, ann, { tags: ['a1'], media: [picture(1)] }), await publish(world, ann, { tags: ['a1'] })]
    await world.app.posts.byId(post.id)
    await world.app.posts.remove(ann.viewer, post.id)
    await expect(world.app.posts.byId(post.id)).rejects.toEqual(refused('posts.not_found'))
    await expect(world.app.posts.remove(ann.viewer, post.id)).rejects.toEqual(refused('posts.not_found'))
    expect((await rows()).map((found) => found.length)).toEqual([1, 0, 1])
    expect(await db().selectFrom('tag').select('name').execute()).toEqual([{ name: 'a1' }])
    expect((await publish(world, ann, { tags: ['a1'] })).tags).toEqual(other.tags)
    expect((await postEvents()).at(2)).toEqual(['post_deleted', ann.id, { post_id: post.id, author_id: ann.id, tags: ['a1'] }])
    expect(await countersOf(world)).toEqual({ total: 2, authors: { ann: 2 } })
  })

  it('are their authors’ alone to change, and who is nobody’s is not there', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    const { id } = await publish(world, ann)
    for (const act of [world.app.posts.update, world.app.posts.remove]) {
      await expect(act(bob.viewer, id, {})).rejects.toEqual(refused('auth.forbidden'))
      await expect(act(bob.viewer, id + 1, {})).rejects.toEqual(refused('posts.not_found'))
      for (const wrong of [0, -1]) await expect(act(bob.viewer, wrong, {})).rejects.toEqual(refused('posts.invalid_id'))
    }
    await expect(world.app.posts.byId(0)).rejects.toEqual(refused('posts.invalid_id'))
    await world.app.users.remove(bob.viewer, bob.id)
    await expect(publish(world, bob)).rejects.toEqual(refused('auth.unauthenticated'))
    expect([(await rows())[0], (await postEvents()).map(([type]) => type)]).toEqual([[{ id }], ['post_created']])
  })

  it('show their author’s new name at once, also those that are cached', async () => {
    const ann = await signUp(world.app, 'ann')
    const { id } = await publish(world, ann)
    await world.app.posts.byId(id)
    await world.app.users.update(ann.viewer, ann.id, { username: 'anna', fullName: 'Anna A.', avatarUrl: 'https://x.example/a.png' })
    const author = { id: ann.id, username: 'anna', fullName: 'Anna A.', avatarUrl: 'https://x.example/a.png' }
    expect([
      (await world.app.posts.byId(id)).author,
      (await world.app.posts.list({}, { start: { offset: 0 }, limit: 1 })).items[0]!.author,
    ]).toEqual([author, author])
  })

  it('are never put back by a read that was slower than a write', async () => {
    const ann = await signUp(world.app, 'ann')
    const { id } = await publish(world, ann)
    for (let round = 0; round < 20; round++) {
      const title = `Title number ${round}`
      const reads = Array.from({ length: 5 }, () => world.app.posts.byId(id))
      const [changed] = await Promise.all([world.app.posts.update(ann.viewer, id, { title }), ...reads])
      expect([changed.title, (await world.app.posts.byId(id)).title]).toEqual([title, title])
    }
  })

  it('that another process changes are forgotten here when its event is heard', async () => {
    const [ann, there] = [await signUp(world.app, 'ann'), world.composeAgain()]
    const { id } = await publish(world, ann)
    await world.app.posts.byId(id)
    await there.posts.update(ann.viewer, id, { title: 'From elsewhere' })
    const heard = async () => {
      const row = await db().selectFrom('outbox').selectAll().orderBy('id', 'desc').executeTakeFirstOrThrow()
      world.app.hear({ ...row, id: String(row.id), seq: 1, payload: JSON.parse(row.payload) })
    }
    await heard()
    expect((await world.app.posts.byId(id)).title).toBe('From elsewhere')
    await there.posts.remove(ann.viewer, id)
    await heard()
    await expect(world.app.posts.byId(id)).rejects.toEqual(refused('posts.not_found'))
  })

  it('are counted exactly, whatever goes on at once, and their new tags are made once', async () => {
    const authors = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob'), await signUp(world.app, 'cyd')]
    const names = (index: number) => [`new ${index % 7}`, `new ${(index + 3) % 7}`, `new ${(index + 5) % 7}`]
    const posts = await Promise.all(
      Array.from({ length: 60 }, (_, index) =>
        publish(world, authors[index % 3]!, { tags: index % 2 ? names(index) : names(index).reverse() }),
      ),
    )
    expect(await countersOf(world)).toEqual({ total: 60, authors: { ann: 20, bob: 20, cyd: 20 } })
    expect((await db().selectFrom('tag').select('name').execute()).length).toBe(7)
    // Each post is removed by two at once, and changed by a third.
    const outcomes = await Promise.allSettled(
      posts.slice(0, 30).flatMap(({ id }, index) => {
        const { viewer } = authors[index % 3]!
        const remove = () => world.app.posts.remove(viewer, id)
        return [remove(), world.app.posts.update(viewer, id, { tags: names(index + 1), media: [picture(1)] }), remove()]
      }),
    )
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code)
    expect(new Set(failures)).toEqual(new Set(['posts.not_found']))
    expect(await countersOf(world)).toEqual({ total: 30, authors: { ann: 10, bob: 10, cyd: 10 } })
    expect((await postEvents()).filter(([type]) => type === 'post_deleted').length).toBe(30)
  })

  it('that bring the same new tags wait for each other in one order, and none is tried again', async () => {
    const authors = await Promise.all(['ann', 'bob', 'cyd', 'dan'].map((name) => signUp(world.app, name)))
    await expectNoRetry(world, async () => {
      for (let round = 0; round < 5; round++) {
        const tags = Array.from({ length: 40 }, (_, index) => `round ${round} tag ${index}`)
        await Promise.all(authors.map((author, index) => publish(world, author, { tags: index % 2 ? tags : tags.toReversed() })))
      }
    })
    expect((await db().selectFrom('tag').select('id').execute()).length).toBe(200)
  })

  it('replace their lists one update after the other', async () => {
    const ann = await signUp(world.app, 'ann')
    const { id } = await publish(world, ann)
    const sets = Array.from({ length: 12 }, (_, index) => [`set ${index}`, `also ${index}`, 'common'])
    await Promise.all(sets.map((tags, index) => world.app.posts.update(ann.viewer, id, { tags, media: [picture(1, String(index))] })))
    const { tags, media } = await world.app.posts.byId(id)
    expect(sets.map((set) => set.toSorted().join())).toContain(
      tags
        .map(({ name }) => name)
        .toSorted()
        .join(),
    )
    expect(media.length).toBe(1)
  })
})

it('a cursor says where it was made, and nothing else is one', () => {
  const times = fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }).map((date) => date.toISOString())
  fc.assert(
    fc.property(times, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (createdAt, id) => {
      expect(fromCursor(toCursor({ createdAt, id }))).toEqual({ createdAt, id })
    }),
  )
  fc.assert(fc.property(fc.string(), (text) => fromCursor(text) === undefined))
  const made = toCursor({ createdAt: '2026-01-01T00:00:00.000Z', id: 7 })
  for (const wrong of [
    '',
    `${made}=`,
    ` ${made}`,
    made.slice(0, -1),
    `${made}A`,
    toCursor({ createdAt: '2026', id: 7 }),
    toCursor({ createdAt: '2026-01-01T00:00:00.000Z', id: 0 }),
  ])
    expect(fromCursor(wrong)).toBeUndefined()
})
