import { expect, it } from 'vitest'
import { onEachDriver } from '../../../test/drivers.ts'
import { call, login } from '../../../test/serve.ts'
import { rpc, useServers, type Account } from '../../../test/staff.ts'

onEachDriver('accounts as admins see them', (driver) => {
  const { opened, serve, newAccount, newStaff, signInAgain } = useServers(driver)
  const trail = async (url: string, token: string, input: object) =>
    (await rpc(url, 'query', 'admin.audit.list', { token, input })).items.map(({ id: _, createdAt: __, ...entry }: any) => entry)

  it('are found by a part of a name or an address, or by the id, the newest first, a page at a time', async () => {
    const here = await serve()
    const admin = await newStaff(here, 'admin', 'search_admin')
    const names = ['Anna_x7', 'hanna_x7', 'johanna_x7', 'bert_x7', 'q7z']
    const ids: number[] = []
    for (const name of names) ids.push((await newAccount(here.url, name)).id)
    const search = (input: object) => rpc(here.url, 'query', 'admin.users.search', { token: admin.token, input })
    const found = async (input: object) => (await search(input)).items.map(({ username }: { username: string }) => username)
    expect(await found({ query: 'ANNA_x7' })).toEqual(['johanna_x7', 'hanna_x7', 'Anna_x7'])
    expect(await found({ query: 'bert_x7@EXAMPLE' })).toEqual(['bert_x7'])
    expect(await found({ query: '_x7@' })).toEqual(['bert_x7', 'johanna_x7', 'hanna_x7', 'Anna_x7'])
    expect(await found({ query: 'x7%' })).toEqual([])
    expect(await found({ query: 'q7' })).toEqual(['q7z']) // too short for the index
    expect((await found({ query: String(ids[3]) }))[0]).toBe('bert_x7')
    const first = await search({ query: '_x7', limit: 3 })
    expect([first.items.map(({ id }: { id: number }) => id), first.nextCursor]).toEqual([[ids[3], ids[2], ids[1]], ids[1]])
    const second = await search({ query: '_x7', limit: 3, cursor: first.nextCursor })
    expect([second.items.map(({ id }: { id: number }) => id), second.nextCursor]).toEqual([[ids[0]], null])
    const shorts = await search({ query: 'x7', limit: 2 })
    expect(shorts.items.map(({ id }: { id: number }) => id)).toEqual([ids[3], ids[2]])
    expect((await search({ query: 'x7', limit: 2, cursor: shorts.nextCursor })).items.map(({ id }: { id: number }) => id)).toEqual([
      ids[1],
      ids[0],
    ])
    const all = await search({ limit: 2 })
    expect(all.items.map(({ id }: { id: number }) => id)).toEqual([ids[4], ids[3]])
    expect(await found({ query: 'nobody at all' })).toEqual([])
    expect(await found({ kind: 'staff', query: 'search_' })).toEqual(['search_admin'])
    expect(await found({ kind: 'staff', query: 'anna_x7' })).toEqual([])
    await rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: ids[1], reason: 'spam' } })
    expect(await found({ kind: 'suspended', query: '_x7' })).toEqual(['hanna_x7'])
    expect(await found({ kind: 'suspended', query: 'bert' })).toEqual([])
    const rest = await call(here.url, 'GET', '/api/v1/admin/users?query=anna_x7&limit=2', { token: admin.token })
    expect([rest.status, rest.body.data.users.map(({ email }: { email: string }) => email), rest.body.data.next_cursor]).toEqual([
      200,
      ['johanna_x7@example.com', 'hanna_x7@example.com'],
      ids[1],
    ])
    expect(rest.body.data.users[1].suspension).toMatchObject({ until: null, reason: 'spam' })
  })

  it('show their counters and sessions, and none of their secrets', async () => {
    const here = await serve()
    const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
    await signInAgain(here.url, ann)
    await rpc(here.url, 'mutation', 'posts.create', { token: ann.token, input: { title: 'A day', content: 'at the lake, all of it' } })
    const detail = await rpc(here.url, 'query', 'admin.users.byId', { token: admin.token, input: { id: ann.id } })
    expect(detail).toMatchObject({
      id: ann.id,
      username: ann.name,
      email: `${ann.name}@example.com`,
      role: 'user',
      suspension: null,
      counters: { posts: 1, removedPosts: 0, followers: 0, followees: 0, notifications: 0, unread: 0 },
    })
    expect(detail.sessions).toHaveLength(2)
    expect(JSON.stringify(detail)).not.toMatch(/hash|argon|token/i)
    const { body } = await call(here.url, 'GET', `/api/v1/admin/users/${ann.id}`, { token: admin.token })
    expect(body.data).toMatchObject({ id: ann.id, counters: { posts: 1, removed_posts: 0 } })
    expect(body.data.sessions).toHaveLength(2)
    expect(await rpc(here.url, 'query', 'admin.users.byId', { token: admin.token, input: { id: 999_999 } })).toMatchObject({
      reason: 'users.not_found',
    })
  })

  it('get a role, a password, the end of their sessions and their own end, each with a row in the trail', async () => {
    const here = await serve()
    const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
    const act = (path: string, input: object) =>
      rpc(here.url, 'mutation', `admin.users.${path}`, { token: admin.token, input: { id: ann.id, ...input } })
    const seen = async ({ token }: Account) => (await call(here.url, 'GET', '/api/v1/auth/me', { token })).status
    expect([await act('setRole', { role: 'moderator' }), await act('setRole', { role: 'moderator' })]).toEqual([
      { changed: true },
      { changed: false },
    ])
    const other = await signInAgain(here.url, ann)
    const { sessions } = await rpc(here.url, 'query', 'admin.users.byId', { token: admin.token, input: { id: ann.id } })
    expect(await act('revokeSession', { sessionId: sessions[0].id })).toEqual({ revoked: true })
    expect(await act('revokeSession', { sessionId: sessions[0].id })).toEqual({ revoked: false })
    expect([await seen(ann), await seen(other)].toSorted()).toEqual([200, 401])
    expect([await act('revokeSessions', {}), await act('revokeSessions', {})]).toEqual([{ revoked: 1 }, { revoked: 0 }])
    expect([await seen(ann), await seen(other)]).toEqual([401, 401])

    const { password } = await act('resetPassword', {})
    expect(password).toMatch(/^[a-z2-9]{5}(-[a-z2-9]{5}){3}$/)
    expect((await login(here.url, ann.name)).status).toBe(401)
    expect((await call(here.url, 'POST', '/api/v1/auth/login', { body: { login: ann.name, password } })).status).toBe(200)
    expect(await act('resetPassword', { password: 'correct horse' })).toEqual({ password: null })
    expect((await login(here.url, ann.name)).status).toBe(200)

    await act('delete', {})
    expect((await call(here.url, 'GET', `/api/v1/users/${ann.id}`)).status).toBe(404)
    expect(await act('delete', {})).toMatchObject({ reason: 'users.not_found' })
    const entries = await trail(here.url, admin.token, { actorId: admin.id })
    expect(entries.map(({ action }: { action: string }) => action)).toEqual([
      'user.delete',
      'password.reset',
      'password.reset',
      'session.revoke_all',
      'session.revoke',
      'role.set',
    ])
    expect(entries[0]).toEqual({
      actor: 'user',
      actorId: admin.id,
      action: 'user.delete',
      targetType: 'user',
      targetId: String(ann.id),
      detail: null,
      address: '127.0.0.1',
    })
    expect(JSON.stringify(entries)).not.toContain(password)
  })

  it('are never one’s own', async () => {
    const here = await serve()
    const admin = await newStaff(here)
    for (const [path, input] of [
      ['suspend', { reason: 'tired' }],
      ['setRole', { role: 'user' }],
      ['resetPassword', {}],
      ['delete', {}],
    ] as const)
      expect(
        await rpc(here.url, 'mutation', `admin.users.${path}`, { token: admin.token, input: { id: admin.id, ...input } }),
      ).toMatchObject({
        status: 409,
        reason: 'admin.own_account',
      })
    expect((await call(here.url, 'DELETE', `/api/v1/admin/users/${admin.id}`, { token: admin.token })).body).toMatchObject({
      code: 'admin.own_account',
    })
  })

  it('stay as they were when the trail cannot be written', async () => {
    const here = await serve()
    const [admin, ann, bob] = [await newStaff(here), await newAccount(here.url), await newAccount(here.url)]
    const post = await rpc(here.url, 'mutation', 'posts.create', {
      token: ann.token,
      input: { title: 'A day', content: 'at the lake, all of it' },
    })
    const state = async () => {
      const { db } = opened.database
      const [events] = await db
        .selectFrom('outbox')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .execute()
      const users = await db.selectFrom('user').selectAll().where('id', 'in', [ann.id, bob.id]).orderBy('id').execute()
      return { events, users, credentials: await db.selectFrom('credential').selectAll().where('userId', '=', ann.id).execute() }
    }
    const before = await state()
    await opened.database.db.schema.alterTable('audit').renameTo('audit_away').execute()
    try {
      const act = async (path: string, input: object) =>
        (await rpc(here.url, 'mutation', `admin.${path}`, { token: admin.token, input })).reason
      expect(await act('users.suspend', { id: ann.id, reason: 'spam' })).toBe('internal')
      expect(await act('users.setRole', { id: ann.id, role: 'admin' })).toBe('internal')
      expect(await act('users.resetPassword', { id: ann.id })).toBe('internal')
      expect(await act('users.revokeSessions', { id: ann.id })).toBe('internal')
      expect(await act('users.delete', { id: bob.id })).toBe('internal')
      expect(await act('posts.remove', { id: post.id, reason: 'spam' })).toBe('internal')
    } finally {
      await opened.database.db.schema.alterTable('audit_away').renameTo('audit').execute()
    }
    expect(await state()).toEqual(before)
    expect((await call(here.url, 'GET', `/api/v1/posts/${post.id}`)).status).toBe(200)
    expect((await call(here.url, 'GET', '/api/v1/auth/me', { token: ann.token })).status).toBe(200)
  })
})
