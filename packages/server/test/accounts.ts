import type { App } from '../src/compose.ts'
import type { Client } from '../src/core/client.ts'
import type { Viewer } from '../src/core/viewer.ts'
import type { TokenPair } from '../src/features/auth/auth.ts'
import type { World } from './matrix.ts'

export const client: Client = { address: '192.0.2.7', device: 'test device' }
export const password = 'correct horse'

export interface SignedUp {
  id: number
  username: string
  email: string
  viewer: Viewer
  pair: TokenPair
}

/** A new account, signed in. Its password is `password`. */
export async function signUp(app: App, username: string): Promise<SignedUp> {
  const email = `${username}@example.com`
  const pair = await app.auth.register({ username, email, password }, client)
  const viewer = await app.auth.authenticate(pair.accessToken)
  return { id: viewer.id, username, email, viewer, pair }
}

export async function signUpAdmin(app: App, username: string): Promise<SignedUp> {
  const user = await signUp(app, username)
  await app.auth.grantRole({ kind: 'host' }, username, 'admin')
  return { ...user, viewer: await app.auth.authenticate(user.pair.accessToken) }
}

/** Of an account that is there already. */
export async function signIn(app: App, login: string): Promise<{ viewer: Viewer; pair: TokenPair }> {
  const pair = await app.auth.login({ login, password }, client)
  return { pair, viewer: await app.auth.authenticate(pair.accessToken) }
}

/** Everything that was emitted since the world began, in order: `['user_registered', 7, { user_id: 7 }]`. */
export async function eventsOf(world: World): Promise<[string, number, unknown][]> {
  const rows = await world.database.db.selectFrom('outbox').orderBy('id').select(['type', 'key', 'payload']).execute()
  return rows.map(({ type, key, payload }) => [type, key, JSON.parse(payload)])
}
