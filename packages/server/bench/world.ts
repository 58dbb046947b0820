import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../src/ports/database.ts'
import type { Tables } from '../src/schema.ts'
import { loadConfig, type Config, type FlagValue } from '../src/config.ts'

export const login = 'user1'
export const password = 'correct horse battery'

/** A data directory with room beside it, gone when the process ends. */
export function newDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-bench-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'seed')
}

/** The defaults of production, over `dir` and on free ports. */
export function benchConfig(dir: string, flags: Record<string, FlagValue> = {}): Config {
  return loadConfig({ flags: { 'data.dir': dir, 'http.port': 0, 'metrics.port': 0, ...flags } }).config
}

/** An account of a running server, and its access token. */
export async function registerAt(url: string, username: string): Promise<{ token: string; id: number }> {
  const account = { username, email: `${username}@example.com`, password }
  const response = await fetch(`${url}/api/v1/auth/register`, { method: 'POST', body: JSON.stringify(account) })
  if (!response.ok) throw new Error(`${username} could not register: ${await response.text()}`)
  const token: string = ((await response.json()) as any).data.access_token
  return { token, id: JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()).user_id }
}

/** Accounts that nobody signs in to: who follows, and is followed. Returns their ids, of which there is at least one. */
export async function addUsers(database: Database<Tables>, count: number): Promise<[number, ...number[]]> {
  const more = {
    email: '',
    fullName: null,
    fullNameFolded: null,
    bio: null,
    avatarUrl: null,
    createdAt: '',
    updatedAt: '',
    deletedAt: null,
  }
  const names = Array.from({ length: count }, (_, i) => `follower${i}`)
  const users = await database.transaction((tx) =>
    tx
      .insertInto('user')
      .values(names.map((username) => ({ ...more, username, usernameFolded: username, emailFolded: username })))
      .returning('id')
      .execute(),
  )
  return users.map(({ id }) => id) as [number, ...number[]]
}
