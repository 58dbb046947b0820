import { createTRPCClient, httpSubscriptionLink } from '@trpc/client'
import { EventSource } from 'eventsource'
import { expect, it } from 'vitest'
import { onEachDriver } from '../../../test/drivers.ts'
import { openEvents } from '../../../test/event-stream.ts'
import { call, login } from '../../../test/serve.ts'
import { millisecondsUntil, rpc, useServers } from '../../../test/staff.ts'
import type { AppRouter } from '../../server.ts'

const withinMs = 1_000

onEachDriver('an account that is shut out', (driver) => {
  const { serve, newAccount, newStaff, cleanUp } = useServers(driver)
  const inAnHour = () => new Date(Date.now() + 3_600_000).toISOString()
  const suspended = (until: string | null) => ({
    status: 403,
    code: 'auth.suspended',
    message: 'account suspended',
    details: { until, reason: 'spam' },
  })

  it('is refused on every surface at once, with the reason and the end, and is in again when it is restored', async () => {
    const here = await serve()
    const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
    const { token, refreshToken } = ann
    const post = await rpc(here.url, 'mutation', 'posts.create', { token, input: { title: 'A day', content: 'at the lake, all of it' } })
    const stream = await openEvents(`${here.url}/api/v1/notification/stream`, { token })
    cleanUp(stream.close)
    const until = inAnHour()
    expect(
      await rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: ann.id, reason: 'spam', until } }),
    ).toEqual({ changed: true })

    const restOf = async (method: string, path: string, ask: object = {}) => (await call(here.url, method, `/api/v1${path}`, ask)).body
    const refusals = [
      await restOf('GET', '/auth/me', { token }),
      await restOf('POST', '/posts', { token, body: { title: 'more', content: 'of the very same' } }),
      await restOf('GET', `/users/${ann.id}`, { token }), // reads the token where there is one
      await restOf('POST', '/auth/refresh', { body: { refresh_token: refreshToken } }),
      await restOf('POST', '/auth/login', { body: { login: ann.name, password: 'correct horse' } }),
      await restOf('GET', '/notification/stream', { token }),
    ]
    for (const refusal of refusals) expect(refusal).toMatchObject(suspended(until))
    expect(await rpc(here.url, 'query', 'auth.me', { token })).toEqual({
      status: 403,
      reason: 'auth.suspended',
      message: 'account suspended',
      details: { until, reason: 'spam' },
    })
    await stream.ended
    // Whoever does not know the password learns nothing of it.
    expect(await restOf('POST', '/auth/login', { body: { login: ann.name, password: 'wrong horse' } })).toMatchObject({
      code: 'auth.invalid_credentials',
    })
    // What it has published stays.
    expect((await restOf('GET', `/posts/${post.id}`)).data.author.id).toBe(ann.id)
    expect((await restOf('GET', `/users/${ann.id}`)).data.username).toBe(ann.name)

    expect(await rpc(here.url, 'mutation', 'admin.users.restore', { token: admin.token, input: { id: ann.id } })).toEqual({ changed: true })
    expect(await rpc(here.url, 'mutation', 'admin.users.restore', { token: admin.token, input: { id: ann.id } })).toEqual({
      changed: false,
    })
    expect((await call(here.url, 'GET', '/api/v1/auth/me', { token })).status).toBe(200)
    expect((await call(here.url, 'POST', '/api/v1/auth/refresh', { body: { refresh_token: refreshToken } })).status).toBe(200) // it was not spent
    expect((await login(here.url, ann.name)).status).toBe(200)
    const again = await openEvents(`${here.url}/api/v1/notification/stream`, { token })
    cleanUp(again.close)
    expect(again.status).toBe(200)
    const { items } = await rpc(here.url, 'query', 'admin.audit.list', {
      token: admin.token,
      input: { targetType: 'user', targetId: String(ann.id) },
    })
    expect(items.map(({ action, detail }: any) => [action, detail])).toEqual([
      ['user.restore', null],
      ['user.suspend', { until, reason: 'spam' }],
    ])
  })

  it('tells a live subscription why it ends', async () => {
    const here = await serve()
    const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
    const headers = { authorization: `Bearer ${ann.token}` }
    const link = httpSubscriptionLink({
      url: `${here.url}/trpc`,
      EventSource: EventSource as never,
      eventSourceOptions: {
        fetch: (url: string, init: object) => fetch(url, { ...init, headers: { ...(init as any).headers, ...headers } }),
      } as never,
    })
    const client = createTRPCClient<AppRouter>({ links: [link] })
    const reasons: string[] = []
    const ready = Promise.withResolvers<void>()
    const { unsubscribe } = client.live.notifications.subscribe(undefined, {
      onData: () => ready.resolve(),
      onError: (error) => reasons.push((error.data as any).reason),
    })
    cleanUp(unsubscribe)
    await ready.promise
    await rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: ann.id, reason: 'spam' } })
    await millisecondsUntil(() => reasons.length > 0)
    expect(reasons[0]).toBe('auth.suspended')
  })

  it('is in again by itself when the time is over', async () => {
    const here = await serve()
    const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
    const until = new Date(Date.now() + 1_500).toISOString()
    await rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: ann.id, reason: 'spam', until } })
    const statusOf = async () => (await call(here.url, 'GET', '/api/v1/auth/me', { token: ann.token })).status
    expect(await statusOf()).toBe(403)
    await millisecondsUntil(async () => (await statusOf()) === 200)
    expect(Date.now()).toBeGreaterThanOrEqual(Date.parse(until))
    expect((await login(here.url, ann.name)).status).toBe(200)
    const { suspension } = await rpc(here.url, 'query', 'admin.users.byId', { token: admin.token, input: { id: ann.id } })
    expect(suspension).toBeNull()
  })

  it('can be shut out otherwise, and not until a time that is over or for no reason', async () => {
    const here = await serve()
    const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
    const suspend = (input: object) =>
      rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: ann.id, ...input } })
    expect(await suspend({ reason: 'spam', until: '2020-01-01T00:00:00Z' })).toMatchObject({ reason: 'input.invalid' })
    expect(await suspend({ reason: '' })).toMatchObject({ reason: 'input.invalid' })
    expect(await suspend({ reason: 'spam', until: 'tomorrow' })).toMatchObject({ reason: 'input.invalid' })
    expect(await suspend({ reason: 'spam' })).toEqual({ changed: true })
    expect(await suspend({ reason: 'spam' })).toEqual({ changed: false })
    const until = inAnHour()
    const body = { reason: 'spam', until }
    const { body: answer } = await call(here.url, 'POST', `/api/v1/admin/users/${ann.id}/suspend`, { token: admin.token, body })
    expect(answer).toEqual({ status: 200, data: { changed: true } })
    expect((await call(here.url, 'GET', '/api/v1/auth/me', { token: ann.token })).body).toMatchObject(suspended(until))
    expect(
      await rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: 999_999, reason: 'spam' } }),
    ).toMatchObject({
      reason: 'users.not_found',
    })
  })

  if (driver === 'postgres') {
    it('is refused on every other replica within a second, and its streams there end', async () => {
      const [here, there] = [await serve(), await serve()]
      const [admin, ann] = [await newStaff(here), await newAccount(here.url)]
      const statusThere = async () => (await call(there.url, 'GET', '/api/v1/auth/me', { token: ann.token })).status
      expect(await statusThere()).toBe(200) // and is remembered
      const stream = await openEvents(`${there.url}/api/v1/notification/stream`, { token: ann.token })
      cleanUp(stream.close)
      let hasEnded = false
      void stream.ended.then(() => (hasEnded = true))
      await rpc(here.url, 'mutation', 'admin.users.suspend', { token: admin.token, input: { id: ann.id, reason: 'spam' } })
      const took = await Promise.all([millisecondsUntil(async () => (await statusThere()) === 403), millisecondsUntil(() => hasEnded)])
      for (const milliseconds of took) expect(milliseconds).toBeLessThan(withinMs)
      await rpc(here.url, 'mutation', 'admin.users.restore', { token: admin.token, input: { id: ann.id } })
      expect(await millisecondsUntil(async () => (await statusThere()) === 200)).toBeLessThan(withinMs)
    })
  }
})
