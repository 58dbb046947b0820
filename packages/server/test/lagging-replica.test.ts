import { expect, it } from 'vitest'
import { memoryCache } from '../src/adapters/cache/memory.ts'
import { openPostgres } from '../src/adapters/database/postgres.ts'
import { localDoorbell } from '../src/adapters/doorbell/local.ts'
import { unlimited } from '../src/adapters/rate-limiter/memory.ts'
import { compose } from '../src/compose.ts'
import { openSecretKeys } from '../src/features/auth/keys.ts'
import { createPasswords } from '../src/features/auth/passwords.ts'
import { migrateUp } from '../src/migrations/index.ts'
import { systemClock as clock } from '../src/ports/clock.ts'
import type { Tables } from '../src/schema.ts'
import { client, signIn, signUp } from './accounts.ts'
import { onEachDriver, useDatabase } from './drivers.ts'

onEachDriver('reads that may be a moment old', (driver) => {
  const primary = useDatabase<Tables>(driver)
  it('go where the others go when there is no replica', () => {
    expect(primary.database.replica).toBe(primary.database.db)
  })

  if (driver === 'sqlite') return // it has none
  const stale = useDatabase<Tables>(driver) // stands for a replica to which nothing has come yet
  it('are none that are cached or decide anything', async () => {
    for (const { database } of [primary, stale]) await migrateUp(database)
    const database = openPostgres<Tables>({ url: primary.url, replicaUrl: stale.url, poolMax: 4 })
    const settings = {
      createByUsers: true,
      sendByUsers: true,
      accessTtlMs: 900_000,
      refreshTtlMs: 9e9,
      issuer: 'pinstack',
      audience: 'pinstack',
    }
    const keys = await openSecretKeys({ secret: 'jW0oB0qv1zcPSyGQ4nXYxH2T9kLmR5dE' })
    const app = compose({
      database,
      clock,
      cache: memoryCache(clock),
      limiter: unlimited,
      passwords: createPasswords(),
      keys,
      committed: localDoorbell(),
      settings,
      live: { streamsPerUserMax: 3, streamsMax: 10 },
      warn() {},
    })
    try {
      const ann = await signUp(app, 'ann') // and asks who the token is
      await expect(app.auth.register({ username: 'Ann', email: 'a@example.com', password: 'correct horse' }, client)).rejects.toMatchObject(
        { code: 'users.username_taken' },
      )
      const { viewer } = await signIn(app, 'ann')
      expect(await app.auth.listSessions(viewer)).toHaveLength(2)
      await app.users.update(viewer, ann.id, { username: 'anna', bio: 'new' })
      expect([(await app.users.byId(ann.id, null)).bio, (await app.users.byUsername('anna', null)).id]).toEqual(['new', ann.id])
      await app.auth.revokeSession(ann.viewer, viewer.sessionId)
      await app.auth.grantRole({ kind: 'host' }, 'anna', 'admin')
      expect([
        (await app.auth.authenticate(ann.pair.accessToken)).role,
        (await app.auth.listAdmins()).length,
        await app.auth.ensureSetupToken(),
      ]).toEqual(['admin', 1, undefined])
      expect((await app.users.search('anna', { start: { offset: 0 }, limit: 9, viewer: null })).total).toBe(0) // this may be a moment old
      await app.users.remove(ann.viewer, ann.id)
      await expect(app.auth.authenticate(ann.pair.accessToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    } finally {
      await database.close()
    }
  })
})
