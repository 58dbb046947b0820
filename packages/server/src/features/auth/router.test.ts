import { expect, it } from 'vitest'
import { password, signIn, signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { useRest } from '../../../test/rest.ts'

onEachDatabase('auth over tRPC', (world) => {
  const { call } = useRest(world)
  const refused = (error: string, status: number) => expect.objectContaining({ error, status })
  const pair = {
    accessToken: expect.stringContaining('.'),
    refreshToken: expect.stringMatching(/^[\w-]{43}$/),
    accessExpiresAt: '2026-01-01T00:15:00.000Z',
  }

  it('takes an account through its life', async () => {
    const registered = await call('mutation', 'auth.register', {
      body: { username: 'ann', email: 'ann@example.com', password, fullName: 'A' },
    })
    expect(registered).toEqual(pair)
    expect(await call('query', 'auth.me', { token: registered.accessToken })).toMatchObject({
      username: 'ann',
      email: 'ann@example.com',
      fullName: 'A',
      bio: null,
      role: 'user',
    })
    const login = await call('mutation', 'auth.login', { body: { login: 'ann@example.com', password } })
    expect(login).toEqual(pair)
    const refreshed = await call('mutation', 'auth.refresh', { body: { refreshToken: login.refreshToken } })
    expect(refreshed).toEqual(pair)
    expect(
      await call('mutation', 'auth.changePassword', {
        token: refreshed.accessToken,
        body: { oldPassword: password, newPassword: 'another horse' },
      }),
    ).toEqual(pair)
    expect(await call('query', 'auth.me', { token: registered.accessToken })).toEqual(refused('auth.unauthenticated', 401))
    const [session] = await call('query', 'auth.sessions.list', { token: refreshed.accessToken })
    expect(session).toMatchObject({ current: true, device: expect.any(String), address: '127.0.0.1' })
    const again = await call('mutation', 'auth.login', { body: { login: 'ann', password: 'another horse' } })
    expect(await call('mutation', 'auth.logout', { body: { refreshToken: again.refreshToken } })).toBeUndefined()
    expect(await call('mutation', 'auth.logout', { body: { refreshToken: again.refreshToken } })).toEqual(
      refused('auth.invalid_refresh_token', 401),
    )
  })

  it('says what is wrong by stable codes', async () => {
    await signUp(world.app, 'ann')
    expect(await call('mutation', 'auth.login', { body: { login: 'bob', password } })).toEqual(refused('users.not_found', 404))
    expect(await call('mutation', 'auth.login', { body: { login: 'ann', password: 'wrong horse' } })).toEqual(
      refused('auth.invalid_credentials', 401),
    )
    expect(await call('mutation', 'auth.login', { body: { login: 'ann' } })).toEqual(refused('input.invalid', 400))
    expect(await call('mutation', 'auth.register', { body: { username: 'bob', email: "o'b@example.com", password } })).toEqual(
      refused('users.invalid_email', 400),
    )
    expect(
      await call('mutation', 'auth.register', { body: { username: 'bob', email: 'bob@example.com', password: 'a'.repeat(129) } }),
    ).toEqual(refused('input.invalid', 400))
    expect(await call('mutation', 'auth.refresh', { body: { refreshToken: 'x' } })).toEqual(refused('auth.invalid_refresh_token', 401))
    expect(await call('query', 'auth.me')).toEqual(refused('auth.unauthenticated', 401))
    expect(await call('query', 'auth.me', { token: 'x' })).toEqual(refused('auth.invalid_token', 401))
  })

  it('ends sessions, and finds nothing wrong with ending one twice', async () => {
    const ann = await signUp(world.app, 'ann')
    const [phone, tablet] = [await signIn(world.app, 'ann'), await signIn(world.app, 'ann')]
    const token = ann.pair.accessToken
    const revoke = () => call('mutation', 'auth.sessions.revoke', { token, body: { id: phone.viewer.sessionId } })
    expect([await revoke(), await revoke()]).toEqual([{ revoked: true }, { revoked: false }])
    expect(await call('mutation', 'auth.sessions.revokeOthers', { token })).toEqual({ revoked: 1 })
    expect(await call('query', 'auth.me', { token: tablet.pair.accessToken })).toEqual(refused('auth.unauthenticated', 401))
    expect(await call('query', 'auth.sessions.list', { token })).toHaveLength(1)
  })

  it('makes the first admin, by a new account or by one that exists', async () => {
    await signUp(world.app, 'ann')
    const token = await world.app.auth.ensureSetupToken()
    const claim = (body: object) => call('mutation', 'auth.claimAdmin', { body: { token, ...body } })
    expect(await claim({ token: 'x', username: 'root', email: 'root@example.com', password })).toEqual(
      refused('auth.invalid_setup_token', 401),
    )
    expect(await claim({ username: 'root', email: 'root', password })).toEqual(refused('input.invalid', 400))
    expect(await claim({ login: 'ann', password: 'wrong horse' })).toEqual(refused('auth.invalid_credentials', 401))
    const { accessToken } = await claim({ login: 'ann', password })
    expect(await call('query', 'auth.me', { token: accessToken })).toMatchObject({ username: 'ann', role: 'admin' })
    expect(await claim({ username: 'root', email: 'root@example.com', password })).toEqual(refused('auth.setup_done', 409))
  })
})
