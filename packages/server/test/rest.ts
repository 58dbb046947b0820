import type { InjectOptions } from 'fastify'
import { afterAll, beforeAll, expect } from 'vitest'
import type { App } from '../src/compose.ts'
import { createRouter } from '../src/router.ts'
import { createRoutes } from '../src/routes.ts'
import { openSurface } from './http-surface.ts'
import type { World } from './matrix.ts'

type Method = 'GET' | 'POST' | 'PUT' | 'DELETE'
interface Ask {
  /** An access token. */
  token?: string
  /** JSON; a text is sent as it is. */
  body?: unknown
  headers?: Record<string, string>
}

/** The whole surface over whatever app the world has: opened once for a describe block, since that takes longer than a test. */
export function useRest(world: World) {
  const rest = {} as Awaited<ReturnType<typeof openSurface>>
  const app = {
    auth: current(world, 'auth'),
    users: current(world, 'users'),
    posts: current(world, 'posts'),
    relations: current(world, 'relations'),
    notifications: current(world, 'notifications'),
    admin: current(world, 'admin'),
  } as App
  beforeAll(async () => {
    const api = { routes: createRoutes(app), router: createRouter(app), authenticate: app.auth.authenticate }
    // @NOTE a busy machine that runs tests is no reason to refuse their requests
    Object.assign(rest, await openSurface({ ...api, limits: { loopDelayMs: Number.POSITIVE_INFINITY } }))
  })
  afterAll(() => rest.close())

  async function inject(method: Method, url: string, { token, body, headers }: Ask = {}) {
    const request: InjectOptions = {
      method,
      url,
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }), ...headers },
    }
    if (body !== undefined) request.payload = typeof body === 'string' ? body : JSON.stringify(body)
    return rest.app.inject(request)
  }

  return {
    inject,
    /** The answer as v1 has it: without the members that this project adds to errors. */
    async send(method: Method, path: string, ask: Ask = {}) {
      const answer = await inject(method, `/api/v1${path}`, ask)
      if (answer.body === '') return { status: answer.statusCode }
      const { request_id, code, errors, ...v1 } = answer.json()
      expect(v1.status).toBe(answer.statusCode)
      return v1
    },
    /** Everything that was logged. */
    log: () => rest.log,
    /** A call over tRPC: its data, or its error. */
    async call(kind: 'query' | 'mutation', path: string, { token, body }: Ask = {}) {
      const input = body === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(body))}`
      const answer =
        kind === 'query'
          ? await inject('GET', `/trpc/${path}${input}`, { ...(token !== undefined && { token }) })
          : await inject('POST', `/trpc/${path}`, {
              ...(token !== undefined && { token }),
              body: body ?? {},
              headers: { 'content-type': 'application/json' },
            })
      const { result, error } = answer.json()
      return error ? { error: error.data.reason as string, message: error.message as string, status: answer.statusCode } : result.data
    },
  }
}

export const refused = (status: number, message: string) => ({ status, message })

/** A feature of the app that the world has when it is called. */
function current(world: World, feature: 'auth' | 'users' | 'posts' | 'relations' | 'notifications' | 'admin'): object {
  const call = (member: string | symbol, args: unknown[]) => (world.app[feature] as any)[member](...args)
  return new Proxy(
    {},
    {
      get:
        (_, member) =>
        (...args: unknown[]) =>
          call(member, args),
    },
  )
}
