import { randomBytes } from 'node:crypto'
import { createAccessTokens } from '../src/features/auth/access-tokens.ts'
import { openSecretKeys } from '../src/features/auth/keys.ts'
import type { Database } from '../src/ports/database.ts'
import { systemClock } from '../src/ports/clock.ts'
import type { Tables } from '../src/schema.ts'
import { addUsers } from './follows.ts'

export interface SeededAccount {
  id: number
  token: string
}

/** Accounts that are signed in already, written past all password hashing, for a server whose `auth.secret` is `secret`. */
export async function seedAccounts(database: Database<Tables>, count: number) {
  const secret = randomBytes(36).toString('base64url')
  const settings = { accessTtlMs: 900_000, issuer: 'pinstack', audience: 'pinstack' }
  const tokens = createAccessTokens({ keys: await openSecretKeys({ secret }), clock: systemClock, settings })
  const ids: number[] = await addUsers(
    { database },
    Array.from({ length: count }, (_, i) => `user${i}`),
  )
  const session = { device: 'test', address: '127.0.0.1', createdAt: '2026-01-01T00:00:00.000Z', lastUsedAt: new Date().toISOString() }
  const sessions = ids.map((userId) => ({ id: `session-${userId}`, userId, ...session }))
  await database.transaction(async (tx) => void (await tx.insertInto('session').values(sessions).execute()))
  const accounts: SeededAccount[] = await Promise.all(
    sessions.map(async ({ id: sessionId, userId }) => ({
      id: userId,
      token: (await tokens.sign({ userId, sessionId, issuedMs: systemClock.nowMs() })).token,
    })),
  )
  return { secret, accounts }
}

/** Different pairs of who follows whom, neighbours far apart, so that many users are at work at once. */
export function pairsOf(accounts: readonly SeededAccount[], max: number): [SeededAccount, SeededAccount][] {
  const pairs: [SeededAccount, SeededAccount][] = []
  for (let step = 1; step < accounts.length && pairs.length < max; step++) {
    for (const [index, from] of accounts.entries()) pairs.push([from, accounts[(index + step) % accounts.length]!])
  }
  return pairs.slice(0, max)
}
