import { expect, it } from 'vitest'
import { eventsOf, password, signUp, signUpAdmin, client } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { memoryRateLimiter } from '../../adapters/rate-limiter/memory.ts'
import { toUser, type NewAccount, type UserRow } from './users.ts'

onEachDatabase('users', (world) => {
  const refused = (code: string) => expect.objectContaining({ code })
  const account = (username: string, more: Partial<NewAccount> = {}): NewAccount => ({
    username,
    email: `${username}@example.com`,
    password,
    ...more,
  })
  const create = (input: NewAccount) => world.app.users.createAs({ kind: 'host' }, input)
  const rowsOf = () => world.database.db.selectFrom('user').orderBy('id').selectAll().execute()
  const typesOf = async () => (await eventsOf(world)).map(([type]) => type)

  it('are made with what was given, and counted up from 1', async () => {
    const ann = await signUpAdmin(world.app, 'ann')
    const made = await world.app.users.create(
      ann.viewer,
      account('Bob', { fullName: 'Bob B.', bio: 'I build.', avatarUrl: 'https://x/b.png' }),
    )
    expect(made).toEqual({
      id: ann.id + 1,
      username: 'Bob',
      email: 'Bob@example.com',
      fullName: 'Bob B.',
      bio: 'I build.',
      avatarUrl: 'https://x/b.png',
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    })
    expect(await world.app.users.byId(made.id, ann.viewer)).toEqual(made)
    expect(await world.app.auth.login({ login: 'bob', password }, client)).toBeDefined() // v1's could not
    expect(await typesOf()).toEqual(['user_registered', 'user_registered'])
    const { fullName, bio, avatarUrl } = await create(account('cyd', { fullName: '', bio: '' }))
    expect([fullName, bio, avatarUrl]).toEqual(['', '', null])
  })

  it('have names that are theirs alone, whatever the case of letters and the spelling', async () => {
    await create(account('Ann'))
    for (const username of ['Ann', 'ANN', 'ａｎｎ', 'ànn'.normalize('NFC').replace('à', 'a')]) {
      await expect(create(account(username, { email: 'x@example.com' }))).rejects.toEqual(refused('users.username_taken'))
    }
    for (const email of ['ANN@example.com', 'ann@EXAMPLE.com'])
      await expect(create(account('other', { email }))).rejects.toEqual(refused('users.email_taken'))
    await expect(create(account('ann'))).rejects.toEqual(refused('users.username_taken')) // both are: the username is reported
    for (const [one, same] of [
      ['Straße', 'straßE'],
      ['İzmir', 'İZMIR'],
      ['ΣΑΣ', 'σας'],
      ['Ĳssel', 'ijssel'],
    ] as const) {
      const made = await create(account(one, { email: 'first@example.com' }))
      await expect(create(account(same, { email: 'x@example.com' }))).rejects.toEqual(refused('users.username_taken'))
      expect((await world.app.users.byUsername(same, null)).id).toBe(made.id)
      await world.app.users.removeAs({ kind: 'host' }, one)
    }
    await create(account('Straße', { email: 'a@example.com' }))
    await create(account('Strasse', { email: 'b@example.com' })) // looks like it, and is another word
    await create(account('istanbul', { email: 'c@example.com' }))
    await create(account('İstanbul', { email: 'd@example.com' }))
  })

  it('that are taken are refused before a password is hashed', async () => {
    await create(account('ann'))
    let hashes = 0
    const app = world.composeAgain({
      passwords: { hash: async () => String(++hashes), verify: async () => 'wrong', load: () => ({ running: 0, waiting: 0 }) },
    })
    await expect(app.users.createAs({ kind: 'host' }, account('Ann'))).rejects.toEqual(refused('users.username_taken'))
    expect(hashes).toBe(0)
  })

  it('that fifty requests at once ask for are one: one row, one event, one session, and 49 are told that the name is taken', async () => {
    const register = (index: number) => world.app.auth.register(account(index % 2 ? 'Ann' : 'ann', { email: 'ann@example.com' }), client)
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => register(index)))
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code)
    expect(refusals).toEqual(Array(49).fill('users.username_taken'))
    const counts = await Promise.all(
      (['user', 'credential', 'session', 'refreshToken', 'outbox'] as const).map(
        async (table) => (await world.database.db.selectFrom(table).selectAll().execute()).length,
      ),
    )
    expect(counts).toEqual([1, 1, 1, 1, 1])
  })

  it('that fifty requests at once ask for by one address are one, too', async () => {
    const register = (index: number) =>
      world.app.auth.register(account(`ann${index}`, { email: index % 2 ? 'ann@example.com' : 'Ann@Example.com' }), client)
    const outcomes = await Promise.allSettled(Array.from({ length: 50 }, (_, index) => register(index)))
    const refusals = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code)
    expect(refusals).toEqual(Array(49).fill('users.email_taken'))
    expect([(await rowsOf()).length, await typesOf()]).toEqual([1, ['user_registered']])
  })

  it.each<[string, Partial<NewAccount>, string, string?]>([
    ['a short username', { username: 'an' }, 'input.invalid', 'username'],
    ['a username with an @', { username: 'a@b' }, 'input.invalid', 'username'],
    ['a NUL in the username', { username: 'an\0n' }, 'input.invalid', 'username'],
    ['half a character in the full name', { fullName: 'A\ud800' }, 'input.invalid', 'full_name'],
    ['a NUL in the bio', { bio: 'I build\0' }, 'input.invalid', 'bio'],
    ['a NUL in the password', { password: 'correct\0horse' }, 'input.invalid', 'password'],
    ['no address', { email: 'ann' }, 'input.invalid', 'email'],
    ['an address that is not plain', { email: "o'brien@example.com" }, 'users.invalid_email'],
    ['that, and a long password', { email: 'ü@example.com', password: 'a'.repeat(129) }, 'users.invalid_email'],
    ['a long password', { password: 'a'.repeat(129) }, 'input.invalid', 'password'],
    ['a short password', { password: '1234567' }, 'input.invalid', 'password'],
    ['a long full name', { fullName: 'a'.repeat(101) }, 'input.invalid', 'full_name'],
    ['a long bio', { bio: '\u{1F600}'.repeat(501) }, 'input.invalid', 'bio'],
    ['a picture that runs', { avatarUrl: 'javascript:alert(1)' }, 'input.invalid', 'avatar_url'],
  ])('are not made with %s, and nothing is left of it', async (_what, input, code, path) => {
    const refusal = await create(account('ann', input)).catch((error) => error)
    expect([refusal.code, refusal.issues?.[0].path]).toEqual([code, path])
    expect([await rowsOf(), await typesOf(), (await world.app.audit.list()).items]).toEqual([[], [], []])
  })

  it('are not made when what belongs to them cannot be', async () => {
    await expect(
      world.app.users.createAccount(account('ann'), async () => {
        throw new Error('no session')
      }),
    ).rejects.toThrow('no session')
    expect([await rowsOf(), await world.database.db.selectFrom('credential').selectAll().execute(), await typesOf()]).toEqual([[], [], []])
  })

  it('are made by others only within a limit, and only where that is allowed', async () => {
    const ann = await signUp(world.app, 'ann')
    const limited = world.composeAgain({
      limiter: memoryRateLimiter(),
      passwords: { hash: async () => 'x', verify: async () => 'wrong', load: () => ({ running: 0, waiting: 0 }) },
    })
    for (let i = 0; i < 60; i++) await limited.users.create(ann.viewer, account(`user${i}`))
    await expect(limited.users.create(ann.viewer, account('user60'))).rejects.toEqual(refused('limit.exceeded'))

    const closed = world.composeAgain({
      settings: { createByUsers: false, sendByUsers: true, accessTtlMs: 1, refreshTtlMs: 1, issuer: '', audience: '' },
    })
    await expect(closed.users.create(ann.viewer, account('bob'))).rejects.toMatchObject({
      code: 'users.creation_disabled',
      kind: 'forbidden',
      message: 'forbidden',
    })
    await closed.users.create({ ...ann.viewer, role: 'admin' }, account('bob'))
  })

  it('cost nothing to read by id once they were read, and one query before', async () => {
    const ann = await signUp(world.app, 'ann')
    const read = () => world.app.users.byId(ann.id, null)
    expect([
      await world.countQueries(read),
      await world.countQueries(read),
      await world.countQueries(() => world.app.users.byId(ann.id, ann.viewer)),
    ]).toEqual([1, 0, 0])
    expect(await world.countQueries(() => world.app.users.byUsername('ann', null))).toBe(1)
    const fresh = world.composeAgain()
    expect(await world.countQueries(() => Promise.all(Array.from({ length: 10 }, () => fresh.users.byId(ann.id, null))))).toBe(1)
    world.clock.advance(30 * 60_000 + 1)
    expect(await world.countQueries(read)).toBe(1)
  })

  it('show every write at the next read', async () => {
    const ann = await signUp(world.app, 'ann')
    for (let round = 0; round < 20; round++) {
      const reads = Array.from({ length: 5 }, () => world.app.users.byId(ann.id, null)) // some miss, and are under way when the write commits
      await world.app.users.update(ann.viewer, ann.id, { bio: `round ${round}` })
      expect((await world.app.users.byId(ann.id, null)).bio).toBe(`round ${round}`)
      await Promise.all(reads)
      expect((await world.app.users.byId(ann.id, null)).bio).toBe(`round ${round}`)
    }
  })

  it('of another process are forgotten here when this process hears of it', async () => {
    const ann = await signUp(world.app, 'ann')
    const elsewhere = world.composeAgain()
    await elsewhere.users.byId(ann.id, null)
    await world.app.users.update(ann.viewer, ann.id, { bio: 'new' })
    await elsewhere.users.forget(ann.id)
    expect((await elsewhere.users.byId(ann.id, null)).bio).toBe('new')
  })

  it('change in the given fields alone, whatever somebody else changes meanwhile', async () => {
    const ann = await signUp(world.app, 'ann')
    const changes = [
      { username: 'Anna' },
      { email: 'Anna@example.com' },
      { fullName: 'Anna A.' },
      { bio: 'I build.' },
      { avatarUrl: 'https://x/a.png' },
    ]
    world.clock.advance(1)
    await Promise.all(changes.map((change) => world.app.users.update(ann.viewer, ann.id, change)))
    expect(await world.app.users.byId(ann.id, ann.viewer)).toEqual({
      id: ann.id,
      username: 'Anna',
      email: 'Anna@example.com',
      fullName: 'Anna A.',
      bio: 'I build.',
      avatarUrl: 'https://x/a.png',
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.001Z',
    })
    expect((await world.app.users.byUsername('ANNA', null)).id).toBe(ann.id)
    await expect(world.app.users.byUsername('ann', null)).rejects.toEqual(refused('users.not_found'))
    await world.app.auth.login({ login: 'anna@example.com', password }, client)
    expect((await eventsOf(world)).slice(1).map(([type, key, payload]) => [type, key, payload])).toEqual(
      expect.arrayContaining(
        ['username', 'email', 'full_name', 'bio', 'avatar_url'].map((field) => [
          'user_updated',
          ann.id,
          { user_id: ann.id, fields: [field] },
        ]),
      ),
    )
  })

  it('can lose what they had, keep it by not naming it, and move even when nothing was named', async () => {
    const ann = await signUp(world.app, 'ann')
    const update = (changes: object) => world.app.users.update(ann.viewer, ann.id, changes)
    await update({ fullName: 'Ann A.', bio: 'I build.', avatarUrl: 'https://x/a.png' })
    expect(await update({ fullName: '', bio: null })).toMatchObject({ fullName: '', bio: null, avatarUrl: 'https://x/a.png' })
    world.clock.advance(1_000)
    expect(await update({ bio: undefined })).toMatchObject({ fullName: '', updatedAt: '2026-01-01T00:00:01.000Z' })
    expect((await eventsOf(world)).slice(1).map(([, , payload]) => (payload as { fields: string[] }).fields)).toEqual([
      ['full_name', 'bio', 'avatar_url'],
      ['full_name', 'bio'],
      [],
    ])
  })

  it('may change the spelling of their own names, and take no other’s', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    const update = (changes: object) => world.app.users.update(ann.viewer, ann.id, changes)
    expect(await update({ username: 'ANN', email: 'ANN@example.com' })).toMatchObject({ username: 'ANN', email: 'ANN@example.com' })
    await expect(update({ username: 'Bob' })).rejects.toEqual(refused('users.username_taken'))
    await expect(update({ email: 'BOB@example.com' })).rejects.toEqual(refused('users.email_taken'))
    await expect(update({ username: 'bob', email: 'bob@example.com' })).rejects.toEqual(refused('users.username_taken'))
    await expect(update({ username: 'Ann', email: 'bob@example.com' })).rejects.toEqual(refused('users.email_taken'))
    await expect(update({ username: 'cyd', email: 'bob@example.com' })).rejects.toEqual(refused('users.email_taken'))
    expect(await world.app.users.byId(ann.id, ann.viewer)).toMatchObject({ username: 'ANN', email: 'ANN@example.com' })
    expect((await typesOf()).filter((type) => type === 'user_updated')).toHaveLength(1)
    const both = await Promise.allSettled([update({ username: 'cyd' }), world.app.users.update(bob.viewer, bob.id, { username: 'CYD' })])
    expect(both.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
  })

  it('are changed and deleted by themselves alone; what is wrong with a change is said before that', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUpAdmin(world.app, 'bob')]
    await expect(world.app.users.update(bob.viewer, ann.id, { bio: 'x' })).rejects.toEqual(refused('auth.forbidden'))
    await expect(world.app.users.update(bob.viewer, ann.id, { email: 'ü@example.com' })).rejects.toEqual(refused('users.invalid_email'))
    await expect(world.app.users.update(bob.viewer, ann.id, { username: 'x' })).rejects.toEqual(refused('input.invalid'))
    await expect(world.app.users.remove(bob.viewer, ann.id)).rejects.toEqual(refused('auth.forbidden'))
    await expect(world.app.users.remove(bob.viewer, 999)).rejects.toEqual(refused('auth.forbidden'))
    expect((await rowsOf()).every(({ deletedAt }) => deletedAt === null)).toBe(true)
  })

  it('are invisible at once when they are deleted, leave nothing personal behind, and free their names', async () => {
    const ann = await signUp(world.app, 'ann')
    await world.app.users.update(ann.viewer, ann.id, { fullName: 'Ann A.', bio: 'I build.', avatarUrl: 'https://x/a.png' })
    await world.app.users.byId(ann.id, null)
    await world.app.users.remove(ann.viewer, ann.id)
    const gone = refused('users.not_found')
    await expect(world.app.users.byId(ann.id, null)).rejects.toEqual(gone)
    await expect(world.app.users.byUsername('ann', null)).rejects.toEqual(gone)
    await expect(world.app.users.byUsername('', null)).rejects.toEqual(gone)
    await expect(world.app.users.byEmail('ann@example.com', { ...ann.viewer, role: 'admin' })).rejects.toEqual(gone)
    await expect(world.app.users.update(ann.viewer, ann.id, { bio: 'x' })).rejects.toEqual(gone)
    await expect(world.app.users.remove(ann.viewer, ann.id)).rejects.toEqual(gone)
    for (const text of ['ann', 'an', 'n'])
      expect((await world.app.users.search(text, { start: { offset: 0 }, limit: 10, viewer: null })).total).toBe(0)

    const everything = JSON.stringify(
      await Promise.all(
        (['user', 'credential', 'session', 'refreshToken', 'outbox', 'audit'] as const).map((table) =>
          world.database.db.selectFrom(table).selectAll().execute(),
        ),
      ),
    )
    for (const trace of ['ann', 'Ann', 'build', 'https://x', 'test device', '192.0.2.7', '$argon2'])
      expect([trace, everything.includes(trace)]).toEqual([trace, false])
    expect((await eventsOf(world)).at(-1)).toEqual(['user_deleted', ann.id, { user_id: ann.id }])

    const again = await signUp(world.app, 'ann')
    expect(again.id).toBeGreaterThan(ann.id)
  })

  it('are deleted once, whoever asks at the same time', async () => {
    const ann = await signUp(world.app, 'ann')
    const outcomes = await Promise.allSettled([
      world.app.users.remove(ann.viewer, ann.id),
      world.app.users.remove(ann.viewer, ann.id),
      world.app.users.removeAs({ kind: 'host' }, 'ann'),
      world.app.users.update(ann.viewer, ann.id, { bio: 'x' }),
      world.app.auth.login({ login: 'ann', password }, client),
    ])
    expect(outcomes.slice(0, 3).filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect((await typesOf()).filter((type) => type === 'user_deleted')).toHaveLength(1)
    expect((await rowsOf()).map(({ username, bio }) => [username, bio])).toEqual([['', null]])
  })
})

it('show their address to themselves and to admins', () => {
  const row: UserRow = {
    id: 7,
    username: 'ann',
    email: 'ann@example.com',
    fullName: null,
    bio: null,
    avatarUrl: null,
    createdAt: '',
    updatedAt: '',
  }
  const viewer = { id: 7, role: 'user', sessionId: 's' } as const
  const sees = (viewer: Parameters<typeof toUser>[1]) => 'email' in toUser(row, viewer)
  expect([
    sees(null),
    sees({ ...viewer, id: 8 }),
    sees({ ...viewer, id: 8, role: 'moderator' }),
    sees(viewer),
    sees({ ...viewer, id: 8, role: 'admin' }),
  ]).toEqual([false, false, false, true, true])
})
