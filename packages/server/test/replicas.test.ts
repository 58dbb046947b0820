import { afterEach, expect, it } from 'vitest'
import type { Config } from '../src/config.ts'
import { openApp } from '../src/open-app.ts'
import { createServer } from '../src/server.ts'
import type { Tables } from '../src/schema.ts'
import { onEachDriver, useDatabase } from './drivers.ts'
import { call, login, register, quietly, testConfig } from './serve.ts'

/** What another process has changed shows here within a second. */
const withinMs = 1_000

onEachDriver('several processes on one database', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const cleanUps: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
  const config = (): Config => testConfig({ 'database.url': opened.url, 'auth.secret': 'a secret of the two replicas, long enough' })

  async function serve(): Promise<string> {
    const server = await createServer(config(), quietly)
    cleanUps.push(() => server.close())
    return (await server.listen()).apiUrl
  }
  async function measured(check: () => Promise<boolean>): Promise<number> {
    const startMs = performance.now()
    while (!(await check())) if (performance.now() - startMs > 5_000) throw new Error('it never came')
    return performance.now() - startMs
  }

  it('shows what the command line changes beside a running server', async () => {
    const url = await serve()
    const { id } = (await call(url, 'GET', '/api/v1/auth/me', { token: (await register(url, 'ann')).body.data.access_token })).body.data
    const read = () => call(url, 'GET', `/api/v1/users/${id}`)
    expect((await read()).body.data.username).toBe('ann') // and now it is cached
    const beside = await openApp(config(), {})
    cleanUps.push(() => beside.close())
    await beside.app.users.removeAs({ kind: 'host' }, 'ann')
    expect(await measured(async () => (await read()).status === 404)).toBeLessThan(withinMs)
  })

  if (driver === 'postgres') {
    it('shows an update and the end of a session on the other replica', async () => {
      const [here, there] = [await serve(), await serve()]
      const token = (await register(here, 'bob')).body.data.access_token as string
      const { id } = (await call(there, 'GET', '/api/v1/auth/me', { token })).body.data
      const nameThere = async () => (await call(there, 'GET', `/api/v1/users/${id}`)).body.data.full_name
      expect(await nameThere()).toBeUndefined()
      await call(here, 'PUT', '/api/v1/users', { token, body: { id, full_name: 'Bob B.' } })
      expect(await measured(async () => (await nameThere()) === 'Bob B.')).toBeLessThan(withinMs)

      const other = (await login(there, 'bob')).body.data.access_token as string
      expect((await call(here, 'GET', '/api/v1/auth/me', { token: other })).status).toBe(200)
      expect((await call(there, 'POST', '/api/v1/auth/sessions/revoke-others', { token })).status).toBe(200)
      expect((await call(there, 'GET', '/api/v1/auth/me', { token: other })).status).toBe(401)
      expect(await measured(async () => (await call(here, 'GET', '/api/v1/auth/me', { token: other })).status === 401)).toBeLessThan(
        withinMs,
      )
    })
  }
})
