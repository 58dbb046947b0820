import { beforeEach, describe, expect, it } from 'vitest'
import { signUp, signUpAdmin, type SignedUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { countersOf, picture, publish } from '../../../test/posts.ts'
import { refused, useRest } from '../../../test/rest.ts'
import type { Post } from './posts.ts'

const astral = '\u{1F600}'
const unreadable = refused(400, 'invalid input')
const invalid = refused(400, 'validation failed')
const invalidId = refused(400, 'post validation failed')
const notFound = refused(404, 'post not found')
const forbidden = refused(403, 'forbidden')
const unauthenticated = refused(401, 'unauthenticated')
const badBodies = ['', '{', '[]', '"x"', '7']
const badIds = ['x', '5.0', '0x5', '1_000', '%205', '99999999999999999999', '9007199254740993', 'LIST']
const given = { title: 'A day at the lake', content: 'Water, and more water.' }

/** What v1 says to media and lists, alike in a creation and in an update. */
const badLists: [string, object, object][] = [
  ['a number for the tags', { tags: 7 }, unreadable],
  ['a number among the tags', { tags: ['lake', 7] }, unreadable],
  ['a text for the media', { media_items: 'x' }, unreadable],
  ['a text among the media', { media_items: ['x'] }, unreadable],
  ['a text for a position', { media_items: [{ ...picture(1), position: '1' }] }, unreadable],
  ['a position of 1.5', { media_items: [{ ...picture(1), position: 1.5 }] }, unreadable],
  ['10 media', { media_items: Array.from({ length: 10 }, () => picture(1)) }, invalid],
  ['no url', { media_items: [{ type: 'image', position: 1 }] }, invalid],
  ['an empty url', { media_items: [{ ...picture(1), url: '' }] }, invalid],
  ['no URL', { media_items: [{ ...picture(1), url: 'example.com/x' }] }, invalid],
  ['a URL that runs', { media_items: [{ ...picture(1), url: 'javascript:alert(1)' }] }, invalid],
  ['data for a URL', { media_items: [{ ...picture(1), url: 'data:image/png;base64,AA' }] }, invalid],
  ['a URL of 513', { media_items: [{ ...picture(1), url: `https://x/${'a'.repeat(503)}` }] }, invalid],
  ['another type', { media_items: [{ ...picture(1), type: 'audio' }] }, invalid],
  ['no type', { media_items: [{ url: 'https://x/a', position: 1 }] }, invalid],
  ['no position', { media_items: [{ url: 'https://x/a', type: 'image' }] }, invalid],
  ['position 0', { media_items: [picture(0)] }, invalid],
  ['position 10', { media_items: [picture(10)] }, invalid],
  ['† a null among the media', { media_items: [picture(1), null] }, invalid],
  ['† a tag of 1', { tags: ['x'] }, invalid],
  ['† a tag of 51', { tags: [astral.repeat(51)] }, invalid],
  ['a null among the tags', { tags: [null] }, invalid],
  ['51 tags', { tags: Array.from({ length: 51 }, (_, index) => `tag ${index}`) }, invalid],
  ['a NUL in a tag', { tags: ['la\0ke'] }, invalid],
]

onEachDatabase('posts over REST v1', (world) => {
  const { send, inject } = useRest(world)
  let ann: SignedUp
  let bob: SignedUp
  beforeEach(async () => {
    ann = await signUp(world.app, 'ann')
    bob = await signUp(world.app, 'bob')
  })
  const ok = (data: unknown) => ({ status: 200, data })
  const author = () => ({ id: ann.id, username: 'ann' })

  describe('P1 create', () => {
    const create = (body: unknown, path = '/posts') => send('POST', path, { token: ann.pair.accessToken, body })

    it('answers a flat post, with the address of its author, who asks', async () => {
      const bare = {
        id: expect.any(Number),
        ...given,
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        author_id: ann.id,
        author_username: 'ann',
        author_email: 'ann@example.com',
      }
      expect(await create(given)).toEqual({ status: 201, data: bare })
      world.clock.advance(1_999)
      await world.app.users.update(ann.viewer, ann.id, { fullName: '', bio: 'I build.', avatarUrl: 'https://x.example/a.png' })
      const media_items = [{ ...picture(9), extra: 1 }, picture(2, 'b'), { ...picture(9), type: 'video' }]
      const { data } = await create({ TITLE: given.title, content: given.content, tags: ['lake', 'Lake', 'lake'], media_items }, '/posts/')
      const id = expect.any(Number)
      expect(data).toEqual({
        ...bare,
        created_at: '2026-01-01T00:00:01Z',
        updated_at: '2026-01-01T00:00:01Z',
        author_full_name: '',
        author_bio: 'I build.',
        author_avatar_url: 'https://x.example/a.png',
        media: [
          { id, ...picture(2, 'b') },
          { id, ...picture(9) },
          { id, ...picture(9), type: 'video' },
        ],
        tags: expect.arrayContaining([
          { id, name: 'lake' },
          { id, name: 'Lake' },
        ]),
      })
      expect(data.tags.every((tag: { id: number }) => tag.id > 0)).toBe(true)
      expect((await create({ ...given, tags: null, media_items: null })).status).toBe(201)
      expect(await countersOf(world)).toEqual({ total: 3, authors: { ann: 3, bob: 0 } })
    })

    it.each<[string, unknown, object]>([
      ...badBodies.map((body): [string, string, object] => [`1 ${body}`, body, unreadable]),
      ['1 a number for a title', { ...given, title: 5 }, unreadable],
      ['1 a list for a content', { ...given, content: [] }, unreadable],
      ['2 nothing', {}, invalid],
      ['2 null', 'null', invalid],
      ['2 no title', { content: given.content }, invalid],
      ['2 an empty title', { ...given, title: '' }, invalid],
      ['2 a title of 256', { ...given, title: astral.repeat(256) }, invalid],
      ['4 † a title of 2', { ...given, title: 'Hi' }, invalid],
      ['4 † no content', { title: given.title }, invalid],
      ['4 † null for a content', { ...given, content: null }, invalid],
      ['4 † an empty content', { ...given, content: '' }, invalid],
      ['4 † a content of 9', { ...given, content: '123456789' }, invalid],
      ['a content of 100001', { ...given, content: 'x'.repeat(100_001) }, invalid],
      ['a NUL in the title', { ...given, title: 'A\0day' }, invalid],
      ['half a character', `{"title":"A\\ud800day","content":"${given.content}"}`, invalid],
      ...badLists.map(([what, lists, answer]): [string, object, object] => [what, { ...given, ...lists }, answer]),
    ])('refuses %s', async (_what, body, answer) => {
      expect(await create(body)).toEqual(answer)
      expect(await countersOf(world)).toEqual({ total: 0, authors: { ann: 0, bob: 0 } })
    })

    it('5 †: refuses a deleted account as it refuses a stranger, before it looks at the body', async () => {
      await world.app.users.remove(ann.viewer, ann.id)
      expect([await create(given), await create('{'), await send('POST', '/posts', { body: '{' })]).toEqual(Array(3).fill(unauthenticated))
    })
    it('6 †: merges tags that are equal', async () => {
      expect((await create({ ...given, tags: ['lake', 'lake'] })).data.tags).toEqual([{ id: expect.any(Number), name: 'lake' }])
      expect((await create({ ...given, tags: Array(60).fill('lake') })).status).toBe(201)
    })
  })

  describe('P2 list', () => {
    const list = (query = '') => send('GET', `/posts/list${query}`)
    const titles = async (query: string) => {
      const { data } = await list(query)
      return [data.posts.map(({ title }: { title: string }) => title.slice(5)).join(''), data.total]
    }
    /** post 1 … post 5, a second apart; bob's is 3, tagged are the odd ones. */
    async function seed() {
      for (let index = 1; index <= 5; index++) {
        await publish(world, index === 3 ? bob : ann, { title: `post ${index}`, tags: index % 2 ? ['odd'] : [] })
        world.clock.advance(1_000)
      }
    }

    it('answers posts, the newest first, and how many there are in all', async () => {
      expect(await list()).toEqual(ok({ posts: [], total: 0 }))
      const { id, tags, media } = await publish(world, ann, { tags: ['lake'], media: [picture(3), picture(1)] })
      const post = { id, ...given, created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z', author: author(), media, tags }
      expect(await list()).toEqual(ok({ posts: [post], total: 1 }))
      world.clock.advance(1_000)
      const other = await publish(world, ann)
      expect(await list('?limit=1')).toEqual(
        ok({
          posts: [{ id: other.id, ...given, created_at: '2026-01-01T00:00:01Z', updated_at: '2026-01-01T00:00:01Z', author: author() }],
          total: 2,
          next_cursor: expect.any(String),
        }),
      )
    })

    it('takes an author, times, a tag, an offset and a limit, and each only once', async () => {
      await seed()
      const [a, b] = [ann.id, bob.id]
      const answers: [string, string, number][] = [
        ['', '54321', 5],
        ['?author_id=0&offset=0&limit=0', '54321', 5],
        ['?author_id=&offset=&limit=&created_after=&created_before=&tag=&cursor=', '54321', 5],
        [`?author_id=${a}`, '5421', 4],
        [`?author_id=%2B00${b}`, '3', 1],
        [`?author_id=${b}&author_id=${a}`, '3', 1],
        ['?author_id=999999', '', 0],
        ['?offset=1&limit=2', '43', 5],
        ['?offset=4', '1', 5],
        ['?offset=5', '', 5],
        ['?offset=9007199254740991', '', 5],
        ['?tag=odd', '531', 3],
        ['?tag=Odd', '', 0],
        [`?tag=odd&author_id=${a}&limit=1`, '5', 2],
        ['?created_after=2026-01-01T00:00:01Z', '543', 3],
        ['?created_before=2026-01-01T00:00:01Z', '1', 1],
        ['?created_after=2026-01-01T02:00:00%2B02:00&created_before=2026-01-01T00:00:03.000Z', '32', 2],
        ['?created_after=2026-01-01T00:00:00.9999Z&created_before=2026-01-01T00:00:01.0001Z', '2', 1],
        [`?created_after=2026-01-01T00:00:00Z&author_id=${a}&tag=odd`, '5', 1],
        ['?created_after=2027-01-01T00:00:00Z', '', 0],
        ['?AUTHOR_ID=x&unknown=1', '54321', 5],
      ]
      for (const [query, expected, total] of answers) expect(await titles(query), query).toEqual([expected, total])
    })

    it.each<[string, string, object]>([
      ['1', 'author_id=x', unreadable],
      ['1', 'author_id=1.5', unreadable],
      ['1', 'author_id=99999999999999999999', unreadable],
      ['1 before 2', 'author_id=x&created_after=x', unreadable],
      ['2', 'created_after=x', invalid],
      ['2', 'created_after=2026-01-01', invalid],
      ['2', 'created_after=2026-01-01T02:00:00+02:00', invalid], // a plus is a blank here
      ['2', 'created_before=2026-02-30T00:00:00Z', invalid],
      ['2 before 3', 'created_before=x&offset=x', invalid],
      ['2 before 3', 'created_after=x&limit=x', invalid],
      ['3', 'offset=x', unreadable],
      ['3', 'limit=x', unreadable],
      ['3', 'limit=1e1', unreadable],
      ['3 before 4', 'author_id=-1&limit=x', unreadable],
      ['the cursor, among the formats', 'cursor=x', unreadable],
      ['the cursor, before 4', 'offset=-1&cursor=x', unreadable],
      ['4 †', 'author_id=-1', invalid],
      ['4 †', 'offset=-1', invalid],
      ['4 †', 'limit=-1', invalid],
      ['4 †', 'limit=101', invalid],
      ['a tag that none can be', 'tag=x', invalid],
      ['a tag with a NUL', 'tag=od%00d', invalid],
    ])('%s: refuses %s', async (_row, query, answer) => {
      expect(await list(`?${query}`)).toEqual(answer)
    })

    it('5 †: shows the posts of a deleted author, with a placeholder', async () => {
      await seed()
      await world.app.users.remove(bob.viewer, bob.id)
      const { posts, total } = (await list()).data
      const unknown = { id: 0, username: 'unknown', full_name: 'Unknown Author' }
      expect([posts.map((post: { author: object }) => post.author), total]).toEqual([[author(), author(), unknown, author(), author()], 5])
    })

    it('ends in a hundred when nothing is said, and goes on by cursor while posts come', async () => {
      for (let index = 0; index < 103; index++) await publish(world, ann)
      const first = (await list()).data
      expect([first.posts.length, first.total]).toEqual([100, 103])
      await publish(world, bob)
      const second = (await list(`?cursor=${first.next_cursor}&offset=50`)).data
      expect(second).toEqual({ posts: expect.any(Array), total: 104 })
      expect(second.posts.length).toBe(3)
      const ids = [...first.posts, ...second.posts].map(({ id }: { id: number }) => id)
      expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => b - a))
    }, 30_000)

    it('never reads the token', async () => {
      expect((await send('GET', '/posts/list', { token: 'broken' })).status).toBe(200)
    })
  })

  describe('P3 get', () => {
    const get = (id: number | string) => send('GET', `/posts/${id}`)

    it('answers a post, and so does the cache', async () => {
      const post = await publish(world, ann, { tags: ['lake'], media: [picture(1)] })
      const shown = ok({
        id: post.id,
        ...given,
        created_at: '2026-01-01T00:00:00Z',
        updated_at: '2026-01-01T00:00:00Z',
        author: author(),
        media: post.media,
        tags: post.tags,
      })
      expect([await get(post.id), await get(post.id), await get(`+00${post.id}`)]).toEqual([shown, shown, shown])
      await world.app.users.update(ann.viewer, ann.id, { fullName: 'Ann A.', avatarUrl: 'https://x.example/a.png' })
      expect((await get(post.id)).data.author).toEqual({ ...author(), full_name: 'Ann A.', avatar_url: 'https://x.example/a.png' })
      expect((await inject('GET', `/api/v1/posts/${post.id}`)).body).not.toContain('@')
    })
    it.each([
      ...badIds.map((id) => ['1', id, unreadable] as const),
      ['2', '0', invalidId],
      ['2', '-1', invalidId],
      ['2', '-0', invalidId],
      ['3', '999999', notFound],
      ['3', '9007199254740991', notFound],
    ] as const)('%s: answers %s', async (_row, id, answer) => {
      expect(await get(id)).toEqual(answer)
    })
    it('4 †: shows a placeholder while the post of a deleted author is there, and then nothing', async () => {
      const { id } = await publish(world, ann)
      await get(id)
      await world.app.users.remove(ann.viewer, ann.id)
      const unknown = { id: 0, username: 'unknown', full_name: 'Unknown Author' }
      expect([(await get(id)).data.author, (await get(id)).data.author]).toEqual([unknown, unknown])
      while (await world.app.jobs.purgeDeletedUsers());
      expect(await get(id)).toEqual(notFound)
    })
  })

  describe('P4 update', () => {
    let post: Post
    beforeEach(async () => {
      post = await publish(world, ann, { tags: ['lake'], media: [picture(1)] })
      world.clock.advance(61_500)
    })
    const update = (body: unknown, { id = post.id as number | string, token = ann.pair.accessToken } = {}) =>
      send('PUT', `/posts/${id}`, { token, body })
    const old = () => ({
      id: post.id,
      ...given,
      created_at: '2026-01-01T00:00:00Z',
      updated_at: '2026-01-01T00:00:00Z',
      author: author(),
      media: post.media,
      tags: post.tags,
    })
    const moved = () => ({ ...old(), updated_at: '2026-01-01T00:01:01Z' })

    it('writes what is given, and the next read shows it', async () => {
      await send('GET', `/posts/${post.id}`)
      const body = {
        title: 'By the sea',
        content: 'Even more water.',
        tags: ['sea', 'sea'],
        media_items: [picture(4, 'b'), picture(2, 'c')],
        author_id: 7,
      }
      const id = expect.any(Number)
      const changed = {
        ...moved(),
        title: 'By the sea',
        content: 'Even more water.',
        tags: [{ id, name: 'sea' }],
        media: [
          { id, ...picture(2, 'c') },
          { id, ...picture(4, 'b') },
        ],
      }
      expect(await update(body)).toEqual(ok(changed))
      expect(await send('GET', `/posts/${post.id}`)).toEqual(ok(changed))
      expect((await send('GET', '/posts/list')).data.posts).toEqual([changed])
    })
    it.each<[string, unknown]>([
      ['nothing', {}],
      ['null', 'null'],
      ['nulls', { title: null, content: null, tags: null, media_items: null }],
      ['what is empty', { title: '', content: '', tags: [], media_items: [] }],
      ['what it does not know', { id: 999, author_id: 999, created_at: 'x' }],
    ])('changes nothing but the time for %s', async (_what, body) => {
      expect(await update(body)).toEqual(ok(moved()))
    })
    it.each<[string, unknown, object]>([
      ...badBodies.map((body): [string, string, object] => [`2 ${body}`, body, unreadable]),
      ['2 a number for a title', { title: 5 }, unreadable],
      ['a title of 2', { title: 'Hi' }, invalid],
      ['a title of 2 that takes 4 units', { title: astral.repeat(2) }, invalid],
      ['a title of 256', { title: astral.repeat(256) }, invalid],
      ['a content of 9', { content: '123456789' }, invalid],
      ['a content of 100001', { content: 'x'.repeat(100_001) }, invalid],
      ['a NUL', { content: 'Water, and\0more' }, invalid],
      ...badLists.map(([what, lists, answer]): [string, object, object] => [`3 ${what}`, lists, answer]),
    ])('refuses %s, and changes nothing', async (_what, body, answer) => {
      expect(await update(body)).toEqual(answer)
      expect(await send('GET', `/posts/${post.id}`)).toEqual(ok(old()))
    })
    it.each(['x', '5.0', '9007199254740993', 'list'])('1: cannot read %s', async (id) => {
      expect([await update({}, { id }), await update({ title: 'Hi' }, { id })]).toEqual([unreadable, unreadable])
    })
    it('looks at the body, then at the range of the id, then for the post, then whose it is', async () => {
      const token = bob.pair.accessToken
      expect(await update({ title: 'Hi' }, { id: 0 })).toEqual(invalid)
      expect([await update({}, { id: 0 }), await update({}, { id: -1 })]).toEqual([invalidId, invalidId])
      expect([await update({}, { id: 999999 }), await update({}, { id: 999999, token })]).toEqual([notFound, notFound])
      expect([await update({ title: 'By the sea' }, { token }), await update({ title: 'Hi' }, { token })]).toEqual([forbidden, invalid])
      expect(await update({}, { token: (await signUpAdmin(world.app, 'root')).pair.accessToken })).toEqual(forbidden)
      expect(await send('PUT', '/posts/x', { body: '{' })).toEqual(unauthenticated)
      expect(await send('GET', `/posts/${post.id}`)).toEqual(ok(old()))
    })
    it('9 †: refuses a deleted account, and changes nothing', async () => {
      await world.app.users.remove(ann.viewer, ann.id)
      expect(await update({ title: 'By the sea' })).toEqual(unauthenticated)
      expect((await send('GET', `/posts/${post.id}`)).data.title).toBe(given.title)
    })
  })

  describe('P5 delete', () => {
    const remove = (id: number | string, token = ann.pair.accessToken) => send('DELETE', `/posts/${id}`, { token })

    it('answers 200 without data, and the post is gone everywhere', async () => {
      const { id } = await publish(world, ann, { tags: ['lake'], media: [picture(1)] })
      await send('GET', `/posts/${id}`)
      expect([await remove(id), await remove(id), await send('GET', `/posts/${id}`)]).toEqual([{ status: 200 }, notFound, notFound])
      expect(await send('GET', '/posts/list')).toEqual(ok({ posts: [], total: 0 }))
    })
    it.each([
      ...badIds.map((id) => ['1', id, unreadable] as const),
      ['1', 'list', unreadable],
      ['2 †', '0', invalidId],
      ['2 †', '-5', invalidId],
      ['3', '999999', notFound],
    ] as const)('%s: answers %s', async (_row, id, answer) => {
      expect(await remove(id)).toEqual(answer)
    })
    it('4: refuses somebody else, also to an admin', async () => {
      const { id } = await publish(world, ann)
      const admin = await signUpAdmin(world.app, 'root')
      expect([await remove(id, bob.pair.accessToken), await remove(id, admin.pair.accessToken)]).toEqual([forbidden, forbidden])
      expect((await send('GET', `/posts/${id}`)).status).toBe(200)
      expect(await send('DELETE', '/posts/x')).toEqual(unauthenticated)
    })
  })

  it('knows other methods on no path that v1 does not', async () => {
    const allowed = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string) => {
      const answer = await inject(method, `/api/v1${path}`)
      return [answer.statusCode, answer.headers.allow]
    }
    expect(await allowed('POST', '/posts/5')).toEqual([405, 'GET, HEAD, PUT, DELETE'])
    expect(await allowed('GET', '/posts')).toEqual([405, 'POST'])
    expect((await allowed('GET', '/posts/5/'))[0]).toBe(404)
    expect((await allowed('GET', '/posts/list/'))[0]).toBe(404)
  })
})
