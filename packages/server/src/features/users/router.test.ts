import { expect, it } from 'vitest'
import { password, signUp, signUpAdmin } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { useRest } from '../../../test/rest.ts'

onEachDatabase('users over tRPC', (world) => {
  const { call } = useRest(world)
  const refused = (error: string, status: number) => expect.objectContaining({ error, status })

  it('answers users with ISO times, null for what they do not have, and no address but one’s own', async () => {
    const ann = await signUp(world.app, 'ann')
    const user = {
      id: ann.id,
      username: 'ann',
      fullName: null,
      bio: null,
      avatarUrl: null,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    }
    const own = { ...user, email: 'ann@example.com' }
    const token = ann.pair.accessToken
    expect([
      await call('query', 'users.byId', { body: { id: ann.id } }),
      await call('query', 'users.byId', { body: { id: ann.id }, token: 'broken' }),
    ]).toEqual([user, user])
    expect([
      await call('query', 'users.byId', { body: { id: ann.id }, token }),
      await call('query', 'users.byUsername', { body: { username: 'ANN' }, token }),
    ]).toEqual([own, own])
    expect(await call('query', 'users.byEmail', { body: { email: 'ann@example.com' }, token })).toEqual(own)
    expect(await call('query', 'users.byEmail', { body: { email: 'ann@example.com' } })).toEqual(refused('users.not_found', 404))
    expect(await call('query', 'users.byEmail', { body: { email: 'ü@example.com' } })).toEqual(refused('input.invalid', 400))
    expect(await call('query', 'users.search', { body: { query: 'ann' } })).toEqual({ items: [user], total: 1, nextCursor: null })
    expect(await call('query', 'users.search', { body: { query: '' } })).toEqual(refused('users.invalid_search', 400))
    expect(await call('query', 'users.byUsername', { body: { username: 'an\0n' } })).toEqual(refused('users.not_found', 404))
    for (const id of [0, -1, 1.5, '1', 2 ** 53, null])
      expect(await call('query', 'users.byId', { body: { id } })).toEqual(refused('input.invalid', 400))
  })

  it('pages a search by cursor', async () => {
    for (const name of ['anna', 'annb', 'annc']) await signUp(world.app, name)
    const first = await call('query', 'users.search', { body: { query: 'ann', limit: 2 } })
    const second = await call('query', 'users.search', { body: { query: 'ann', limit: 2, cursor: first.nextCursor } })
    expect(
      [first, second].map(({ items, total, nextCursor }) => [items.map((user: { username: string }) => user.username), total, nextCursor]),
    ).toEqual([
      [['anna', 'annb'], 3, first.items[1].id],
      [['annc'], 3, null],
    ])
  })

  it('changes one’s own account, which can be emptied here, and deletes it', async () => {
    const ann = await signUp(world.app, 'ann')
    const token = ann.pair.accessToken
    expect(await call('mutation', 'users.update', { token, body: { fullName: 'Ann A.', bio: 'x' } })).toMatchObject({
      fullName: 'Ann A.',
      bio: 'x',
      email: 'ann@example.com',
    })
    expect(await call('mutation', 'users.update', { token, body: { fullName: null, bio: '' } })).toMatchObject({ fullName: null, bio: '' })
    expect(await call('mutation', 'users.setAvatar', { token, body: { avatarUrl: 'https://x.example/a.png' } })).toMatchObject({
      avatarUrl: 'https://x.example/a.png',
    })
    expect(await call('mutation', 'users.setAvatar', { token, body: { avatarUrl: null } })).toMatchObject({ avatarUrl: null })
    expect(await call('mutation', 'users.setAvatar', { token, body: { avatarUrl: 'javascript:alert(1)' } })).toEqual(
      refused('input.invalid', 400),
    )
    expect(await call('mutation', 'users.update', { token, body: { email: 'ü@example.com' } })).toEqual(refused('users.invalid_email', 400))
    expect(await call('mutation', 'users.update', { body: { bio: 'x' } })).toEqual(refused('auth.unauthenticated', 401))
    expect(await call('mutation', 'users.delete', { token })).toBeUndefined()
    expect(await call('mutation', 'users.delete', { token })).toEqual(refused('auth.unauthenticated', 401))
    expect(await call('query', 'users.byId', { body: { id: ann.id } })).toEqual(refused('users.not_found', 404))
  })

  it('makes accounts for others', async () => {
    const [ann, root] = [await signUp(world.app, 'ann'), await signUpAdmin(world.app, 'root')]
    const made = await call('mutation', 'users.create', {
      token: ann.pair.accessToken,
      body: { username: 'bob', email: 'bob@example.com', password, fullName: 'Bob' },
    })
    expect([made.username, made.fullName, 'email' in made]).toEqual(['bob', 'Bob', false])
    expect(await call('query', 'users.byEmail', { token: root.pair.accessToken, body: { email: 'bob@example.com' } })).toMatchObject({
      id: made.id,
      email: 'bob@example.com',
    })
    expect(
      await call('mutation', 'users.create', { token: ann.pair.accessToken, body: { username: 'bob', email: 'b@example.com', password } }),
    ).toEqual(refused('users.username_taken', 409))
  })
})
