import { expect, it } from 'vitest'
import { onEachDriver } from '../../../test/drivers.ts'
import { call } from '../../../test/serve.ts'
import { rpc, useServers } from '../../../test/staff.ts'
import { createRouter } from '../../router.ts'
import { createRoutes } from '../../routes.ts'

/** What moderators may do. Whatever is new is for admins alone until it stands here. */
const forModerators = {
  rpc: ['admin.posts.byId', 'admin.posts.remove', 'admin.posts.restore', 'admin.posts.search'],
  rest: ['admin.posts.get', 'admin.posts.remove', 'admin.posts.restore', 'admin.posts.search'],
}

onEachDriver('who may call what is for staff', (driver) => {
  const { serve, newAccount, newStaff } = useServers(driver)

  it('is looked at before the input, at each procedure', async () => {
    const here = await serve()
    const [user, moderator] = [await newAccount(here.url), await newStaff(here, 'moderator')]
    const procedures = Object.entries<any>(createRouter(here.server.app)._def.procedures).filter(([path]) => path.startsWith('admin.'))
    expect(procedures.length).toBeGreaterThan(10)
    const open: string[] = []
    for (const [path, { _def }] of procedures) {
      if (_def.type === 'subscription') continue // streams.test.ts
      const reasonOf = async (token?: string) =>
        (await rpc(here.url, _def.type, path, { ...(token && { token }), input: { id: 'no id' } })).reason
      expect([path, await reasonOf()]).toEqual([path, 'auth.unauthenticated'])
      expect([path, await reasonOf(user.token)]).toEqual([path, 'auth.forbidden'])
      if ((await reasonOf(moderator.token)) !== 'auth.forbidden') open.push(path)
    }
    expect(open.toSorted()).toEqual(forModerators.rpc)
  })

  it('is looked at before the input, at each route', async () => {
    const here = await serve()
    const [user, moderator] = [await newAccount(here.url), await newStaff(here, 'moderator')]
    const routes = createRoutes(here.server.app)
    const staffRoutes = routes.filter(({ path }) => path.startsWith('/admin'))
    expect(staffRoutes.length).toBeGreaterThan(10)
    expect(routes.filter(({ role }) => role !== undefined)).toEqual(staffRoutes)
    const open: string[] = []
    for (const { name, method, path } of staffRoutes) {
      const codeOf = async (token?: string) => {
        const url = `/api/v1${path.replaceAll(/\{\w+\}/g, 'none')}?limit=x&since=x`
        return (await call(here.url, method, url, { ...(token && { token }), ...(method !== 'GET' && { body: [] }) })).body?.code
      }
      expect([name, await codeOf()]).toEqual([name, 'auth.unauthenticated'])
      expect([name, await codeOf(user.token)]).toEqual([name, 'auth.forbidden'])
      if ((await codeOf(moderator.token)) !== 'auth.forbidden') open.push(name)
    }
    expect(open.toSorted()).toEqual(forModerators.rest)
  })

  it('is asked again in the transaction: who was demoted elsewhere a moment ago does nothing more', async () => {
    const here = await serve()
    const [ann, bob, carl] = [await newStaff(here), await newStaff(here), await newAccount(here.url)]
    const actor = { kind: 'user', id: ann.id, address: '192.0.2.1' } as const
    expect(await rpc(here.url, 'mutation', 'admin.users.setRole', { token: bob.token, input: { id: ann.id, role: 'moderator' } })).toEqual({
      changed: true,
    })
    const { admin } = here.server.app
    const forbidden = expect.objectContaining({ code: 'auth.forbidden' })
    await expect(admin.users.suspend(actor, carl.id, { reason: 'spam', until: null })).rejects.toEqual(forbidden)
    await expect(admin.users.setRole(actor, bob.id, 'user')).rejects.toEqual(forbidden)
    await expect(admin.users.remove(actor, bob.id)).rejects.toEqual(forbidden)
    await expect(admin.users.resetPassword(actor, bob.id)).rejects.toEqual(forbidden)
    await expect(admin.users.revokeSessions(actor, bob.id)).rejects.toEqual(forbidden)
    expect(await rpc(here.url, 'query', 'auth.me', { token: bob.token })).toMatchObject({ role: 'admin' })
  })

  it('leaves one admin when two demote each other at once', async () => {
    const here = await serve()
    for (let round = 0; round < 5; round++) {
      const two = [await newStaff(here), await newStaff(here)]
      const outcomes = await Promise.all(
        two.map(({ token }, index) =>
          rpc(here.url, 'mutation', 'admin.users.setRole', { token, input: { id: two[1 - index]!.id, role: 'user' } }),
        ),
      )
      expect(outcomes.filter(({ changed }) => changed)).toHaveLength(1)
      const roles = await Promise.all(two.map(async ({ token }) => (await rpc(here.url, 'query', 'auth.me', { token })).role))
      expect(roles.toSorted()).toEqual(['admin', 'user'])
    }
  })
})
