import { createHmac } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer } from '@pinstack/server'
import { loadConfig, type Config } from '@pinstack/server/config'
import {
  createPinstack,
  memoryStore,
  type Fetch,
  type Pinstack,
  type PinstackOptions,
  type Role,
  type Session,
  type SessionStore,
  type WebStorage,
} from '../src/client.ts'

const secret = 'h7Tq0ZJ4rX9bVn2LwKs8YcEu1PgDm6Ai'

export interface RunningServer {
  url: string
  metricsUrl: string
  config: Config
  /** As `pinstack admin grant` does it on the host. */
  grantRole(userId: number, role: Role): Promise<unknown>
  /** Leaves the data, for the next server over it. */
  stop(): Promise<void>
  close(): Promise<void>
}

/** A real server on a SQLite file of its own, on a free port. */
export async function startServer(flags: Record<string, string> = {}): Promise<RunningServer> {
  const dir = await mkdtemp(join(tmpdir(), 'pinstack-sdk-'))
  const { config } = loadConfig({
    flags: {
      'data.dir': dir,
      'http.port': 0,
      'metrics.port': 0,
      'auth.secret': secret,
      'rateLimits.enabled': false,
      'log.level': 'silent',
      ...flags,
    },
  })
  const server = await createServer(config)
  const { apiUrl, metricsUrl } = await server.listen()
  return {
    url: apiUrl,
    metricsUrl,
    config,
    grantRole: (userId, role) => server.app.auth.grantRole({ kind: 'host' }, userId, role),
    stop: () => server.close(),
    async close() {
      await server.close()
      await rm(dir, { recursive: true })
    },
  }
}

export interface Recorder {
  fetch: Fetch
  /** The calls that went out, by name: `auth.refresh`, `users.byId`. */
  paths: string[]
  /** How many of them were for `path`. */
  count(path: string): number
}

/** Passes calls through and remembers them. `around` may delay, break or repeat one. */
export function record(around: (path: string, send: () => ReturnType<Fetch>) => ReturnType<Fetch> = (_, send) => send()): Recorder {
  const paths: string[] = []
  return {
    paths,
    count: (path) => paths.filter((one) => one === path).length,
    fetch(url, init) {
      const path = new URL(url).pathname.split('/').at(-1)!
      paths.push(path)
      return around(path, () => fetch(url, init))
    },
  }
}

let numbers = 0

export interface TestUser {
  pinstack: Pinstack
  store: SessionStore
  username: string
  password: string
  session(): Session
}

/** A client whose user has just registered. */
export async function registered(url: string, options: Partial<PinstackOptions> = {}): Promise<TestUser> {
  const store = options.store ?? memoryStore()
  const pinstack = createPinstack({ url, ...options, store })
  const username = `user${process.pid}_${++numbers}`
  const password = 'correct horse'
  await pinstack.register({ username, email: `${username}@example.com`, password })
  return { pinstack, store, username, password, session: () => store.load() as Session }
}

/** The same token, as it would be an hour later: expired, and signed by the server's own secret. */
export function expired(token: string): string {
  const [header, payload] = token.split('.')
  const claims = JSON.parse(Buffer.from(payload!, 'base64url').toString())
  const old = Buffer.from(JSON.stringify({ ...claims, iat: claims.iat - 7200, exp: claims.exp - 7200 })).toString('base64url')
  return `${header}.${old}.${createHmac('sha256', secret).update(`${header}.${old}`).digest('base64url')}`
}

/** Something like `localStorage`. */
export function storageOf(items = new Map<string, string>()): { items: Map<string, string>; storage: WebStorage } {
  return {
    items,
    storage: {
      getItem: (key) => items.get(key) ?? null,
      setItem: (key, value) => void items.set(key, value),
      removeItem: (key) => void items.delete(key),
    },
  }
}
