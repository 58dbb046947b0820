import { hash as bcryptHash } from '@node-rs/bcrypt'
import { beforeEach, expect, it } from 'vitest'
import { client, eventsOf, password, signIn, signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { viewerTtlMs } from './auth.ts'
import { createPasswords, type Passwords } from './passwords.ts'

onEachDatabase('sessions', (world) => {
  const login = (name: string, given = password) => world.app.auth.login({ login: name, password: given }, client)
  const refused = (code: string) => expect.objectContaining({ code })
  const dead = { code: 'auth.unauthenticated' }

  it('begin at registration and at each sign-in, by username or address in any case of letters', async () => {
    const ann = await signUp(world.app, 'ann')
    for (const name of ['ann', 'ANN', 'ａｎｎ', 'ann@example.com', 'Ann@Example.COM']) {
      const { viewer } = await signIn(world.app, name)
      expect(viewer).toEqual({ id: ann.id, role: 'user', sessionId: expect.stringMatching(/^[\w-]{22}$/) })
    }
    const list = await world.app.auth.listSessions(ann.viewer)
    expect([list.length, new Set(list.map(({ id }) => id)).size, list.filter(({ current }) => current).map(({ id }) => id)]).toEqual([
      6,
      6,
      [ann.viewer.sessionId],
    ])
    expect(list[0]).toEqual({
      id: expect.any(String),
      current: expect.any(Boolean),
      device: 'test device',
      address: '192.0.2.7',
      createdAt: '2026-01-01T00:00:00.000Z',
      lastUsedAt: '2026-01-01T00:00:00.000Z',
    })
  })

  it('cost a sign-in four queries, and a wrong one a single query, whether or not the account exists', async () => {
    await signUp(world.app, 'ann')
    expect(await world.countQueries(() => login('ann'))).toBe(4)
    expect(await world.countQueries(() => login('ann', 'wrong horse').catch(() => {}))).toBe(1)
    expect(await world.countQueries(() => login('bob').catch(() => {}))).toBe(1)
  })

  it('begin only with the right password, and the refusal says which was wrong, as v1 does', async () => {
    await signUp(world.app, 'ann')
    await expect(login('ann', 'wrong horse')).rejects.toEqual(refused('auth.invalid_credentials'))
    for (const name of ['bob', 'a', 'ab', 'bob@example.com', 'ann ', "o'brien@example.com", 'a..b@x.org', '%', "' or 1=1 --"])
      await expect(login(name)).rejects.toEqual(refused('users.not_found'))
    expect(await world.database.db.selectFrom('session').select('id').execute()).toHaveLength(1)
  })

  it('take the same work to refuse, whether the account or the password is wrong', async () => {
    const real = createPasswords()
    const calls: (string | undefined)[] = []
    const counting: Passwords = {
      ...real,
      verify: (hash, given) => (calls.push(hash), real.verify(hash, given)),
      hash: (given) => (calls.push('hash'), real.hash(given)),
    }
    await signUp(world.app, 'ann')
    const app = world.composeAgain({ passwords: counting })
    await expect(app.auth.login({ login: 'ann', password: 'wrong horse' }, client)).rejects.toThrow('invalid credentials')
    await expect(app.auth.login({ login: 'bob', password: 'wrong horse' }, client)).rejects.toThrow('user not found')
    await expect(app.auth.login({ login: 'bob@example.com', password: 'wrong horse' }, client)).rejects.toThrow('user not found')
    expect(calls).toEqual([expect.stringMatching(/^\$argon2id\$/), undefined, undefined]) // undefined is nobody's hash, of the same cost: passwords.test.ts
  })

  it('begin for an imported account with the bcrypt hash that it brought, which is then replaced', async () => {
    const ann = await signUp(world.app, 'ann')
    const imported = await bcryptHash(password, { cost: 4 })
    const hashOf = async () =>
      (await world.database.db.selectFrom('credential').where('userId', '=', ann.id).select('passwordHash').executeTakeFirstOrThrow())
        .passwordHash
    await world.database.transaction((tx) => tx.updateTable('credential').set({ passwordHash: imported }).execute())
    await expect(login('ann', 'wrong horse')).rejects.toThrow('invalid credentials')
    expect(await hashOf()).toBe(imported)
    expect((await Promise.all([login('ann'), login('ann'), login('ann')])).length).toBe(3) // whoever is second finds the hash replaced
    expect(await hashOf()).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
    await login('ann')
  })

  it('do not begin with a password that is changed while it is being checked', async () => {
    const ann = await signUp(world.app, 'ann')
    const real = createPasswords()
    let meanwhile = async () => {}
    const slow: Passwords = {
      ...real,
      async verify(hash, given) {
        const outcome = await real.verify(hash, given)
        await meanwhile()
        return outcome
      },
    }
    const app = world.composeAgain({ passwords: slow })
    meanwhile = async () => {
      meanwhile = async () => {}
      await world.app.auth.changePassword(ann.viewer, { oldPassword: password, newPassword: 'another horse' })
    }
    await expect(app.auth.login({ login: 'ann', password }, client)).rejects.toEqual(refused('auth.invalid_credentials'))
    meanwhile = async () => {
      meanwhile = async () => {}
      await world.app.users.remove(ann.viewer, ann.id)
    }
    await expect(app.auth.login({ login: 'ann', password: 'another horse' }, client)).rejects.toEqual(refused('users.not_found'))
    expect((await world.database.db.selectFrom('session').select('id').execute()).map(({ id }) => id)).toEqual([ann.viewer.sessionId])
  })

  it('end when one is revoked: at once here, within a second in every other process', async () => {
    const ann = await signUp(world.app, 'ann')
    const phone = await signIn(world.app, 'ann')
    const elsewhere = world.composeAgain()
    await elsewhere.auth.authenticate(phone.pair.accessToken)

    expect(await world.app.auth.revokeSession(ann.viewer, phone.viewer.sessionId)).toEqual({ revoked: true })
    await expect(world.app.auth.authenticate(phone.pair.accessToken)).rejects.toEqual(refused('auth.unauthenticated'))
    await expect(world.app.auth.refresh(phone.pair.refreshToken, client)).rejects.toEqual(refused('auth.invalid_refresh_token'))
    expect(viewerTtlMs).toBeLessThan(1_000) // the rest of the second is for the answer
    world.clock.advance(viewerTtlMs - 1)
    await elsewhere.auth.authenticate(phone.pair.accessToken)
    world.clock.advance(1)
    await expect(elsewhere.auth.authenticate(phone.pair.accessToken)).rejects.toEqual(refused('auth.unauthenticated'))
    await elsewhere.auth.authenticate(ann.pair.accessToken)

    expect(await world.app.auth.revokeSession(ann.viewer, phone.viewer.sessionId)).toEqual({ revoked: false })
    expect(await eventsOf(world)).toEqual([
      ['user_registered', ann.id, { user_id: ann.id }],
      ['session_revoked', ann.id, { user_id: ann.id, session_id: phone.viewer.sessionId, reason: 'revoked' }],
    ])
  })

  it('are asked for at most once in that time, however many requests there are', async () => {
    const ann = await signUp(world.app, 'ann')
    const ask = () => world.app.auth.authenticate(ann.pair.accessToken)
    world.clock.advance(viewerTtlMs)
    expect(await world.countQueries(() => Promise.all(Array.from({ length: 20 }, ask)))).toBe(1)
    world.clock.advance(viewerTtlMs - 1)
    expect(await world.countQueries(ask)).toBe(0)
    world.clock.advance(1)
    expect(await world.countQueries(ask)).toBe(1)
  })

  it('do not come back by an answer that was under way when they ended', async () => {
    const ann = await signUp(world.app, 'ann')
    const phone = await signIn(world.app, 'ann')
    world.clock.advance(1_000)
    const underWay = world.app.auth.authenticate(phone.pair.accessToken)
    await world.app.auth.revokeSession(ann.viewer, phone.viewer.sessionId)
    await underWay.catch(() => {})
    await expect(world.app.auth.authenticate(phone.pair.accessToken)).rejects.toMatchObject(dead)
  })

  it('can be ended only by whose they are', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    expect(await world.app.auth.revokeSession(bob.viewer, ann.viewer.sessionId)).toEqual({ revoked: false })
    expect(await world.app.auth.revokeOtherSessions(bob.viewer)).toEqual({ revoked: 0 })
    await world.app.auth.authenticate(ann.pair.accessToken)
    expect((await eventsOf(world)).map(([type]) => type)).toEqual(['user_registered', 'user_registered'])
  })

  it('end all but one when the others are revoked', async () => {
    const ann = await signUp(world.app, 'ann')
    const others = [await signIn(world.app, 'ann'), await signIn(world.app, 'ann')]
    expect(await world.app.auth.revokeOtherSessions(ann.viewer)).toEqual({ revoked: 2 })
    expect(await world.app.auth.revokeOtherSessions(ann.viewer)).toEqual({ revoked: 0 })
    for (const { pair } of others) await expect(world.app.auth.authenticate(pair.accessToken)).rejects.toMatchObject(dead)
    await world.app.auth.authenticate(ann.pair.accessToken)
    const ended = (await eventsOf(world)).slice(1)
    expect(ended.map(([, , payload]) => payload)).toEqual(
      expect.arrayContaining(others.map(({ viewer }) => ({ user_id: ann.id, session_id: viewer.sessionId, reason: 'revoked' }))),
    )
    expect(ended).toHaveLength(2)
  })

  it('end at sign-out, with the access token', async () => {
    const { pair } = await signUp(world.app, 'ann')
    await world.app.auth.logout(pair.refreshToken, client)
    await expect(world.app.auth.authenticate(pair.accessToken)).rejects.toMatchObject(dead)
    await expect(world.app.auth.logout(pair.refreshToken, client)).rejects.toEqual(refused('auth.invalid_refresh_token'))
    expect((await eventsOf(world)).map(([, , payload]) => (payload as { reason?: string }).reason)).toEqual([undefined, 'logout'])
  })

  it('of other devices end when the password changes, and the one that changed it goes on with a new pair', async () => {
    const ann = await signUp(world.app, 'ann')
    const phone = await signIn(world.app, 'ann')
    const pair = await world.app.auth.changePassword(ann.viewer, { oldPassword: password, newPassword: 'another horse' })
    await expect(world.app.auth.authenticate(phone.pair.accessToken)).rejects.toMatchObject(dead)
    for (const token of [ann.pair.refreshToken, phone.pair.refreshToken])
      await expect(world.app.auth.refresh(token, client)).rejects.toEqual(refused('auth.invalid_refresh_token'))
    await world.app.auth.authenticate(ann.pair.accessToken)
    expect((await world.app.auth.authenticate(pair.accessToken)).sessionId).toBe(ann.viewer.sessionId)
    await world.app.auth.refresh(pair.refreshToken, client)

    await expect(login('ann')).rejects.toEqual(refused('auth.invalid_credentials'))
    await login('ann', 'another horse')
    expect((await eventsOf(world)).slice(1)).toEqual([
      ['session_revoked', ann.id, { user_id: ann.id, session_id: phone.viewer.sessionId, reason: 'password' }],
    ])
  })

  it('stay when the old password is wrong, or the new one is none', async () => {
    const ann = await signUp(world.app, 'ann')
    const phone = await signIn(world.app, 'ann')
    const change = (oldPassword: string, newPassword: string) => world.app.auth.changePassword(ann.viewer, { oldPassword, newPassword })
    await expect(change('wrong horse', 'another horse')).rejects.toEqual(refused('auth.invalid_credentials'))
    await expect(change('wrong horse', 'short')).rejects.toEqual(refused('input.invalid')) // before the old one is looked at
    await world.app.auth.authenticate(phone.pair.accessToken)
    await change(password, password) // may equal the old one
    await login('ann')
  })

  it('that ends while its password is being changed changes nothing', async () => {
    const ann = await signUp(world.app, 'ann')
    const phone = await signIn(world.app, 'ann')
    const real = createPasswords()
    const app = world.composeAgain({
      passwords: {
        ...real,
        async hash(given) {
          await world.app.auth.revokeSession(phone.viewer, ann.viewer.sessionId)
          return real.hash(given)
        },
      },
    })
    await expect(app.auth.changePassword(ann.viewer, { oldPassword: password, newPassword: 'another horse' })).rejects.toMatchObject(dead)
    await login('ann')
    await world.app.auth.authenticate(phone.pair.accessToken)
  })

  it('of one account change its password once when two of them try at the same time', async () => {
    const ann = await signUp(world.app, 'ann')
    const phone = await signIn(world.app, 'ann')
    const outcomes = await Promise.allSettled([
      world.app.auth.changePassword(ann.viewer, { oldPassword: password, newPassword: 'horse of ann' }),
      world.app.auth.changePassword(phone.viewer, { oldPassword: password, newPassword: 'horse of phone' }),
    ])
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    const winner = outcomes[0].status === 'fulfilled' ? 'horse of ann' : 'horse of phone'
    await login('ann', winner)
    expect((await eventsOf(world)).filter(([type]) => type === 'session_revoked')).toHaveLength(1)
  })

  it('of one account are at most a hundred: the one that was not used for longest makes room', async () => {
    const ann = await signUp(world.app, 'ann')
    for (let i = 0; i < 99; i++) {
      world.clock.advance(1)
      await world.database.transaction((tx) =>
        tx
          .insertInto('session')
          .values({
            id: `s${i}`,
            userId: ann.id,
            device: '',
            address: '',
            createdAt: '2026-01-01T00:00:00.000Z',
            lastUsedAt: new Date(world.clock.nowMs()).toISOString(),
          })
          .execute(),
      )
    }
    const newer = [await signIn(world.app, 'ann'), await signIn(world.app, 'ann')]
    const ids = (await world.app.auth.listSessions(newer[0]!.viewer)).map(({ id }) => id)
    expect([
      ids.length,
      ids.includes(ann.viewer.sessionId),
      ids.includes('s0'),
      ids.includes('s1'),
      newer.every(({ viewer }) => ids.includes(viewer.sessionId)),
    ]).toEqual([100, false, false, true, true])
    await expect(world.app.auth.authenticate(ann.pair.accessToken)).rejects.toMatchObject(dead)
    expect((await eventsOf(world)).slice(1)).toEqual(
      [ann.viewer.sessionId, 's0'].map((id) => ['session_revoked', ann.id, { user_id: ann.id, session_id: id, reason: 'pruned' }]),
    )
  })

  it('are not one more than that when many sign in at the same time', async () => {
    const ann = await signUp(world.app, 'ann')
    await world.database.transaction(async (tx) => {
      for (let i = 0; i < 97; i++) {
        await tx
          .insertInto('session')
          .values({
            id: `s${i}`,
            userId: ann.id,
            device: '',
            address: '',
            createdAt: '2026-01-01T00:00:00.000Z',
            lastUsedAt: '2025-12-31T00:00:00.000Z',
          })
          .execute()
      }
    })
    const pairs = await Promise.all(Array.from({ length: 9 }, () => login('ann')))
    expect(await world.database.db.selectFrom('session').select('id').execute()).toHaveLength(100)
    for (const { accessToken } of pairs) await world.app.auth.authenticate(accessToken)
  })

  it('end with their account, and remember nothing of its owner', async () => {
    const ann = await signUp(world.app, 'ann')
    await world.app.users.remove(ann.viewer, ann.id)
    await expect(world.app.auth.authenticate(ann.pair.accessToken)).rejects.toMatchObject(dead)
    await expect(world.app.auth.refresh(ann.pair.refreshToken, client)).rejects.toEqual(refused('users.not_found'))
    await expect(login('ann')).rejects.toEqual(refused('users.not_found'))
    await expect(world.app.auth.changePassword(ann.viewer, { oldPassword: password, newPassword: 'another horse' })).rejects.toEqual(
      refused('users.not_found'),
    )
    const kept = await world.database.db.selectFrom('session').select(['device', 'address']).execute()
    expect([kept, await world.database.db.selectFrom('credential').selectAll().execute()]).toEqual([[{ device: '', address: '' }], []])
  })

  it('that nobody has refreshed for as long as a refresh token lives are not listed', async () => {
    const ann = await signUp(world.app, 'ann')
    world.clock.advance(30 * 86_400_000)
    const { viewer } = await signIn(world.app, 'ann')
    expect((await world.app.auth.listSessions(viewer)).map(({ id }) => id)).toEqual([viewer.sessionId])
    await expect(world.app.auth.refresh(ann.pair.refreshToken, client)).rejects.toEqual(refused('auth.unauthenticated'))
  })

  let records: unknown[][]
  beforeEach(() => {
    records = []
  })
  it('are counted, with how they ended', async () => {
    const note =
      (name: string) =>
      (...values: unknown[]) =>
        void records.push([name, ...values])
    const metrics = Object.fromEntries(
      ['authentication', 'login', 'sessionStarted', 'sessionEnded', 'registration', 'cache', 'liveStreams'].map((name) => [
        name,
        note(name),
      ]),
    )
    const app = world.composeAgain({ metrics: metrics as never })
    const ann = await signUp(app, 'ann')
    await app.auth.login({ login: 'ann', password: 'wrong horse' }, client).catch(() => {})
    const phone = await signIn(app, 'ann')
    await app.auth.logout(phone.pair.refreshToken, client)
    await app.auth.refresh(phone.pair.refreshToken, client).catch(() => {})
    await app.users.remove(ann.viewer, ann.id)
    expect(records.filter(([name]) => name !== 'cache' && name !== 'liveStreams')).toEqual([
      ['sessionStarted'],
      ['registration'],
      ['authentication', 'register', 'success'],
      ['authentication', 'login', 'failure'],
      ['sessionStarted'],
      ['login'],
      ['authentication', 'login', 'success'],
      ['sessionEnded', 'logout'],
      ['authentication', 'logout', 'success'],
      ['authentication', 'refresh', 'failure'],
      ['sessionEnded', 'deleted'],
    ])
  })
})
