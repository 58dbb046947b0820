import { createHmac } from 'node:crypto'
import { beforeEach, describe, expect, it } from 'vitest'
import { password, signIn, signUp, type SignedUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { refused, useRest } from '../../../test/rest.ts'
import { graceMs } from './auth.ts'

const astral = '\u{1F600}'
const unreadable = refused(400, 'invalid input')
const invalid = refused(400, 'validation failed')
const badBodies = ['', '{', '[]', '"x"', '7', '{"a":1} x']

onEachDatabase('auth over REST v1', (world) => {
  const { send, log } = useRest(world)
  const tokens = { access_token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/), refresh_token: expect.stringMatching(/^[\w-]{43}$/) }
  const post = (path: string, body: unknown, token?: string) =>
    send('POST', `/auth/${path}`, { body, ...(token !== undefined && { token }) })
  let ann: SignedUp
  beforeEach(async () => {
    ann = await signUp(world.app, 'ann')
  })

  describe('A1 register', () => {
    const bob = { username: 'bob', email: 'bob@example.com', password }
    const register = (more: object = {}) => post('register', { ...bob, ...more })

    it('makes an account and signs in to it', async () => {
      const answer = await register({
        full_name: 'Bob B.',
        bio: 'I build things.',
        avatar_url: 'https://example.com/b.png',
        role: 'admin',
        id: 1,
        unknown: [{}],
      })
      expect(answer).toEqual({ status: 201, data: tokens })
      expect(await send('GET', '/auth/me', { token: answer.data.access_token })).toEqual({
        status: 200,
        data: {
          id: ann.id + 1,
          username: 'bob',
          email: 'bob@example.com',
          full_name: 'Bob B.',
          bio: 'I build things.',
          avatar_url: 'https://example.com/b.png',
          role: 'user',
          created_at: '2026-01-01T00:00:00Z',
          updated_at: '2026-01-01T00:00:00Z',
        },
      })
    })

    it.each<[string, object, object]>([
      ['2 no username', { username: undefined }, invalid],
      ['2 a null username', { username: null }, invalid],
      ['2 an empty username', { username: '' }, invalid],
      ['2 a username of 2', { username: 'bo' }, invalid],
      ['2 a username of 33', { username: 'b'.repeat(33) }, invalid],
      ['2 a username with an @', { username: 'b@b' }, invalid],
      ['2 a username with a blank', { username: 'bob b' }, invalid],
      ['2 a NUL in the username', { username: 'bo\0b' }, invalid],
      ['2 half a character', { username: 'bob\ud800' }, invalid],
      ['2 no e-mail', { email: undefined }, invalid],
      ['2 no e-mail syntax', { email: 'bob' }, invalid],
      ['2 two dots', { email: 'a..b@example.com' }, invalid],
      ['2 an e-mail of 255', { email: `${'b'.repeat(243)}@example.com` }, invalid],
      ['2 no password', { password: undefined }, invalid],
      ['2 a password of 5', { password: '12345' }, invalid],
      ['3 a password of 7', { password: '1234567' }, invalid],
      ['3 a full name of 2', { full_name: 'Bo' }, invalid],
      ['3 a bio of 7', { bio: '1234567' }, invalid],
      ['3 a picture of 7', { avatar_url: 'http://' }, invalid],
      ['3 a full name of 101', { full_name: 'b'.repeat(101) }, invalid],
      ['3 a bio of 501', { bio: 'b'.repeat(501) }, invalid],
      ['3 a NUL in the bio', { bio: 'I build\0 things' }, invalid],
      ['4 an e-mail that is not plain', { email: "o'brien@example.com" }, refused(400, 'invalid email')],
      ['4 an e-mail of another script', { email: 'ü@example.com' }, refused(400, 'invalid email')],
      ['4 before 5: that, and a password of 129', { email: 'ü@example.com', password: 'a'.repeat(129) }, refused(400, 'invalid email')],
      ['4 before 6: that, and no URL', { email: 'ü@example.com', avatar_url: 'javascript:alert(1)' }, refused(400, 'invalid email')],
      ['3 before 4: that, and a short password', { email: 'ü@example.com', password: '1234567' }, invalid],
      ['5 a password of 129', { password: astral.repeat(129) }, invalid],
      ['6 a picture that runs', { avatar_url: 'javascript:alert(1)' }, invalid],
      ['6 a picture without a host', { avatar_url: 'https:////' }, invalid],
      ['6 ftp', { avatar_url: 'ftp://h.example/x' }, invalid],
      ['7 a taken username', { username: 'ANN' }, refused(409, 'username already exists')],
      ['7 before 8: both taken', { username: 'ann', email: 'ann@example.com' }, refused(409, 'username already exists')],
      ['8 a taken e-mail', { email: 'Ann@Example.com' }, refused(409, 'email already exists')],
      [
        '4 before 7: a taken username and an e-mail that is not plain',
        { username: 'ann', email: 'ü@example.com' },
        refused(400, 'invalid email'),
      ],
    ])('refuses %s', async (_what, more, answer) => {
      expect(await register(more)).toEqual(answer)
      expect(await world.database.db.selectFrom('user').select('username').execute()).toEqual([{ username: 'ann' }])
    })

    it.each<[string, object]>([
      ['a password of 8', { password: astral.repeat(8) }],
      ['a password of 128', { password: astral.repeat(128) }],
      ['a username of 3 and of 32', { username: 'é'.repeat(32) }],
      ['empty texts', { full_name: '', bio: '', avatar_url: '' }],
      ['nulls', { full_name: null, bio: null, avatar_url: null }],
      ['a full name of 3, a bio of 8', { full_name: astral.repeat(3), bio: astral.repeat(8) }],
      ['a full name of 100, a bio of 500', { full_name: astral.repeat(100), bio: astral.repeat(500) }],
      ['names in capitals', { USERNAME: 'bob2', username: undefined }],
    ])('takes %s', async (_what, more) => {
      expect((await register(more)).status).toBe(201)
    })

    it('keeps an empty full name and bio, and takes an empty picture for none', async () => {
      const { data } = await register({ full_name: '', bio: '', avatar_url: '' })
      const me = (await send('GET', '/auth/me', { token: data.access_token })).data
      expect([me.full_name, me.bio, 'avatar_url' in me]).toEqual(['', '', false])
    })

    it.each([
      ...badBodies,
      '{"username":1}',
      '{"username":"bob","email":[],"password":"correct horse"}',
      '{"password":true}',
      '{"avatar_url":{}}',
    ])('cannot read %s', async (body) => {
      expect(await post('register', body)).toEqual(unreadable)
    })
    it.each(['{}', 'null', '{"unknown":1}'])('finds nothing in %s', async (body) => {
      expect(await post('register', body)).toEqual(invalid)
    })
  })

  describe('A2 login', () => {
    const login = (login: unknown) => post('login', { login, password })

    it.each(['ann', 'ANN', 'ann@example.com', 'ANN@EXAMPLE.COM'])('signs in as %s', async (name) => {
      expect(await login(name)).toEqual({ status: 200, data: tokens })
    })

    it.each<[string, unknown, unknown, object]>([
      ['2 no login', undefined, password, invalid],
      ['2 an empty login', '', password, invalid],
      ['2 no password', 'ann', undefined, invalid],
      ['2 a password of 5', 'ann', '12345', invalid],
      ['2 a NUL in the login', 'an\0n', password, invalid],
      ['2 half a character in the password', 'ann', 'correct \ud800', invalid],
      ['3 a login of 1', 'a', password, refused(404, 'user not found')],
      ['3 a login of 2', 'an', password, refused(404, 'user not found')],
      ['3 plain, and no e-mail', 'a..b@x.org', password, refused(404, 'user not found')],
      ['4 nobody', 'nobody', password, refused(404, 'user not found')],
      ['4 nobody’s e-mail', 'nobody@example.com', password, refused(404, 'user not found')],
      ['4 an e-mail that is not plain', "o'brien@example.com", password, refused(404, 'user not found')],
      ['4 a blank more', 'ann ', password, refused(404, 'user not found')],
      ['5 a wrong password', 'ann', 'wrong horse', refused(401, 'invalid credentials')],
      ['5 a password of 6', 'ann', '123456', refused(401, 'invalid credentials')],
      ['5 a very long password', 'ann', 'a'.repeat(1000), refused(401, 'invalid credentials')],
      ['1 a number', 1, password, unreadable],
      ['1 a list', 'ann', [], unreadable],
    ])('answers %s', async (_what, name, given, answer) => {
      expect(await post('login', { login: name, password: given })).toEqual(answer)
    })
    it.each(badBodies)('cannot read %s', async (body) => expect(await post('login', body)).toEqual(unreadable))
  })

  describe('A3 refresh', () => {
    const refresh = (token: unknown) => post('refresh', { refresh_token: token })

    it('gives a new pair, and the same once more to a racing tab', async () => {
      const first = await refresh(ann.pair.refreshToken)
      expect(first).toEqual({ status: 200, data: tokens })
      expect([first.data.access_token === ann.pair.accessToken, await refresh(ann.pair.refreshToken)]).toEqual([true, first]) // the access token of the same second is the same
      expect((await refresh(first.data.refresh_token)).status).toBe(200)
    })

    it.each<[string, () => Promise<unknown> | unknown, object]>([
      ['1 a number', () => 1, unreadable],
      ['2 nothing', () => undefined, invalid],
      ['2 an empty text', () => '', invalid],
      ['2 null', () => null, invalid],
      ['3 one that expired', () => (world.clock.advance(30 * 86_400_000), ann.pair.refreshToken), refused(401, 'unauthenticated')],
      ['4 what is none', () => 'x', refused(401, 'invalid refresh token')],
      ['4 an access token', () => ann.pair.accessToken, refused(401, 'invalid refresh token')],
      ['4 an unknown one', () => 'A'.repeat(43), refused(401, 'invalid refresh token')],
      [
        '4 one that was used before',
        async () => (await refresh(ann.pair.refreshToken), world.clock.advance(graceMs + 1), ann.pair.refreshToken),
        refused(401, 'invalid refresh token'),
      ],
      [
        '4 one that was signed out',
        async () => (await post('logout', { refresh_token: ann.pair.refreshToken }), ann.pair.refreshToken),
        refused(401, 'invalid refresh token'),
      ],
      [
        '4 one of before the password changed',
        async () => {
          await post('update-password', { old_password: password, new_password: 'another horse' }, ann.pair.accessToken)
          return ann.pair.refreshToken
        },
        refused(401, 'invalid refresh token'),
      ],
      [
        '5 one of a deleted user',
        async () => (await send('DELETE', `/users/${ann.id}`, { token: ann.pair.accessToken }), ann.pair.refreshToken),
        refused(404, 'user not found'),
      ],
    ])('answers %s', async (_what, token, answer) => {
      expect(await refresh(await token())).toEqual(answer)
    })
    it.each(badBodies)('cannot read %s', async (body) => expect(await post('refresh', body)).toEqual(unreadable))
  })

  describe('A4 logout', () => {
    const logout = (token: unknown) => post('logout', { refresh_token: token })

    it('ends the session, and says nothing', async () => {
      expect(await logout(ann.pair.refreshToken)).toEqual({ status: 200 })
      expect(await send('GET', '/auth/me', { token: ann.pair.accessToken })).toEqual(refused(401, 'unauthenticated'))
    })

    it.each<[string, () => Promise<unknown> | unknown, object]>([
      ['1 a list', () => [], unreadable],
      ['2 nothing', () => undefined, invalid],
      ['2 an empty text', () => '', invalid],
      ['3 one that expired', () => (world.clock.advance(30 * 86_400_000), ann.pair.refreshToken), { status: 200 }],
      ['4 what is none', () => 'x', refused(401, 'invalid refresh token')],
      ['4 an access token', () => ann.pair.accessToken, refused(401, 'invalid refresh token')],
      [
        '4 one that was used before',
        async () => (await post('refresh', { refresh_token: ann.pair.refreshToken }), ann.pair.refreshToken),
        refused(401, 'invalid refresh token'),
      ],
      [
        '4 the second time',
        async () => (await logout(ann.pair.refreshToken), ann.pair.refreshToken),
        refused(401, 'invalid refresh token'),
      ],
    ])('answers %s', async (_what, token, answer) => {
      expect(await logout(await token())).toEqual(answer)
    })
    it.each(badBodies)('cannot read %s', async (body) => expect(await post('logout', body)).toEqual(unreadable))
  })

  describe('A5 update-password', () => {
    const update = (old: unknown, next: unknown, token = ann.pair.accessToken) =>
      post('update-password', { old_password: old, new_password: next }, token)

    it('changes it, and adds a new pair to its sentence', async () => {
      const answer = await update(password, 'another horse')
      expect(answer).toEqual({ status: 200, data: { message: 'Password updated successfully', ...tokens } })
      expect((await send('GET', '/auth/me', { token: answer.data.access_token })).status).toBe(200)
      expect((await post('refresh', { refresh_token: answer.data.refresh_token })).status).toBe(200)
      expect(await post('login', { login: 'ann', password })).toEqual(refused(401, 'invalid credentials'))
    })

    it.each<[string, unknown, unknown, object]>([
      ['2 no old one', undefined, 'another horse', invalid],
      ['2 no new one', password, undefined, invalid],
      ['2 an old one of 5', '12345', 'another horse', invalid],
      ['2 a new one of 5', password, '12345', invalid],
      ['3 a new one of 7, before the old one is looked at', 'wrong horse', '1234567', invalid],
      ['5 a wrong old one', 'wrong horse', 'another horse', refused(401, 'invalid credentials')],
      ['6 a new one of 129', password, 'a'.repeat(129), invalid],
      ['6 a NUL in it', password, 'another\0horse', invalid],
      ['1 a number', 1, 'another horse', unreadable],
      ['the same again', password, password, { status: 200, data: { message: 'Password updated successfully', ...tokens } }],
      ['a new one of 128', password, astral.repeat(128), { status: 200, data: { message: 'Password updated successfully', ...tokens } }],
    ])('answers %s', async (_what, old, next, answer) => {
      expect(await update(old, next)).toEqual(answer)
    })
    it.each(badBodies)('cannot read %s', async (body) =>
      expect(await post('update-password', body, ann.pair.accessToken)).toEqual(unreadable),
    )
    it('asks for the token before it reads the body', async () => {
      expect(await post('update-password', '{')).toEqual(refused(401, 'unauthenticated'))
    })
  })

  describe('sessions', () => {
    it('are listed, ended one by one, and all but one', async () => {
      const [phone, tablet] = [await signIn(world.app, 'ann'), await signIn(world.app, 'ann')]
      world.clock.advance(1_500)
      await world.app.auth.refresh(ann.pair.refreshToken, { address: '', device: '' })
      const { data } = await send('GET', '/auth/sessions', { token: ann.pair.accessToken })
      expect([data.sessions.length, data.sessions[0]]).toEqual([
        3,
        {
          id: ann.viewer.sessionId,
          device: 'test device',
          address: '192.0.2.7',
          created_at: '2026-01-01T00:00:00.000Z',
          last_used_at: '2026-01-01T00:00:01.500Z',
          current: true,
        },
      ])
      const end = (id: string) => send('DELETE', `/auth/sessions/${id}`, { token: ann.pair.accessToken })
      expect([await end(phone.viewer.sessionId), await end(phone.viewer.sessionId), await end('x'), await end('%00')]).toEqual([
        { status: 200 },
        refused(404, 'session not found'),
        refused(404, 'session not found'),
        invalid,
      ])
      const others = () => send('POST', '/auth/sessions/revoke-others', { token: ann.pair.accessToken })
      expect([await others(), await others()]).toEqual([
        { status: 200, data: { revoked: 1 } },
        { status: 200, data: { revoked: 0 } },
      ])
      expect(await send('GET', '/auth/me', { token: tablet.pair.accessToken })).toEqual(refused(401, 'unauthenticated'))
      expect(await send('GET', '/auth/sessions')).toEqual(refused(401, 'unauthenticated'))
    })
  })

  // REST-V1 1.10; what is inside a token is in access-tokens.test.ts.
  describe('the header', () => {
    it.each<[string, () => string | undefined, object | undefined]>([
      ['absent', () => undefined, refused(401, 'unauthenticated')],
      ['empty', () => '', refused(401, 'unauthenticated')],
      ['bearer', () => `bearer ${ann.pair.accessToken}`, refused(401, 'invalid token')],
      ['Token', () => `Token ${ann.pair.accessToken}`, refused(401, 'invalid token')],
      ['two blanks', () => `Bearer  ${ann.pair.accessToken}`, refused(401, 'invalid token')],
      ['no token', () => 'Bearer', refused(401, 'invalid token')],
      ['the token alone', () => ann.pair.accessToken, refused(401, 'invalid token')],
      ['two tokens', () => `Bearer ${ann.pair.accessToken} x`, refused(401, 'invalid token')],
      ['what is no JWT', () => 'Bearer x', refused(401, 'invalid token')],
      ['a refresh token', () => `Bearer ${ann.pair.refreshToken}`, refused(401, 'invalid token')],
      [
        'a JWT of v1',
        () => {
          const signed = ['{"alg":"HS256","typ":"JWT"}', `{"user_id":${ann.id},"jti":"","exp":1999999999,"iat":1}`]
            .map((part) => Buffer.from(part).toString('base64url'))
            .join('.')
          return `Bearer ${signed}.${createHmac('sha256', 'my-secret').update(signed).digest('base64url')}`
        },
        refused(401, 'unauthenticated'),
      ],
      ['a wrong signature', () => `Bearer ${ann.pair.accessToken.replace(/[^.]+$/, 'AA')}`, refused(401, 'unauthenticated')],
      ['4 s late', () => (world.clock.advance(904_000), `Bearer ${ann.pair.accessToken}`), undefined],
      ['5 s late', () => (world.clock.advance(905_000), `Bearer ${ann.pair.accessToken}`), refused(401, 'token expired')],
      ['a clock that is 5 s behind', () => (world.clock.advance(-5_000), `Bearer ${ann.pair.accessToken}`), undefined],
      ['a good one', () => `Bearer ${ann.pair.accessToken}`, undefined],
    ])('with %s', async (_what, header, refusal) => {
      const authorization = header()
      const headers: Record<string, string> = authorization === undefined ? {} : { authorization }
      expect(await send('GET', '/auth/me', { headers })).toEqual(refusal ?? expect.objectContaining({ status: 200 }))
      expect((await send('GET', `/users/${ann.id}`, { headers })).status).toBe(200) // public: a broken one is ignored
      expect((await send('POST', '/auth/login', { headers, body: { login: 'ann', password } })).status).toBe(200)
    })

    it('with the token of a user who was deleted, or signed out', async () => {
      const phone = await signIn(world.app, 'ann')
      await send('POST', '/auth/logout', { body: { refresh_token: phone.pair.refreshToken } })
      expect(await send('GET', '/auth/me', { token: phone.pair.accessToken })).toEqual(refused(401, 'unauthenticated'))
      expect((await send('DELETE', `/users/${ann.id}`, { token: ann.pair.accessToken })).status).toBe(204)
      for (const [method, path] of [
        ['GET', '/auth/me'],
        ['GET', '/auth/sessions'],
        ['PUT', '/users'],
        ['DELETE', `/users/${ann.id}`],
      ] as const) {
        expect(await send(method, path, { token: ann.pair.accessToken, body: '{' })).toEqual(refused(401, 'unauthenticated'))
      }
    })
  })

  it('logs no password, no token and no address of a whole life of an account', async () => {
    const secrets = ['sesame-1-sesame', 'sesame-2-sesame', 'eve@secret.example', 'Eve Secretly']
    const { data } = await post('register', { username: 'eve', email: secrets[2], password: secrets[0], full_name: secrets[3] })
    const { data: other } = await post('login', { login: secrets[2], password: secrets[0] })
    await post('login', { login: secrets[2], password: secrets[1] })
    await post('update-password', { old_password: secrets[0], new_password: secrets[1] }, data.access_token)
    const { data: third } = await post('login', { login: 'eve', password: secrets[1] })
    const { data: next } = await post('refresh', { refresh_token: third.refresh_token })
    world.clock.advance(graceMs + 1)
    await post('refresh', { refresh_token: third.refresh_token })
    await send('GET', `/users/email/${secrets[2]}`, { token: data.access_token })
    await post('register', `{"password":"${secrets[0]}"`)
    const written = log().join('') + JSON.stringify(world.warnings)
    expect(written.length).toBeGreaterThan(500)
    for (const secret of [...secrets, ...[data, other, third, next].flatMap((pair) => [pair.access_token, pair.refresh_token])])
      expect([secret, written.includes(secret)]).toEqual([secret, false])
  })
})
