import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { createPinstack, type AuditEntry, type AuthChange, type PinstackError } from '../src/client.ts'
import { record, registered, startServer, type RunningServer, type TestUser } from './running-server.ts'

let server: RunningServer
beforeAll(async () => {
  server = await startServer()
})
afterAll(() => server.close())

let [admin, ann]: TestUser[] = []
beforeEach(async () => {
  admin = await registered(server.url)
  ann = await registered(server.url)
  await server.grantRole(admin.session().userId, 'admin')
})
const staff = () => admin!.pinstack.admin
const idOf = (user: TestUser | undefined) => user!.session().userId
const actions = async (targetId: number, targetType = 'user') =>
  (
    await staff()
      .audit.list({ targetType, targetId: String(targetId) })
      .all({ max: 10 })
  ).map(({ action }) => action)

it('finds accounts, and says all of one', async () => {
  const { pinstack } = await registered(server.url)
  const name = `find${Date.now()}`
  for (const n of [1, 2, 3])
    await pinstack.users.create({ username: `${name}_${n}`, email: `${name}_${n}@x.org`, password: 'correct horse' })
  const found = await staff().users.search({ query: name }, { limit: 2 }).all({ max: 10 })
  expect(found.map(({ username }) => username.slice(-1))).toEqual(['3', '2', '1'])
  expect(found[0]).toMatchObject({ email: `${name}_3@x.org`, role: 'user', suspension: null })
  expect(await staff().users.search({ kind: 'staff' }).all({ max: 100 })).toContainEqual(
    expect.objectContaining({ id: idOf(admin), role: 'admin' }),
  )

  await ann!.pinstack.posts.create({ title: 'One', content: 'And only this one.' })
  const detail = await staff().users.get(idOf(ann))
  expect(detail).toMatchObject({ username: ann!.username, counters: { posts: 1, followers: 0 } })
  expect(detail.sessions.map(({ id }) => id)).toEqual([ann!.session().sessionId])
  await expect(staff().users.get(1_000_000)).rejects.toMatchObject({ code: 'users.not_found' })
})

it('shuts an account out, which is told why and stays signed in, and lets it in again', async () => {
  const changes: AuthChange[] = []
  ann!.pinstack.onAuthChange((change) => changes.push(change))
  const until = new Date(Date.now() + 3_600_000).toISOString()
  expect(await staff().users.suspend(idOf(ann), { reason: 'Take a break.', until })).toBe(true)
  expect(await staff().users.suspend(idOf(ann), { reason: 'Take a break.', until })).toBe(false)
  const refusal = { code: 'auth.suspended', status: 403, details: { reason: 'Take a break.', until } }
  await expect(ann!.pinstack.me()).rejects.toMatchObject(refusal)
  await ann!.store.save({ ...ann!.session(), renewAtMs: 0, accessExpiresAtMs: 0 })
  await expect(ann!.pinstack.me()).rejects.toMatchObject(refusal) // of the renewal
  await expect(ann!.pinstack.live.notifications()[Symbol.asyncIterator]().next()).rejects.toMatchObject(refusal)
  expect(await staff().users.restore(idOf(ann))).toBe(true)
  expect(await staff().users.restore(idOf(ann))).toBe(false)
  expect((await ann!.pinstack.me()).username).toBe(ann!.username)
  expect(changes).toEqual([])
  expect(await actions(idOf(ann))).toEqual(['user.restore', 'user.suspend'])
})

it('gives roles, passwords and ends to sessions and accounts', async () => {
  const id = idOf(ann)
  expect(await staff().users.setRole(id, 'moderator')).toBe(true)
  expect(await staff().users.setRole(id, 'moderator')).toBe(false)
  expect((await ann!.pinstack.me()).role).toBe('moderator')

  const other = createPinstack({ url: server.url })
  await other.login({ login: ann!.username, password: ann!.password })
  expect(await staff().users.revokeSession(id, (await other.session())!.sessionId)).toBe(true)
  expect(await staff().users.revokeSession(id, (await admin!.pinstack.session())!.sessionId)).toBe(false)
  await expect(other.me()).rejects.toMatchObject({ code: 'auth.unauthenticated' })
  expect(await staff().users.revokeSessions(id)).toBe(1)
  await expect(ann!.pinstack.me()).rejects.toMatchObject({ code: 'auth.unauthenticated' })

  const made = await staff().users.resetPassword(id)
  await ann!.pinstack.login({ login: ann!.username, password: made! })
  expect(await staff().users.resetPassword(id, 'battery staple')).toBeNull()
  await ann!.pinstack.login({ login: ann!.username, password: 'battery staple' })
  await staff().users.delete(id)
  await expect(staff().users.get(id)).rejects.toMatchObject({ code: 'users.not_found' })
  await expect(staff().users.delete(idOf(admin))).rejects.toMatchObject({ code: 'admin.own_account' })
})

it('takes posts out of sight and brings them back, for moderators, too', async () => {
  await server.grantRole(idOf(ann), 'moderator')
  const { pinstack } = await registered(server.url)
  const title = `Casino ${Date.now()}`
  const { id } = await pinstack.posts.create({ title, content: 'Come and play with us.' })
  const { posts } = ann!.pinstack.admin
  expect((await posts.search({ query: title }).all({ max: 10 })).map((post) => post.id)).toEqual([id])
  expect(await posts.remove(id, 'advertising')).toBe(true)
  expect(await posts.remove(id, 'advertising')).toBe(false)
  await expect(pinstack.posts.get(id)).rejects.toMatchObject({ code: 'posts.not_found' })
  expect((await posts.get(id)).removal).toMatchObject({ by: idOf(ann), reason: 'advertising' })
  expect(await posts.search({ state: 'removed', query: title }).all({ max: 10 })).toMatchObject([{ id, title }])
  expect(await posts.restore(id)).toBe(true)
  expect((await pinstack.posts.get(id)).title).toBe(title)
  expect(await actions(id, 'post')).toEqual(['post.restore', 'post.remove'])
  const [entry] = (await staff()
    .audit.list({ action: 'post.remove', actorId: idOf(ann) })
    .all({ max: 1 })) as [AuditEntry]
  expect(entry).toMatchObject({ actor: 'user', detail: { reason: 'advertising' }, address: '127.0.0.1' })
  await expect(ann!.pinstack.admin.users.get(id)).rejects.toMatchObject({ code: 'auth.forbidden' })
})

it('is for nobody else, and is tried again where the second changes nothing', async () => {
  const { admin: ofAnn } = ann!.pinstack
  const calls: Promise<unknown>[] = [ofAnn.users.get(1), ofAnn.posts.get(1), ofAnn.audit.list().all({ max: 1 }), ofAnn.users.delete(1)]
  for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'auth.forbidden' } satisfies Partial<PinstackError>)

  let isFirst = true
  const lossy = record(async (_, send) => {
    const answer = await send()
    if (!isFirst) return answer
    isFirst = false
    throw new TypeError('fetch failed')
  })
  const { admin: again } = createPinstack({ url: server.url, store: admin!.store, fetch: lossy.fetch })
  expect(await again.users.suspend(idOf(ann), { reason: 'Twice said, once done.' })).toBe(false)
  expect(lossy.paths).toEqual(['admin.users.suspend', 'admin.users.suspend'])
  expect(await actions(idOf(ann))).toEqual(['user.suspend'])
})
