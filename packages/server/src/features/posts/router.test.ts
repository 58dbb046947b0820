import { expect, it } from 'vitest'
import { signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { picture } from '../../../test/posts.ts'
import { useRest } from '../../../test/rest.ts'

onEachDatabase('posts over tRPC', (world) => {
  const { call } = useRest(world)
  const refused = (error: string, status: number) => expect.objectContaining({ error, status })
  const given = { title: 'A day at the lake', content: 'Water, and more water.' }

  it('are made, read, changed, emptied and deleted', async () => {
    const ann = await signUp(world.app, 'ann')
    const token = ann.pair.accessToken
    const made = await call('mutation', 'posts.create', { token, body: { ...given, tags: ['lake', 'lake'], media: [picture(1)] } })
    expect(made).toEqual({
      id: expect.any(Number),
      ...given,
      author: { id: ann.id, username: 'ann', fullName: null, avatarUrl: null },
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
      media: [{ id: expect.any(Number), ...picture(1) }],
      tags: [{ id: expect.any(Number), name: 'lake' }],
    })
    const { id } = made
    expect(await call('query', 'posts.byId', { body: { id } })).toEqual(made)
    expect(await call('mutation', 'posts.update', { token, body: { id } })).toEqual(made)
    expect(await call('mutation', 'posts.update', { token, body: { id, content: '' } })).toEqual({ ...made, content: null })
    expect(await call('mutation', 'posts.update', { token, body: { id, ...given } })).toEqual(made)
    const emptied = { ...made, content: null, tags: [], media: [] }
    expect(await call('mutation', 'posts.update', { token, body: { id, content: null, tags: [], media: [] } })).toEqual(emptied)
    expect(await call('query', 'posts.byId', { body: { id } })).toEqual(emptied)
    const bob = (await signUp(world.app, 'bob')).pair.accessToken
    expect(await call('mutation', 'posts.delete', { token: bob, body: { id } })).toEqual(refused('auth.forbidden', 403))
    expect(await call('mutation', 'posts.delete', { token, body: { id } })).toBeUndefined()
    expect(await call('query', 'posts.byId', { body: { id } })).toEqual(refused('posts.not_found', 404))
  })

  it.each<[string, object]>([
    ['an empty title', { title: '' }],
    ['a short content', { content: 'short' }],
    ['no position', { media: [{ ...picture(1), position: undefined }] }],
    ['51 tags', { tags: Array.from({ length: 51 }, (_, index) => `tag ${index}`) }],
    ['a null among the media', { media: [null] }],
    ['a NUL', { title: 'A\0day' }],
  ])('are neither made nor changed with %s', async (_what, body) => {
    const token = (await signUp(world.app, 'ann')).pair.accessToken
    expect(await call('mutation', 'posts.create', { token, body: { ...given, ...body } })).toEqual(refused('input.invalid', 400))
    expect(await call('mutation', 'posts.update', { token, body: { id: 1, ...body } })).toEqual(refused('input.invalid', 400))
  })

  it('need a token to be written, and none to be read', async () => {
    for (const name of ['create', 'update', 'delete'])
      expect(await call('mutation', `posts.${name}`, { body: { id: 1, ...given } })).toEqual(refused('auth.unauthenticated', 401))
    expect(await call('query', 'posts.list', { body: {}, token: 'broken' })).toEqual({ items: [], nextCursor: null })
    for (const id of [0, -1, 1.5, '1', null])
      expect(await call('query', 'posts.byId', { body: { id } })).toEqual(refused('input.invalid', 400))
  })

  it('are listed page by page', async () => {
    const ann = await signUp(world.app, 'ann')
    for (let index = 1; index <= 5; index++) {
      await world.app.posts.create(ann.viewer, { ...given, title: `post ${index}`, tags: [index % 2 ? 'odd' : 'even'] })
      world.clock.advance(1_000)
    }
    const list = async (body: object) => {
      const { items, nextCursor, ...rest } = await call('query', 'posts.list', { body })
      expect(rest).toEqual({})
      return [items.map(({ title }: { title: string }) => title.slice(5)).join(''), nextCursor]
    }
    const [first, cursor] = await list({ limit: 2 })
    expect([first, await list({ limit: 2, cursor }), await list({ limit: 3, cursor })]).toEqual([
      '54',
      ['32', expect.any(String)],
      ['321', null],
    ])
    expect(await list({})).toEqual(['54321', null])
    expect(await list({ tag: 'odd', authorId: ann.id, createdAfter: '2026-01-01T01:00:00.0001+01:00' })).toEqual(['53', null])
    expect(await list({ createdBefore: '2026-01-01T00:00:01Z' })).toEqual(['1', null])
    expect(await list({ authorId: 999 })).toEqual(['', null])
    for (const wrong of [
      { limit: 0 },
      { limit: 101 },
      { authorId: 0 },
      { tag: 'x' },
      { createdAfter: 'x' },
      { createdBefore: '2026-01-01' },
      { cursor: 'x' },
      { cursor: 1 },
    ])
      expect(await call('query', 'posts.list', { body: wrong })).toEqual(refused('input.invalid', 400))
  })
})
