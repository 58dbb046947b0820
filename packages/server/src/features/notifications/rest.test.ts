import { beforeEach, describe, expect, it } from 'vitest'
import { signUp, signUpAdmin, type SignedUp } from '../../../test/accounts.ts'
import { deliverAll, recountFollows } from '../../../test/follows.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { refused, useRest } from '../../../test/rest.ts'

const unreadable = refused(400, 'invalid input')
const invalid = refused(400, 'validation failed')
const notFound = refused(404, 'notification not found')
const denied = refused(403, 'access to notification denied')
const unauthenticated = refused(401, 'unauthenticated')
const badIds: [string, string, object][] = [
  ['1', 'x', unreadable],
  ['1', '5.0', unreadable],
  ['1', '0x5', unreadable],
  ['1', '%205', unreadable],
  ['1', '99999999999999999999', unreadable],
  ['2', '0', invalid],
  ['2', '-1', invalid],
  ['3', '999999', notFound],
]

onEachDatabase('notifications over REST v1', (world) => {
  const { send, inject } = useRest(world)
  let ann: SignedUp
  let bob: SignedUp
  beforeEach(async () => {
    ann = await signUp(world.app, 'ann')
    bob = await signUp(world.app, 'bob')
  })
  const ok = (data: unknown) => ({ status: 200, data })
  const as = (user: SignedUp) => ({ token: user.pair.accessToken })
  const post = (body: unknown, from = ann) => send('POST', '/notification/send', { ...as(from), body })
  const give = async (more: object = {}) =>
    (await post({ user_id: bob.id, type: 'poke', payload: null, ...more })).data.notification_id as number
  const get = (path: string, user = bob) => send('GET', `/notification/${path}`, as(user))
  const put = (path: string, user = bob) => send('PUT', `/notification/${path}`, as(user))
  const remove = (id: unknown, user = bob) => send('DELETE', `/notification/${id}`, as(user))

  it('all ask for the token before anything else', async () => {
    for (const [method, path] of [
      ['GET', 'feed?page=x'],
      ['GET', 'unread-count'],
      ['GET', 'x'],
      ['PUT', 'x/read'],
      ['PUT', 'read-all'],
      ['DELETE', 'x'],
      ['POST', 'send'],
    ] as const) {
      expect(await send(method, `/notification/${path}`, { body: '{' })).toEqual(unauthenticated)
      expect(await send(method, `/notification/${path}`, { body: '{', token: 'x' })).toEqual(refused(401, 'invalid token'))
    }
  })

  it('read a fixed word as an id where another method has it', async () => {
    for (const path of ['send', 'read-all']) expect(await get(path)).toEqual(unreadable)
    expect(await remove('feed')).toEqual(unreadable)
  })

  describe('N7 send', () => {
    it('says the id, and shows it to the recipient at once', async () => {
      const { data } = await post({ user_id: bob.id, type: 'poke', payload: { z: [1, null], aa: { b: true } } })
      expect(data).toEqual({ notification_id: expect.any(Number), message: 'Notification sent successfully' })
      const notification = {
        id: data.notification_id,
        user_id: bob.id,
        type: 'poke',
        is_read: false,
        created_at: '2026-01-01T00:00:00Z',
        payload: { z: [1, null], aa: { b: true } },
        origin: 'user',
        sender_id: ann.id,
      }
      expect(await get(`${data.notification_id}`)).toEqual(ok(notification))
      expect(await get('unread-count')).toEqual(ok({ count: 1 }))
      expect((await get('feed')).data.notifications).toEqual([notification])
    })

    it.each([
      ['{"b":1, "aa":{"dd":1,"c":[ ]}, "a":2, "a":3}', '{"a":3,"b":1,"aa":{"c":[],"dd":1}}'],
      ['{"x":1,"10":2,"9":3}', '{"9":3,"x":1,"10":2}'],
      ['null', 'null'],
      ['false', 'false'],
      ['""', '""'],
      ['"<&>"', '"\\u003c\\u0026\\u003e"'],
      ['{"__proto__":1}', '{"__proto__":1}'],
      ['{"toJSON":1}', '{"toJSON":1}'],
      ['[[1.50]]', '[[1.5]]'],
    ])('keeps the payload %s as %s', async (given, shown) => {
      const { data } = await post(`{"user_id":${bob.id},"type":"t","payload":${given}}`)
      const { body } = await inject('GET', `/api/v1/notification/${data.notification_id}`, as(bob))
      expect(body).toContain(`"payload":${shown},`)
    })

    it('tells no payload from one of null', async () => {
      const { data } = await post({ user_id: bob.id, type: 't' }) // 3
      expect((await get(`${data.notification_id}`)).data).not.toHaveProperty('payload')
      expect((await get(`${await give()}`)).data.payload).toBeNull()
    })

    it('takes any type, and anybody, also oneself', async () => {
      expect((await post({ user_id: ann.id, type: ' \u{1F600} ', payload: 1 })).status).toBe(200)
      expect((await get('feed', ann)).data.notifications).toMatchObject([{ type: ' \u{1F600} ', payload: 1, user_id: ann.id }])
    })

    it.each<[string, object | string, object]>([
      ...['', '{', '[]', '"x"', '7'].map((body): [string, string, object] => [`1 ${body}`, body, unreadable]),
      ['1 a text for an id', { user_id: '5' }, unreadable],
      ['1 a fraction for an id', { user_id: 1.5 }, unreadable],
      ['1 a number for a type', { type: 5 }, unreadable],
      ['1 what is wrong and what is unreadable', { user_id: 0, type: 5 }, unreadable],
      ['2 nothing', '{}', invalid],
      ['2 null', 'null', invalid],
      ['2 no recipient', { user_id: undefined }, invalid],
      ['2 null for a recipient', { user_id: null }, invalid],
      ['2 the recipient 0', { user_id: 0 }, invalid],
      ['2 the recipient -1', { user_id: -1 }, invalid],
      ['2 no type', { type: undefined }, invalid],
      ['2 null for a type', { type: null }, invalid],
      ['2 an empty type', { type: '' }, invalid],
      ['a type of 256', { type: 't'.repeat(256) }, invalid],
      ['a NUL in the type', { type: 't\0' }, invalid],
      ['4 a recipient whom nobody is', { user_id: 999_999 }, refused(404, 'user not found')],
      ['5 a NUL in the payload', { payload: ['a\0'] }, invalid],
      ['5 a NUL in a name of the payload', { payload: { 'a\0': 1 } }, invalid],
      ['half of a pair in the payload', { payload: '\ud83d' }, invalid],
      ['a payload that is too large', { payload: 'a'.repeat(16_384) }, invalid],
      ['a payload that is too deep', { payload: JSON.parse('['.repeat(33) + ']'.repeat(33)) }, invalid],
      ['a bad payload for nobody', { user_id: 999_999, payload: '\0' }, invalid],
    ])('refuses %s', async (_what, body, answer) => {
      const whole = typeof body === 'string' ? body : { user_id: bob.id, type: 't', payload: 1, ...body }
      expect(await post(whole)).toEqual(answer)
      expect((await get('unread-count')).data.count).toBe(0)
    })

    it('forges nothing: neither origin nor sender nor source is the sender’s to say', async () => {
      const id = await give({
        type: 'follow_created',
        origin: 'system',
        sender_id: bob.id,
        senderId: null,
        sourceKey: 'x',
        ORIGIN: 'system',
      })
      expect((await get(`${id}`)).data).toMatchObject({ type: 'follow_created', origin: 'user', sender_id: ann.id })
    })

    it('answers 429 beyond the limit', async () => {
      for (let i = 0; i < 120; i++) await give()
      expect(await post({ user_id: bob.id, type: 't' })).toEqual(refused(429, 'rate limit exceeded'))
    })

    it('can be switched off, but for admins', async () => {
      const admin = await signUpAdmin(world.app, 'root')
      world.app = world.composeAgain({
        settings: {
          createByUsers: true,
          sendByUsers: false,
          accessTtlMs: 900_000,
          refreshTtlMs: 9e9,
          issuer: 'pinstack',
          audience: 'pinstack',
        },
      })
      const hello = { user_id: bob.id, type: 'hello' }
      expect([await post(hello), (await post(hello, admin)).status]).toEqual([refused(403, 'forbidden'), 200])
    })
  })

  describe('N1 feed', () => {
    it('is empty at first', async () => {
      const data = { notifications: [], total: 0, page: 1, limit: 10, total_pages: 0 }
      expect(await get('feed')).toEqual(ok(data))
    })

    it('pages newest first, by number and by cursor', async () => {
      const ids: number[] = []
      for (let i = 0; i < 12; i++) ids.unshift(await give())
      const ask = async (query: string) => {
        const { notifications, ...rest } = (await get(`feed${query}`)).data
        return [notifications.map(({ id }: { id: number }) => id), rest]
      }
      const page = (page: number, limit: number) => ({ page, limit, total: 12, total_pages: Math.ceil(12 / limit) })
      expect(await ask('')).toEqual([ids.slice(0, 10), { ...page(1, 10), next_cursor: ids[9] }])
      expect(await ask('?page=2')).toEqual([ids.slice(10), page(2, 10)])
      expect(await ask('?page=%2B2&limit=005')).toEqual([ids.slice(5, 10), { ...page(2, 5), next_cursor: ids[9] }])
      expect(await ask('?page=&limit=')).toEqual([ids.slice(0, 10), { ...page(1, 10), next_cursor: ids[9] }])
      expect(await ask('?page=2&page=x&limit=7&limit=0')).toEqual([ids.slice(7), page(2, 7)])
      expect(await ask('?page=3&limit=6')).toEqual([[], page(3, 6)])
      expect(await ask('?page=2147483647&limit=100')).toEqual([[], page(2147483647, 100)])
      await give()
      expect((await ask(`?limit=3&cursor=${ids[2]}`))[0]).toEqual(ids.slice(3, 6))
      expect(await ask(`?cursor=${ids[9]}`)).toEqual([ids.slice(10), { page: 1, limit: 10, total: 13, total_pages: 2 }])
    })

    it.each([
      'page=0',
      'page=-1',
      'page=x',
      'page=1.5',
      'page=+1',
      'page=2147483648',
      'page=4294967297',
      'limit=0',
      'limit=101',
      'limit=-1',
      'limit=x',
      'limit=0x5',
      'limit=1e1',
      'page=0&limit=x',
      'cursor=0',
      'cursor=x',
    ])('refuses %s', async (query) => {
      expect(await get(`feed?${query}`)).toEqual(unreadable)
    })
  })

  describe('N2 unread count, N4 read, N5 read all, N6 remove', () => {
    it('go together', async () => {
      const [one, two, three] = [await give(), await give(), await give()]
      const done = (message: string) => ok({ success: true, message })
      expect(await put(`${one}/read`)).toEqual(done('Notification marked as read'))
      expect(await put(`${one}/read`)).toEqual(done('Notification already marked as read'))
      expect((await get(`${one}`)).data.is_read).toBe(true)
      expect(await get('unread-count')).toEqual(ok({ count: 2 }))
      expect(await remove(two)).toEqual(done('Notification removed successfully'))
      expect(await remove(two)).toEqual(notFound)
      expect(await get('unread-count')).toEqual(ok({ count: 1 }))
      expect(await put('read-all')).toEqual(done('All notifications marked as read'))
      expect(await put('read-all')).toEqual(done('All notifications marked as read'))
      expect(await get('unread-count')).toEqual(ok({ count: 0 }))
      expect((await get('feed')).data).toMatchObject({
        total: 2,
        notifications: [
          { id: three, is_read: true },
          { id: one, is_read: true },
        ],
      })
      await recountFollows(world)
    })

    it('look at no body', async () => {
      const id = await give()
      for (const path of [`${id}/read`, 'read-all'])
        expect((await send('PUT', `/notification/${path}`, { ...as(bob), body: '{' })).status).toBe(200)
    })
  })

  describe('N3 get, N4 read, N6 remove', () => {
    const each = (id: string, user = bob) => [get(id, user), put(`${id}/read`, user), remove(id, user)]

    it.each(badIds)('%s: answer the id %s', async (_row, id, answer) => {
      expect(await Promise.all(each(id))).toEqual([answer, answer, answer])
    })
    it('4: belong to the recipient alone, the sender is somebody else', async () => {
      const id = await give()
      expect(await Promise.all(each(`${id}`, ann))).toEqual([denied, denied, denied])
      expect((await get(`+00${id}`)).data).toMatchObject({ id, is_read: false })
    })
  })

  it('print their times as v1 does', async () => {
    const shown: string[] = []
    for (const ms of [0, 120, 3, 877]) {
      world.clock.advance(ms)
      shown.push((await get(`${await give()}`)).data.created_at)
    }
    expect(shown).toEqual(['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.12Z', '2026-01-01T00:00:00.123Z', '2026-01-01T00:00:01Z'])
  })

  it('tell of a follow, and no longer of one that is over', async () => {
    const follow = (path: string) => send('POST', `/relation/${path}`, { ...as(ann), body: { followee_id: bob.id } })
    await follow('follow')
    await deliverAll(world)
    const { body } = await inject('GET', '/api/v1/notification/feed', as(bob))
    expect(body).toContain(`"payload":{"followee_id":${bob.id},"follower_id":${ann.id},"timestamptz":"2026-01-01T00:00:00.000Z"}`)
    const [notification] = JSON.parse(body).data.notifications
    expect(notification).toMatchObject({ user_id: bob.id, type: 'follow_created', is_read: false, origin: 'system' })
    expect(notification).not.toHaveProperty('sender_id')
    expect(await get('unread-count')).toEqual(ok({ count: 1 }))
    await follow('unfollow')
    await deliverAll(world)
    expect((await get('feed')).data.total).toBe(0)
    expect(await get('unread-count')).toEqual(ok({ count: 0 }))
  })
})

onEachDatabase('notifications over tRPC', (world) => {
  const { call } = useRest(world)

  it('take one from its sender to its end', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    const mutate = (name: string, { pair }: SignedUp, body: object = {}) =>
      call('mutation', `notifications.${name}`, { token: pair.accessToken, body })
    const query = (name: string, { pair }: SignedUp, body?: object) =>
      call('query', `notifications.${name}`, { token: pair.accessToken, ...(body && { body }) })
    const { id } = await mutate('send', ann, { userId: bob.id, type: 'poke', payload: { b: 1, a: null } })
    const notification = {
      id,
      userId: bob.id,
      type: 'poke',
      origin: 'user',
      senderId: ann.id,
      payload: { a: null, b: 1 },
      createdAt: '2026-01-01T00:00:00.000Z',
      readAt: null,
    }
    expect(await query('feed', bob, {})).toEqual({ items: [notification], total: 1, nextCursor: null })
    expect(await query('byId', bob, { id })).toEqual(notification)
    expect(await query('unreadCount', bob)).toEqual({ count: 1 })
    expect([await mutate('read', bob, { id }), await mutate('read', bob, { id })]).toEqual([{ changed: true }, { changed: false }])
    expect(await mutate('readAll', bob)).toEqual({ changed: 0 })
    expect([await mutate('remove', bob, { id }), await mutate('remove', bob, { id })]).toEqual([{ removed: true }, { removed: false }])

    expect(await query('byId', bob, { id })).toMatchObject({ error: 'notifications.not_found', status: 404 })
    const { id: other } = await mutate('send', ann, { userId: bob.id, type: 'poke' })
    expect(await query('byId', ann, { id: other })).toMatchObject({ error: 'notifications.access_denied', status: 403 })
    expect(await query('byId', bob, { id: other })).not.toHaveProperty('payload')
    expect(await mutate('send', ann, { userId: bob.id, type: '' })).toMatchObject({ error: 'input.invalid', status: 400 })
    expect(await mutate('send', ann, { userId: bob.id, type: 'a', payload: '\0' })).toMatchObject({ error: 'input.invalid', status: 400 })
    expect(await call('query', 'notifications.feed', { body: {} })).toMatchObject({ error: 'auth.unauthenticated' })
  })
})
