import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { client, eventsOf, password, signUp, signUpAdmin } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { createAdmins } from './admins.ts'
import { setupTokenTtlMs } from './auth.ts'

const host = { kind: 'host' } as const

onEachDatabase('admins', (world) => {
  const refused = (code: string) => expect.objectContaining({ code })
  const newAccount = { username: 'root', email: 'root@example.com', password }
  const claim = (token: string, input: object = newAccount) =>
    world.app.auth.claimAdmin({ token, ...input } as typeof newAccount & { token: string }, client)
  const admins = async () => (await world.app.auth.listAdmins()).map(({ username, role }) => [username, role])
  const trail = async () =>
    (await world.app.audit.list()).items.map(({ actor, actorId, action, targetId, detail, address }) => ({
      actor,
      actorId,
      action,
      targetId,
      detail,
      address,
    }))
  const setupToken = async () => (await world.app.auth.ensureSetupToken())!

  it('are made and unmade on the host, at once, and leave a trail', async () => {
    const ann = await signUp(world.app, 'ann')
    const roleOf = async () => (await world.app.auth.authenticate(ann.pair.accessToken)).role
    expect(await world.app.auth.grantRole(host, 'ANN@example.com', 'admin')).toEqual({ changed: true, userId: ann.id, username: 'ann' })
    expect([await roleOf(), await admins()]).toEqual(['admin', [['ann', 'admin']]])
    expect((await world.app.auth.grantRole(host, 'ann', 'admin')).changed).toBe(false)
    await world.app.auth.grantRole(host, 'ann', 'moderator')
    expect(await roleOf()).toBe('moderator')
    await world.app.auth.revokeRole(host, 'ann')
    expect([await roleOf(), await admins()]).toEqual(['user', []])
    const step = (from: string, to: string) => ({
      actor: 'host',
      actorId: null,
      action: 'role.set',
      targetId: String(ann.id),
      detail: { from, to },
      address: null,
    })
    expect(await trail()).toEqual([step('moderator', 'user'), step('admin', 'moderator'), step('user', 'admin')])
    await expect(world.app.auth.grantRole(host, 'nobody', 'admin')).rejects.toEqual(refused('users.not_found'))
  })

  it('lose their rights in every process within a second', async () => {
    const ann = await signUpAdmin(world.app, 'ann')
    const elsewhere = world.composeAgain()
    expect((await elsewhere.auth.authenticate(ann.pair.accessToken)).role).toBe('admin')
    await world.app.auth.revokeRole(host, 'ann')
    world.clock.advance(1_000)
    expect((await elsewhere.auth.authenticate(ann.pair.accessToken)).role).toBe('user')
  })

  it('come about first by a token that is given out as long as there is none', async () => {
    const token = await setupToken()
    expect(token).toMatch(/^[\w-]{43}$/)
    const pair = await claim(token)
    const viewer = await world.app.auth.authenticate(pair.accessToken)
    expect([viewer.role, await admins()]).toEqual(['admin', [['root', 'admin']]])
    expect(await world.app.auth.ensureSetupToken()).toBeUndefined()
    expect(await trail()).toEqual([
      {
        actor: 'user',
        actorId: viewer.id,
        action: 'role.claim',
        targetId: String(viewer.id),
        detail: { to: 'admin' },
        address: '192.0.2.7',
      },
    ])
    expect(await eventsOf(world)).toEqual([['user_registered', viewer.id, { user_id: viewer.id }]])
    await expect(claim(token, { ...newAccount, username: 'other' })).rejects.toEqual(refused('auth.setup_done'))
  })

  it('may be an account that exists, by its password', async () => {
    const ann = await signUp(world.app, 'ann')
    const token = await setupToken()
    await expect(claim(token, { login: 'ann', password: 'wrong horse' })).rejects.toEqual(refused('auth.invalid_credentials'))
    await expect(claim(token, { username: 'Ann', email: 'other@example.com', password: 'wrong horse' })).rejects.toEqual(
      refused('auth.invalid_credentials'),
    )
    await expect(claim(token, { username: 'other', email: 'ann@example.com', password })).rejects.toEqual(refused('users.email_taken'))
    expect(await admins()).toEqual([])
    const pair = await claim(token, { username: 'ann', email: 'ann@example.com', password }) // as the setup page sends it
    expect(await world.app.auth.authenticate(pair.accessToken)).toMatchObject({ id: ann.id, role: 'admin' })
  })

  it('may sign in to claim', async () => {
    const ann = await signUp(world.app, 'ann')
    const pair = await claim(await setupToken(), { login: 'ann', password })
    for (const { accessToken } of [pair, ann.pair])
      expect(await world.app.auth.authenticate(accessToken)).toMatchObject({ id: ann.id, role: 'admin' })
  })

  it('are one, when many claim at the same time with links of two processes', async () => {
    const tokens = [await setupToken(), (await world.composeAgain().auth.ensureSetupToken())!]
    await signUp(world.app, 'ann')
    const claims = Array.from({ length: 8 }, (_, index) =>
      claim(
        tokens[index % 2]!,
        index === 0 ? { login: 'ann', password } : { username: `root${index}`, email: `root${index}@example.com`, password },
      ),
    )
    const outcomes = await Promise.allSettled(claims)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    for (const outcome of outcomes)
      if (outcome.status === 'rejected') expect(['auth.setup_done', 'auth.invalid_setup_token']).toContain(outcome.reason.code)
    expect(await admins()).toHaveLength(1)
    const names = (await world.database.db.selectFrom('user').select('username').execute()).map(({ username }) => username)
    expect(names.filter((name) => name !== 'ann').length).toBeLessThanOrEqual(1) // whoever lost has no account either
    expect((await world.app.audit.list()).items.length).toBe(1)
  })

  it('are one, also when the first claim takes its time', async () => {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    const tokens = [await setupToken(), await setupToken()]
    const slow = createAdmins({
      database: world.database,
      clock: world.clock,
      viewers: { authenticate: world.app.auth.authenticate, forget() {} },
      recordAudit: () => sleep(100),
      authorise: async () => {},
    })
    const outcomes = await Promise.allSettled(
      [ann, bob].map(({ id }, index) => world.database.transaction((tx) => slow.claim(tx, id, { token: tokens[index]!, client }))),
    )
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(await admins()).toHaveLength(1)
  })

  it('do not come about by a token that is made up or too old, nor once somebody was made admin otherwise', async () => {
    const token = await setupToken()
    for (const wrong of ['', 'x', token.slice(1), `${token}x`])
      await expect(claim(wrong)).rejects.toEqual(refused('auth.invalid_setup_token'))
    world.clock.advance(setupTokenTtlMs)
    await expect(claim(token)).rejects.toEqual(refused('auth.invalid_setup_token'))
    const fresh = await setupToken()
    await signUpAdmin(world.app, 'ann')
    await expect(claim(fresh)).rejects.toEqual(refused('auth.setup_done'))
    expect(await world.database.db.selectFrom('user').select('username').execute()).toEqual([{ username: 'ann' }])
  })

  it('may be claimed again when the last one is gone', async () => {
    const ann = await signUpAdmin(world.app, 'ann')
    expect(await world.app.auth.ensureSetupToken()).toBeUndefined()
    await world.app.users.remove(ann.viewer, ann.id)
    await claim(await setupToken())
    expect(await admins()).toEqual([['root', 'admin']])
  })

  it('leave no more than ten tokens, and those only as hashes', async () => {
    const tokens: string[] = []
    for (let i = 0; i < 15; i++) {
      world.clock.advance(1)
      tokens.push(await setupToken())
    }
    const kept = await world.database.db.selectFrom('setupToken').selectAll().execute()
    expect([kept.length, JSON.stringify(kept).includes(tokens[14]!)]).toEqual([10, false])
    await expect(claim(tokens[4]!)).rejects.toEqual(refused('auth.invalid_setup_token'))
    await claim(tokens[5]!)
    expect(await world.database.db.selectFrom('setupToken').selectAll().execute()).toEqual([])
  })

  it('make, reset and delete accounts from the host, which ends their sessions and leaves a trail', async () => {
    const { id } = await world.app.users.createAs(host, { username: 'ann', email: 'ann@example.com', password })
    const pair = await world.app.auth.login({ login: 'ann', password }, client)
    await world.app.auth.resetPassword(host, 'ann', 'another horse')
    await expect(world.app.auth.authenticate(pair.accessToken)).rejects.toEqual(refused('auth.unauthenticated'))
    await expect(world.app.auth.resetPassword(host, 'ann', 'short')).rejects.toEqual(refused('input.invalid'))
    await expect(world.app.auth.login({ login: 'ann', password }, client)).rejects.toEqual(refused('auth.invalid_credentials'))

    await world.app.auth.login({ login: 'ann', password: 'another horse' }, client)
    const [session] = await world.app.auth.listSessionsOf('ann')
    expect(await world.app.auth.endSession(host, session!.id)).toEqual({ ended: true })
    expect(await world.app.auth.endSession(host, session!.id)).toEqual({ ended: false })

    expect(await world.app.users.byLogin('ANN')).toMatchObject({ id, email: 'ann@example.com' })
    expect(await world.app.users.removeAs(host, 'ann@example.com')).toEqual({ userId: id })
    expect(await world.app.users.byLogin('ann')).toBeUndefined()
    await expect(world.app.users.removeAs(host, 'ann')).rejects.toEqual(refused('users.not_found'))
    expect((await trail()).map(({ action }) => action)).toEqual(['user.delete', 'session.revoke', 'password.reset', 'user.create'])
    const all = JSON.stringify(await world.app.audit.list())
    expect([all.includes('ann@'), all.includes('horse'), all.includes('$argon2')]).toEqual([false, false, false])
  })
})
