/** An app that uses every call there is, as its author would write it. Compiled, never run: see measures.test.ts. */
import {
  asyncStore,
  cookieStore,
  createPinstack,
  documentCookies,
  headerCookies,
  isPinstackError,
  memoryStore,
  webStore,
  type AuthChange,
  type LiveStatus,
  type Me,
  type Post,
  type User,
} from '@pinstack/sdk'

declare const localStorage: {
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}
declare const keychain: {
  getItem(key: string): Promise<string | null>
  setItem(key: string, value: string): Promise<void>
  removeItem(key: string): Promise<void>
}
declare function show(...what: unknown[]): void

export const stores = [
  memoryStore(),
  webStore(localStorage),
  asyncStore(keychain),
  cookieStore(documentCookies(), { httpOnly: false }),
  cookieStore(headerCookies('a=1', (line) => show(line))),
]
const pinstack = createPinstack({ url: 'https://api.example.com', store: webStore(localStorage), timeoutMs: 10_000, retries: 1 })
const { signal } = new AbortController()

export async function account(): Promise<Me> {
  const stop = pinstack.onAuthChange((change: AuthChange) => show(change.state === 'signed_in' ? change.userId : change.reason))
  try {
    await pinstack.register({ username: 'ada', email: 'ada@example.com', password: 'correct horse' }, { signal })
  } catch (error) {
    if (isPinstackError(error, 'input.invalid')) show(error.fieldErrors['username'], error.issues)
    else if (!isPinstackError(error, 'users.username_taken', 'users.email_taken')) throw error
    await pinstack.login({ login: 'ada', password: 'correct horse' }, { timeoutMs: 5_000, retries: 0 })
  }
  await pinstack.changePassword({ oldPassword: 'correct horse', newPassword: 'battery staple' })
  show((await pinstack.session())?.sessionId, (await pinstack.freshSession())?.accessToken)
  for (const { id, current, device } of await pinstack.sessions.list()) show(device, current || (await pinstack.sessions.revoke(id)))
  show((await pinstack.sessions.revokeOthers()) + 1)
  const me = await pinstack.me()
  await pinstack.logout()
  await pinstack.logoutEverywhere()
  stop()
  return me
}

export async function users(): Promise<User[]> {
  await pinstack.users.create({ username: 'bob', email: 'bob@example.com', password: 'correct horse' })
  const bob: User = await pinstack.users.getByUsername('bob')
  show(await pinstack.users.get(bob.id), await pinstack.users.getByEmail('bob@example.com'))
  show((await pinstack.users.update({ fullName: 'Bob', bio: null })).bio, await pinstack.users.setAvatar(null))
  for await (const { username } of pinstack.users.search('b', { limit: 10 })) show(username)
  for await (const page of pinstack.users.search('b').pages()) show(page.total, page.items.length)
  await pinstack.users.delete()
  return pinstack.users.search('b').all({ max: 100 })
}

export async function posts(): Promise<Post[]> {
  const media = [{ url: 'https://example.com/a.png', type: 'image' as const, position: 1 }]
  const post = await pinstack.posts.create({ title: 'Hello', content: 'The first of many.', tags: ['intro'], media })
  show((await pinstack.posts.get(post.id)).author.username, (await pinstack.posts.update(post.id, { tags: [] })).tags)
  await pinstack.posts.delete(post.id)
  for await (const one of pinstack.posts.list({ tag: 'intro', createdAfter: new Date(0).toISOString() }, { signal })) show(one.title)
  return pinstack.posts.list({ authorId: 7 }).all({ max: 20 })
}

export async function relations(): Promise<void> {
  try {
    show((await pinstack.relations.follow(7)) || (await pinstack.relations.unfollow(7)))
  } catch (error) {
    if (!isPinstackError(error, 'relations.self_follow', 'relations.self_unfollow')) throw error
    const code: 'relations.self_follow' | 'relations.self_unfollow' = error.code
    show(code)
  }
  for await (const { username } of pinstack.relations.followers(7)) show(username)
  for await (const { createdAt } of pinstack.relations.followees(7, { limit: 100 })) show(createdAt)
  for (const { userId, following, followedBy } of await pinstack.relations.status([7, 8])) show(userId, following && followedBy)
  show((await pinstack.relations.counts(7)).followers)
}

export async function notifications(): Promise<void> {
  const id = await pinstack.notifications.send({ userId: 7, type: 'poke', payload: { how: 'gently' } })
  for await (const { type, readAt, origin } of pinstack.notifications.feed({ limit: 10 })) show(type, readAt, origin)
  show(await pinstack.notifications.unreadCount(), (await pinstack.notifications.get(id)).senderId)
  show(await pinstack.notifications.read(id), await pinstack.notifications.readAll(), await pinstack.notifications.remove(id))
}

export async function live(): Promise<() => void> {
  const onStatus = (status: LiveStatus) => show(status.state === 'waiting' ? status.retryInMs : status.state)
  for await (const change of pinstack.live.notifications({ signal, onStatus, lastEventId: '7' })) {
    if (change.type === 'created') show(change.notification.payload)
    else if (change.type === 'reset') break
    else show(change.notificationId)
  }
  for await (const change of pinstack.live.relations()) if (change.type !== 'reset') show(change.user?.username)
  for await (const change of pinstack.live.posts()) if (change.type === 'created') show(change.post.title)
  return pinstack.live.unreadCount({ onStatus }).listen((count) => show(count + 1), show)
}

export async function admin(): Promise<void> {
  for await (const { id, suspension } of pinstack.admin.users.search({ query: 'a', kind: 'suspended' }, { limit: 10 })) {
    show(suspension?.reason, await pinstack.admin.users.restore(id), (await pinstack.admin.users.get(id)).counters.posts)
  }
  show(await pinstack.admin.users.suspend(7, { reason: 'spam', until: null }), await pinstack.admin.users.setRole(7, 'moderator'))
  show(await pinstack.admin.users.resetPassword(7), await pinstack.admin.users.revokeSession(7, 'x'))
  show((await pinstack.admin.users.revokeSessions(7)) + 1)
  await pinstack.admin.users.delete(7)
  for await (const { id, removal } of pinstack.admin.posts.search({ state: 'removed' })) {
    show(removal?.by, await pinstack.admin.posts.restore(id), (await pinstack.admin.posts.get(id)).author.username)
    show(await pinstack.admin.posts.remove(id, 'spam', { signal }))
  }
  for await (const { action, detail } of pinstack.admin.audit.list({ targetType: 'user' })) show(action, detail?.['reason'])
}
