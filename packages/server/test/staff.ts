import { afterEach } from 'vitest'
import { createServer, type Server } from '../src/server.ts'
import type { FlagValue } from '../src/config.ts'
import type { Tables } from '../src/schema.ts'
import { useDatabase, type DriverName } from './drivers.ts'
import { call, login, quietly, register, testConfig } from './serve.ts'

export interface Account {
  id: number
  name: string
  token: string
  refreshToken: string
}

/** Servers on one database, each with sockets of its own, and people on them. All of them end with each test. */
export function useServers(driver: DriverName) {
  const opened = useDatabase<Tables>(driver)
  const cleanUps: (() => Promise<unknown> | void)[] = []
  let names = 0
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })

  async function serve(flags: Record<string, FlagValue> = {}): Promise<{ url: string; server: Server }> {
    const config = testConfig({ 'database.url': opened.url, 'auth.secret': 'a secret of all these replicas, long enough', ...flags })
    const server = await createServer(config, quietly)
    cleanUps.push(() => server.close())
    return { url: (await server.listen()).apiUrl, server }
  }

  async function newAccount(url: string, name = `user${++names}`): Promise<Account> {
    const { access_token: token, refresh_token: refreshToken } = (await register(url, name)).body.data
    return { name, token, refreshToken, id: (await call(url, 'GET', '/api/v1/auth/me', { token })).body.data.id }
  }

  return {
    opened,
    serve,
    newAccount,
    cleanUp: (work: () => Promise<unknown> | void) => void cleanUps.push(work),
    async newStaff(
      { url, server }: { url: string; server: Server },
      role: 'admin' | 'moderator' = 'admin',
      name?: string,
    ): Promise<Account> {
      const account = await newAccount(url, name)
      await server.app.auth.grantRole({ kind: 'host' }, account.id, role)
      return account
    },
    /** Another sign-in of the same account. */
    async signInAgain(url: string, { id, name }: Account): Promise<Account> {
      const { access_token: token, refresh_token: refreshToken } = (await login(url, name)).body.data
      return { id, name, token, refreshToken }
    },
  }
}

/** A tRPC call as a client makes it: its data, or its error with the code as `reason`. */
export async function rpc(
  url: string,
  kind: 'query' | 'mutation',
  path: string,
  { token, input }: { token?: string; input?: unknown } = {},
) {
  const query = kind === 'query' && input !== undefined ? `?input=${encodeURIComponent(JSON.stringify(input))}` : ''
  const response = await fetch(`${url}/trpc/${path}${query}`, {
    method: kind === 'query' ? 'GET' : 'POST',
    headers: {
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(kind === 'mutation' && { 'content-type': 'application/json' }),
    },
    ...(kind === 'mutation' && { body: JSON.stringify(input ?? {}) }),
  })
  const { result, error } = (await response.json()) as any
  if (!error) return result.data
  const { reason, details, errors } = error.data
  return { status: response.status, reason, message: error.message, ...(details && { details }), ...(errors && { errors }) }
}

/** How long it took until `check` was true. */
export async function millisecondsUntil(check: () => Promise<boolean> | boolean): Promise<number> {
  const startMs = performance.now()
  while (!(await check())) {
    if (performance.now() - startMs > 5_000) throw new Error('it never came')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return performance.now() - startMs
}
