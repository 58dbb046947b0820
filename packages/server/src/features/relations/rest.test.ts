import { beforeEach, describe, expect, it } from 'vitest'
import { signUp, type SignedUp } from '../../../test/accounts.ts'
import { addUsers } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { refused, useRest } from '../../../test/rest.ts'

const unreadable = refused(400, 'invalid input')
const invalid = refused(400, 'validation failed')
const notFound = refused(404, 'user not found')

onEachDatabase('relations over REST v1', (world) => {
  const { send, inject } = useRest(world)
  let ann: SignedUp
  let bob: SignedUp
  beforeEach(async () => {
    ann = await signUp(world.app, 'ann')
    bob = await signUp(world.app, 'bob')
  })
  const follow = (body: unknown, token = ann.pair.accessToken) => send('POST', '/relation/follow', { token, body })
  const unfollow = (body: unknown, token = ann.pair.accessToken) => send('POST', '/relation/unfollow', { token, body })
  const both = async (body: unknown) => [await follow(body), await unfollow(body)]

  describe('R1 follow, R2 unfollow', () => {
    it('say so', async () => {
      expect(await follow({ followee_id: bob.id })).toEqual({ status: 200, data: { message: 'Followed successfully' } })
      expect(await follow({ followee_id: bob.id })).toEqual(refused(409, 'already following this user')) // R1 5
      expect(await unfollow({ followee_id: bob.id })).toEqual({ status: 200, data: { message: 'Unfollowed successfully' } })
      expect(await unfollow({ followee_id: bob.id })).toEqual(refused(404, 'follow relation not found')) // R2 4
    })

    it('R1 6: of two at the same moment one wins, and the other is told so', async () => {
      const answers = await Promise.all([follow({ followee_id: bob.id }), follow({ followee_id: bob.id })])
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409])
    })

    it.each([
      ['1', '', unreadable],
      ['1', '{', unreadable],
      ['1', '[]', unreadable],
      ['1', '"x"', unreadable],
      ['1', '7', unreadable],
      ['1', '{"followee_id":1} x', unreadable],
      ['1', '{"followee_id":"5"}', unreadable],
      ['1', '{"followee_id":true}', unreadable],
      ['1', '{"followee_id":1.5}', unreadable],
      ['1', '{"followee_id":1e30}', unreadable],
      ['1', '{"followee_id":9007199254740993}', unreadable],
      ['2', 'null', invalid],
      ['2', '{}', invalid],
      ['2', '{"followee_id":null}', invalid],
      ['2', '{"followee_id":0}', invalid],
      ['2', '{"followee_id":-1}', invalid],
    ])('%s: answer the body %s', async (_row, body, answer) => {
      expect(await both(body)).toEqual([answer, answer])
    })

    it('3: refuse oneself', async () => {
      expect(await both({ followee_id: ann.id })).toEqual([
        refused(400, 'cannot follow yourself'),
        refused(400, 'cannot unfollow yourself'),
      ])
    })

    it('4: refuse whom nobody is, and who is nobody any more', async () => {
      expect(await both({ followee_id: bob.id + 1000 })).toEqual([notFound, refused(404, 'follow relation not found')])
      await world.app.users.remove(bob.viewer, bob.id)
      expect(await both({ followee_id: bob.id })).toEqual([notFound, refused(404, 'follow relation not found')])
    })

    it('read names in any letter case, the last of a repeated field, whole numbers in any form, and any content type', async () => {
      const body = `{"unknown":[1],"followee_id":${ann.id},"FOLLOWEE_ID":${bob.id}.0}`
      const headers = { 'content-type': 'text/plain' }
      expect((await send('POST', '/relation/follow', { token: ann.pair.accessToken, body, headers })).status).toBe(200)
    })

    it.each([
      [undefined, 'unauthenticated'],
      ['', 'unauthenticated'],
      ['Bearer', 'invalid token'],
      ['bearer x', 'invalid token'],
      ['Bearer  x', 'invalid token'],
      ['Bearer forged', 'invalid token'],
    ])('ask for the token %s before they read the body', async (authorization, message) => {
      const ask = { body: '{', ...(authorization !== undefined && { headers: { authorization } }) }
      for (const path of ['/relation/follow', '/relation/unfollow']) expect(await send('POST', path, ask)).toEqual(refused(401, message))
    })

    it('have no other method', async () => {
      for (const path of ['follow', 'unfollow'])
        expect((await inject('PUT', `/api/v1/relation/${path}`, { token: ann.pair.accessToken })).statusCode).toBe(405)
    })
  })

  describe('R3 followers, R4 followees', () => {
    it('list users, newest follow first, with what the row has', async () => {
      const cyd = await signUp(world.app, 'cyd')
      await world.app.users.update(cyd.viewer, cyd.id, { avatarUrl: 'https://x/a.png' })
      await follow({ followee_id: bob.id })
      await follow({ followee_id: bob.id }, cyd.pair.accessToken)
      const users = [
        { id: cyd.id, username: 'cyd', avatar_url: 'https://x/a.png' },
        { id: ann.id, username: 'ann' },
      ]
      const pages = { page: 1, limit: 20 }
      const list = (id: number, side: string) => send('GET', `/relation/${id}/${side}`)
      expect(await list(bob.id, 'followers')).toEqual({ status: 200, data: { followers: users, total: 2, ...pages } })
      expect(await list(ann.id, 'followees')).toEqual({
        status: 200,
        data: { followees: [{ id: bob.id, username: 'bob' }], total: 1, ...pages },
      })
      expect(await list(bob.id, 'followees')).toEqual({ status: 200, data: { followees: [], total: 0, ...pages } })
      expect((await inject('GET', `/api/v1/relation/${bob.id}/followers`, { headers: { authorization: 'broken' } })).statusCode).toBe(200)
    })

    it('show who is gone as missing, under the same id', async () => {
      await follow({ followee_id: bob.id })
      await world.app.users.remove(bob.viewer, bob.id)
      const { data } = await send('GET', `/relation/${ann.id}/followees`)
      expect(data).toMatchObject({ followees: [{ id: bob.id, username: 'Missing user' }], total: 1 })
    })

    it('page, and silently mend what is wrong with a page number', async () => {
      for (const id of await addUsers(world, ['x', 'y', 'z'])) await world.app.relations.follow(id, bob.id)
      const ask = async (search: string) => {
        const { followers, total, page, limit } = (await send('GET', `/relation/${bob.id}/followers${search}`)).data
        return [followers.map((user: { username: string }) => user.username).join(''), total, page, limit]
      }
      expect(await ask('?page=2&limit=2')).toEqual(['x', 3, 2, 2])
      expect(await ask('?page=+2&limit=002')).toEqual(['zy', 3, 1, 2]) // a plus sign in a query is a blank
      expect(await ask('?page=%2B2&limit=002')).toEqual(['x', 3, 2, 2])
      expect(await ask('?page=3&limit=2')).toEqual(['', 3, 3, 2])
      expect(await ask('?page=2147483647&limit=100')).toEqual(['', 3, 2147483647, 100]) // 4: v1 wrapped around
      for (const wrong of ['?page=0&limit=0', '?page=x&limit=1.5', '?page=&limit=', '?page=-1&limit=101', '?page=4294967297&limit=0x5'])
        expect(await ask(wrong)).toEqual(['zyx', 3, 1, 20])
      expect(await ask('?page=2&page=1&limit=2&limit=9')).toEqual(['x', 3, 2, 2])
    })

    it('go on by cursor, whatever comes in between', async () => {
      const ids = await addUsers(world, ['w', 'x', 'y', 'z'])
      for (const id of ids.slice(1)) await world.app.relations.follow(id, bob.id)
      const one = (await send('GET', `/relation/${bob.id}/followers?limit=2`)).data
      await world.app.relations.follow(ids[0], bob.id)
      const two = (await send('GET', `/relation/${bob.id}/followers?limit=2&cursor=${one.next_cursor}`)).data
      expect([one, two].map(({ followers }) => followers.map(({ username }: any) => username).join(''))).toEqual(['zy', 'x'])
      expect([two.total, 'next_cursor' in two]).toEqual([4, false])
      expect(await send('GET', `/relation/${bob.id}/followers?cursor=x`)).toEqual(unreadable)
    })

    it.each([
      ['1', 'x', unreadable],
      ['1', '5.0', unreadable],
      ['1', '0x5', unreadable],
      ['1', '%205', unreadable],
      ['1', '1_000', unreadable],
      ['1', '99999999999999999999', unreadable],
      ['2', '0', invalid],
      ['2', '-1', invalid],
      ['3', '999999', notFound],
      ['3', '9007199254740991', notFound],
    ])('%s: answer the id %s', async (_row, id, answer) => {
      for (const side of ['followers', 'followees']) {
        expect(await send('GET', `/relation/${id}/${side}`)).toEqual(answer)
        expect(await send('GET', `/relation/${id}/${side}?page=x`)).toEqual(answer)
      }
    })

    it('take an id with a sign and leading zeros', async () => {
      expect((await send('GET', `/relation/+000${ann.id}/followers`)).status).toBe(200)
    })
  })
})

onEachDatabase('relations over tRPC', (world) => {
  const { call } = useRest(world)

  it('say what changed, and find nothing wrong with asking twice', async () => {
    const ann = await signUp(world.app, 'ann')
    const [bob] = await addUsers(world, ['bob'])
    const token = ann.pair.accessToken
    const mutate = (name: string, userId: unknown) => call('mutation', `relations.${name}`, { token, body: { userId } })
    const query = (name: string, body: object, ask = {}) => call('query', `relations.${name}`, { body, ...ask })
    expect([await mutate('follow', bob), await mutate('follow', bob)]).toEqual([{ created: true }, { created: false }])
    expect(await query('counts', { userId: bob })).toEqual({ followers: 1, followees: 0 })
    expect(await query('followers', { userId: bob, limit: 1 })).toMatchObject({ items: [{ userId: ann.id }], total: 1, nextCursor: null })
    expect(await query('followees', { userId: ann.id })).toMatchObject({ items: [{ userId: bob, username: 'bob', avatarUrl: null }] })
    expect(await query('status', { userIds: [bob] }, { token })).toEqual([{ userId: bob, following: true, followedBy: false }])
    expect([await mutate('unfollow', bob), await mutate('unfollow', bob)]).toEqual([{ removed: true }, { removed: false }])

    expect(await mutate('follow', ann.id)).toMatchObject({ error: 'relations.self_follow', status: 400 })
    expect(await mutate('follow', bob + 1000)).toMatchObject({ error: 'users.not_found', status: 404 })
    expect(await mutate('follow', 0)).toMatchObject({ error: 'input.invalid', status: 400 })
    expect(await call('mutation', 'relations.follow', { body: { userId: bob } })).toMatchObject({ error: 'auth.unauthenticated' })
    expect(await query('status', { userIds: [bob] })).toMatchObject({ error: 'auth.unauthenticated' })
    const tooMany = Array.from({ length: 101 }, (_, i) => i + 1)
    expect(await query('status', { userIds: tooMany }, { token })).toMatchObject({ error: 'input.invalid' })
    expect(await query('status', { userIds: tooMany.slice(1) }, { token })).toHaveLength(100)
  })
})
