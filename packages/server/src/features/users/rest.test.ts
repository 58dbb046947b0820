import { beforeEach, describe, expect, it } from 'vitest'
import { password, signUp, signUpAdmin, type SignedUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { refused, useRest } from '../../../test/rest.ts'

const astral = '\u{1F600}'
const unreadable = refused(400, 'invalid input')
const invalid = refused(400, 'validation failed')
const notFound = refused(404, 'user not found')
const unauthenticated = refused(401, 'unauthenticated')
const badBodies = ['', '{', '[]', '"x"', '7']
const beyond = '9007199254740993'

onEachDatabase('users over REST v1', (world) => {
  const { send, inject } = useRest(world)
  let ann: SignedUp
  let bob: SignedUp
  beforeEach(async () => {
    ann = await signUp(world.app, 'ann')
    bob = await signUp(world.app, 'bob')
  })
  const publicAnn = () => ({ id: ann.id, username: 'ann', created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' })
  const ownAnn = () => ({ ...publicAnn(), email: 'ann@example.com' })
  const ok = (data: unknown) => ({ status: 200, data })

  describe('U1 create', () => {
    const cyd = { username: 'cyd', email: 'cyd@example.com', password }
    const create = (more: object | string = {}, path = '/users') =>
      send('POST', path, { token: ann.pair.accessToken, body: typeof more === 'string' ? more : { ...cyd, ...more } })

    it('makes an account that can sign in, and gives no tokens for it', async () => {
      expect(await create({ full_name: '', bio: '', avatar_url: 'https://example.com/c.png' })).toEqual({
        status: 201,
        data: {
          id: bob.id + 1,
          username: 'cyd',
          full_name: '',
          bio: '',
          avatar_url: 'https://example.com/c.png',
          created_at: '2026-01-01T00:00:00Z',
          updated_at: '2026-01-01T00:00:00Z',
        },
      })
      expect((await send('POST', '/auth/login', { body: { login: 'cyd', password } })).status).toBe(200)
      expect((await create({ username: 'dan', email: 'dan@example.com' }, '/users/')).status).toBe(201)
    })

    it.each<[string, object | string, object]>([
      ...badBodies.map((body): [string, string, object] => [`1 ${body}`, body, unreadable]),
      ['1 a number for a name', { username: 5 }, unreadable],
      ['2 nothing', '{}', invalid],
      ['2 null', 'null', invalid],
      ['2 a username of 2', { username: 'cy' }, invalid],
      ['2 a username of 33', { username: 'c'.repeat(33) }, invalid],
      ['2 no username', { username: null }, invalid],
      ['2 no e-mail', { email: undefined }, invalid],
      ['2 no e-mail syntax', { email: 'a..b@example.com' }, invalid],
      ['2 no password', { password: undefined }, invalid],
      ['4 a password of 7', { password: '1234567' }, invalid],
      ['4 a password of 129', { password: 'c'.repeat(129) }, invalid],
      ['2 a full name of 101', { full_name: astral.repeat(101) }, invalid],
      ['2 a bio of 501', { bio: astral.repeat(501) }, invalid],
      ['2 a NUL', { full_name: 'C\0' }, invalid],
      ['2 an empty picture', { avatar_url: '' }, invalid],
      ['2 a picture that runs', { avatar_url: 'javascript:alert(1)' }, invalid],
      ['2 data', { avatar_url: 'data:image/png;base64,AA' }, invalid],
      ['an e-mail that is not plain', { email: "o'brien@example.com" }, refused(400, 'invalid email')],
      ['5 a taken username', { username: 'Ann' }, refused(409, 'username already exists')],
      ['5 a taken e-mail', { email: 'ANN@example.com' }, refused(409, 'email already exists')],
    ])('refuses %s', async (_what, body, answer) => {
      expect(await create(body)).toEqual(answer)
      expect(await world.database.db.selectFrom('user').select('username').orderBy('id').execute()).toEqual([
        { username: 'ann' },
        { username: 'bob' },
      ])
    })

    it('takes an account without a full name, which crashed v1', async () => {
      expect((await create()).data).not.toHaveProperty('full_name')
      expect((await create({ username: 'dan', email: 'dan@example.com', full_name: null, bio: null })).status).toBe(201)
    })
    it('asks for the token first', async () => {
      expect(await send('POST', '/users', { body: '{' })).toEqual(unauthenticated)
    })
    it('shows the address to an admin, and where it is switched off creates for admins alone', async () => {
      const admin = await signUpAdmin(world.app, 'root')
      expect((await send('POST', '/users', { token: admin.pair.accessToken, body: cyd })).data.email).toBe('cyd@example.com')
      world.app = world.composeAgain({
        settings: {
          createByUsers: false,
          sendByUsers: true,
          accessTtlMs: 900_000,
          refreshTtlMs: 9e9,
          issuer: 'pinstack',
          audience: 'pinstack',
        },
      })
      const dan = { username: 'dan', email: 'dan@example.com' }
      expect([await create(dan), await create({ ...dan, email: 'x' })]).toEqual([refused(403, 'forbidden'), invalid])
      expect((await send('POST', '/users', { token: admin.pair.accessToken, body: { ...cyd, ...dan } })).status).toBe(201)
    })
  })

  describe('U2 by id', () => {
    it('answers a user', async () => {
      expect(await send('GET', `/users/${ann.id}`)).toEqual(ok(publicAnn()))
      expect(await send('GET', `/users/+00${ann.id}`)).toEqual(ok(publicAnn()))
    })
    it.each([
      ['1', 'x', unreadable],
      ['1', '5.0', unreadable],
      ['1', '0x5', unreadable],
      ['1', '1_000', unreadable],
      ['1', '%205', unreadable],
      ['1', '99999999999999999999', unreadable],
      ['1', beyond, unreadable],
      ['1', 'username', unreadable],
      ['1', 'avatar', unreadable],
      ['2', '0', invalid],
      ['2', '-1', invalid],
      ['3', '999999', notFound],
      ['3', '9007199254740991', notFound],
    ])('%s: answers %s', async (_row, id, answer) => {
      expect(await send('GET', `/users/${id}`)).toEqual(answer)
    })
    it('takes one query, and none the second time', async () => {
      const read = () => send('GET', `/users/${ann.id}`)
      expect([await world.countQueries(read), await world.countQueries(read)]).toEqual([1, 0])
    })
  })

  describe('U3 by username', () => {
    it.each(['ann', 'ANN', '%61nn', '%ef%bd%81nn'])('finds %s', async (name) => {
      expect(await send('GET', `/users/username/${name}`)).toEqual(ok(publicAnn()))
    })
    it.each([
      ['1', 'a'],
      ['1', 'an'],
      ['2', 'nobody'],
      ['2', 'a%40b'],
      ['2', 'ann%20'],
      ['2', 'an%00n'],
      ['2', 'a'.repeat(2000)],
    ])('%s: finds nobody for %s', async (_row, name) => {
      expect(await send('GET', `/users/username/${name}`)).toEqual(notFound)
    })
  })

  describe('U4 by e-mail', () => {
    const byEmail = (email: string, token?: string) => send('GET', `/users/email/${email}`, token === undefined ? {} : { token })

    it.each(['ann@example.com', 'ann%40example.com', 'ANN@Example.com'])('finds oneself as %s', async (email) => {
      expect(await byEmail(email, ann.pair.accessToken)).toEqual(ok(ownAnn()))
    })
    it.each([
      ['1', 'ann'],
      ['1', "o'brien@example.com"],
      ['1', '%C3%BC@example.com'],
      ['2', 'a..b@x.org'],
      ['1', 'ann@example'],
      ['1', 'an%00n@example.com'],
    ])('%s: refuses %s', async (_row, email) => {
      expect(await byEmail(email)).toEqual(invalid)
      expect(await byEmail(email, ann.pair.accessToken)).toEqual(invalid)
    })
    it('finds nobody else, as if they were not there; for an admin, anyone', async () => {
      const answers = [
        await byEmail('bob@example.com'),
        await byEmail('bob@example.com', ann.pair.accessToken),
        await byEmail('bob@example.com', 'x'),
        await byEmail('nobody@example.com', ann.pair.accessToken),
      ]
      expect(answers).toEqual(Array(4).fill(notFound))
      const admin = await signUpAdmin(world.app, 'root')
      expect((await byEmail('Bob@example.com', admin.pair.accessToken)).data).toMatchObject({ id: bob.id, email: 'bob@example.com' })
      expect(await byEmail('nobody@example.com', admin.pair.accessToken)).toEqual(notFound)
    })
  })

  describe('U5 search', () => {
    const search = (query: string, token?: string) => send('GET', `/users/search${query}`, token === undefined ? {} : { token })
    const names = async (query: string) => {
      const { users, total, next_cursor } = (await search(query)).data
      return [users.map((user: { username: string }) => user.username).join(' '), total, next_cursor]
    }

    it('answers users, their true total, and where to go on', async () => {
      await signUp(world.app, 'anna')
      const { data } = await search('?query=ANN&limit=1')
      expect(data).toEqual({ users: [publicAnn()], total: 2, next_cursor: ann.id })
      expect(await search('?query=bob')).toEqual(ok({ users: [{ ...publicAnn(), id: bob.id, username: 'bob' }], total: 1 }))
      expect(await search('?query=nobody')).toEqual(ok({ users: [], total: 0 }))
      expect([
        await names('?query=ann&limit=1&page=2'),
        await names(`?query=ann&limit=1&cursor=${ann.id}`),
        await names(`?query=ann&cursor=%2B${ann.id}`),
      ]).toEqual(Array(3).fill(['anna', 2, undefined]))
    })
    it.each(['', '?query=', '?page=1', '?query=&query=ann', '?QUERY=ann', '?query=an%00n', '?query=%00'])(
      '1: refuses %s',
      async (query) => {
        expect(await search(query)).toEqual(refused(400, 'invalid search query'))
      },
    )
    it('silently mends what is wrong with a page number, and takes the first of each parameter', async () => {
      for (const wrong of [
        'page=0&limit=0',
        'page=x&limit=1.5',
        'page=&limit=',
        'page=-1&limit=101',
        'page=4294967297&limit=0x5',
        'page=99999999999999999999',
      ]) {
        expect(await names(`?query=n&${wrong}`)).toEqual(['ann', 1, undefined])
      }
      expect(await names('?query=ann&query=bob&limit=1&limit=50')).toEqual(['ann', 1, undefined])
      expect(await names('?query=n&page=2147483647&limit=100')).toEqual(['', 1, undefined])
    })
    it.each([
      ['cursor=x', unreadable],
      [`cursor=${beyond}`, unreadable],
      ['cursor=0', invalid],
      ['cursor=-1', invalid],
    ])('refuses %s', async (cursor, answer) => {
      expect(await search(`?query=ann&${cursor}`)).toEqual(answer)
    })
    it('ends in ten when nothing is said', async () => {
      for (let i = 0; i < 11; i++)
        await world.database.transaction((tx) =>
          tx
            .insertInto('user')
            .values({
              username: `user${i}`,
              usernameFolded: `user${i}`,
              email: '',
              createdAt: '2026-01-01T00:00:00.000Z',
              updatedAt: '2026-01-01T00:00:00.000Z',
            })
            .execute(),
        )
      expect((await search('?query=user')).data).toMatchObject({ users: { length: 10 }, total: 11, next_cursor: expect.any(Number) })
    })
  })

  describe('U6 update', () => {
    const update = (body: unknown, token = ann.pair.accessToken, path = '/users') => send('PUT', path, { token, body })

    it('writes what is given', async () => {
      world.clock.advance(61_500)
      const changed = {
        ...ownAnn(),
        username: 'Anna',
        email: 'anna@example.com',
        full_name: 'Anna A.',
        bio: '',
        updated_at: '2026-01-01T00:01:01Z',
      }
      expect(
        await update({
          id: ann.id,
          username: 'Anna',
          email: 'anna@example.com',
          full_name: 'Anna A.',
          bio: '',
          avatar_url: 'https://x.example/a.png',
          role: 'admin',
          created_at: 'x',
        }),
      ).toEqual(ok(changed))
      world.clock.advance(1_000)
      const moved = { ...changed, updated_at: '2026-01-01T00:01:02Z' }
      expect(
        await update({ id: ann.id, username: null, email: null, full_name: null, bio: null }, ann.pair.accessToken, '/users/'),
      ).toEqual(ok(moved))
      expect(await send('GET', `/users/${ann.id}`, { token: ann.pair.accessToken })).toEqual(ok(moved))
      expect((await update({ id: ann.id, full_name: '' })).data.full_name).toBe('')
      expect((await update({ ID: ann.id, Full_Name: 'A' })).data.full_name).toBe('A')
    })
    it.each<[string, (id: number) => unknown, object]>([
      ...badBodies.map((body): [string, () => unknown, object] => [`1 ${body}`, () => body, unreadable]),
      ['1 a text for an id', (id) => ({ id: String(id) }), unreadable],
      ['1 a fraction', () => ({ id: 1.5 }), unreadable],
      ['1 an id beyond all integers', () => `{"id":${beyond}}`, unreadable],
      ['1 a number for a bio', (id) => ({ id, bio: 1 }), unreadable],
      ['2 no id', () => ({}), invalid],
      ['2 null', () => 'null', invalid],
      ['2 an id of 0', () => ({ id: 0 }), invalid],
      ['2 a negative id', () => ({ id: -1 }), invalid],
      ['2 an empty username', (id) => ({ id, username: '' }), invalid],
      ['2 a username of 33', (id) => ({ id, username: 'a'.repeat(33) }), invalid],
      ['2 an empty e-mail', (id) => ({ id, email: '' }), invalid],
      ['2 no e-mail syntax', (id) => ({ id, email: 'x' }), invalid],
      ['2 a full name of 101', (id) => ({ id, full_name: 'a'.repeat(101) }), invalid],
      ['2 a bio of 501', (id) => ({ id, bio: 'a'.repeat(501) }), invalid],
      ['2 a NUL', (id) => ({ id, bio: '\0' }), invalid],
      ['an e-mail that is not plain', (id) => ({ id, email: 'ü@example.com' }), refused(400, 'invalid email')],
      ['2 before 3: somebody else, and a bad e-mail', () => ({ id: 999, email: 'x' }), invalid],
      ['before 3: somebody else, and not plain', () => ({ id: 999, email: 'ü@example.com' }), refused(400, 'invalid email')],
      ['3 somebody else', (id) => ({ id: id + 1, bio: 'x' }), refused(403, 'forbidden')],
      ['3 nobody', () => ({ id: 999999 }), refused(403, 'forbidden')],
      ['3 before 5', (id) => ({ id: id + 1, username: 'bob' }), refused(403, 'forbidden')],
      ['5 a taken username', (id) => ({ id, username: 'BOB' }), refused(409, 'username already exists')],
      ['5 a taken e-mail', (id) => ({ id, email: 'BOB@example.com' }), refused(409, 'email already exists')],
    ])('refuses %s', async (_what, body, answer) => {
      expect(await update(body(ann.id))).toEqual(answer)
      expect(await send('GET', `/users/${ann.id}`, { token: ann.pair.accessToken })).toEqual(ok(ownAnn()))
    })
  })

  describe('U7 avatar', () => {
    const setAvatar = (body: unknown) => send('PUT', '/users/avatar', { token: ann.pair.accessToken, body })

    it('sets it, and says nothing', async () => {
      world.clock.advance(5_000)
      expect(await setAvatar({ avatar_url: 'https://example.com/a.png' })).toEqual({ status: 200 })
      expect((await send('GET', `/users/${ann.id}`)).data).toMatchObject({
        avatar_url: 'https://example.com/a.png',
        updated_at: '2026-01-01T00:00:05Z',
      })
    })
    it.each<[string, unknown, object]>([
      ...badBodies.map((body): [string, unknown, object] => [`1 ${body}`, body, unreadable]),
      ['1 a number', { avatar_url: 1 }, unreadable],
      ['2 nothing', {}, invalid],
      ['2 null', { avatar_url: null }, invalid],
      ['2 an empty text', { avatar_url: '' }, invalid],
      ['2 no URL', { avatar_url: 'example.com/x' }, invalid],
      ['2 a script', { avatar_url: 'javascript:alert(1)' }, invalid],
      ['2 data', { avatar_url: 'data:image/png;base64,AA' }, invalid],
      ['2 a file', { avatar_url: 'file:///p' }, invalid],
      ['2 one of 2,049', { avatar_url: `https://e.example/${'a'.repeat(2031)}` }, invalid],
    ])('refuses %s', async (_what, body, answer) => {
      expect(await setAvatar(body)).toEqual(answer)
    })
    it('asks for the token first', async () => {
      expect(await send('PUT', '/users/avatar', { body: '{' })).toEqual(unauthenticated)
    })
  })

  describe('U8 delete', () => {
    const remove = (id: number | string, token = ann.pair.accessToken) => send('DELETE', `/users/${id}`, { token })

    it('ends the account: no body, and nobody there from then on', async () => {
      const answer = await inject('DELETE', `/api/v1/users/${ann.id}`, { token: ann.pair.accessToken })
      expect([answer.statusCode, answer.body, answer.headers['content-type']]).toEqual([204, '', 'application/json'])
      expect([await send('GET', `/users/${ann.id}`), await send('GET', '/users/username/ann'), await remove(ann.id)]).toEqual([
        notFound,
        notFound,
        unauthenticated,
      ])
      expect((await send('POST', '/auth/register', { body: { username: 'ann', email: 'ann@example.com', password } })).status).toBe(201)
    })
    it.each([
      ['1', 'x', unreadable],
      ['1', '5.0', unreadable],
      ['1', beyond, unreadable],
      ['2', '0', invalid],
      ['2', '-5', invalid],
      ['3', '999999', refused(403, 'forbidden')],
    ])('%s: answers %s', async (_row, id, answer) => {
      expect(await remove(id)).toEqual(answer)
    })
    it('3: refuses somebody else, also to an admin', async () => {
      const admin = await signUpAdmin(world.app, 'root')
      expect([await remove(bob.id), await remove(bob.id, admin.pair.accessToken)]).toEqual(Array(2).fill(refused(403, 'forbidden')))
    })
    it('asks for the token before it looks at the id', async () => {
      expect([await send('DELETE', '/users/x'), await send('DELETE', '/users/0')]).toEqual([unauthenticated, unauthenticated])
    })
  })

  it('shows an address to its owner and to admins, and to nobody else, wherever there is one', async () => {
    const admin = await signUpAdmin(world.app, 'root')
    const places = [`/users/${ann.id}`, '/users/username/ann', '/users/search?query=ann', '/users/search?query=an']
    const seen = async (token?: string) =>
      Promise.all(
        places.map(async (place) => {
          const answer = await inject('GET', `/api/v1${place}`, token === undefined ? {} : { token })
          expect(answer.statusCode).toBe(200)
          return answer.body.includes('ann@example.com')
        }),
      )
    for (let round = 0; round < 2; round++) {
      // the second time from the cache
      expect([await seen(), await seen('broken'), await seen(bob.pair.accessToken)]).toEqual(Array(3).fill([false, false, false, false]))
      expect([await seen(ann.pair.accessToken), await seen(admin.pair.accessToken)]).toEqual(Array(2).fill([true, true, true, true]))
    }
    expect(
      JSON.stringify(
        await send('POST', '/users', { token: ann.pair.accessToken, body: { username: 'cyd', email: 'cyd@example.com', password } }),
      ),
    ).not.toContain('@')
    expect(await send('GET', '/users/search?query=example')).toEqual(ok({ users: [], total: 0 }))
    expect(JSON.stringify(await world.database.db.selectFrom('outbox').selectAll().execute())).not.toContain('@')
  })

  it('knows other methods on no path that v1 does not', async () => {
    const allowed = async (method: 'GET' | 'POST' | 'PUT' | 'DELETE', path: string) => {
      const answer = await inject(method, `/api/v1${path}`)
      return [answer.statusCode, answer.headers.allow]
    }
    expect(await allowed('PUT', '/users/5')).toEqual([405, 'GET, HEAD, DELETE'])
    expect((await allowed('GET', '/auth/login'))[0]).toBe(405)
    expect((await allowed('GET', '/users/username/'))[0]).toBe(404)
    expect((await allowed('GET', '/users/5/'))[0]).toBe(404)
  })
})
