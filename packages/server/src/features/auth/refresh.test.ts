import { decodeJwt } from 'jose'
import { expect, it, vi } from 'vitest'
import { client, eventsOf, signIn, signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { graceMs, keepExpiredMs } from './auth.ts'
import { hashOfToken, newRefreshToken } from './refresh-tokens.ts'

onEachDatabase('refresh tokens', (world) => {
  const refresh = (token: string) => world.app.auth.refresh(token, client)
  const logout = (token: string) => world.app.auth.logout(token, client)
  const invalid = expect.objectContaining({ code: 'auth.invalid_refresh_token', message: 'invalid refresh token' })
  const expired = expect.objectContaining({ code: 'auth.unauthenticated', message: 'unauthenticated' })
  const rows = () => world.database.db.selectFrom('refreshToken').orderBy('createdAt').selectAll().execute()
  const sessions = async () => (await world.database.db.selectFrom('session').select('id').execute()).map(({ id }) => id)
  const revocations = async () => (await eventsOf(world)).filter(([type]) => type === 'session_revoked').map(([, , payload]) => payload)

  it('are exchanged for a new pair of the same session, in four queries', async () => {
    const ann = await signUp(world.app, 'ann')
    world.clock.advance(60_000)
    let next = ann.pair
    expect(
      await world.countQueries(async () => {
        next = await refresh(ann.pair.refreshToken)
      }),
    ).toBe(4)
    expect([next.accessToken === ann.pair.accessToken, next.refreshToken === ann.pair.refreshToken]).toEqual([false, false])
    expect(await world.app.auth.authenticate(next.accessToken)).toEqual(ann.viewer)
    await world.app.auth.authenticate(ann.pair.accessToken) // it has not ended yet
    expect((await world.app.auth.listSessions(ann.viewer))[0]).toMatchObject({
      createdAt: '2026-01-01T00:00:00.000Z',
      lastUsedAt: '2026-01-01T00:01:00.000Z',
    })
    expect(next.accessExpiresAt).toBe('2026-01-01T00:16:00.000Z')
  })

  it('are kept as hashes, and what is sealed opens only with the token that was spent', async () => {
    const ann = await signUp(world.app, 'ann')
    const next = await refresh(ann.pair.refreshToken)
    const kept = JSON.stringify(await rows())
    expect([kept.includes(ann.pair.refreshToken), kept.includes(next.refreshToken), kept.includes(hashOfToken(next.refreshToken))]).toEqual(
      [false, false, true],
    )
  })

  it('give the same pair again within ten seconds, byte for byte', async () => {
    const ann = await signUp(world.app, 'ann')
    world.clock.advance(1_234)
    const first = await refresh(ann.pair.refreshToken)
    world.clock.advance(graceMs)
    expect(await refresh(ann.pair.refreshToken)).toEqual(first)
    expect([(await rows()).length, await revocations(), world.warnings]).toEqual([2, [], []])
    expect(decodeJwt(first.accessToken).iat).toBe(Date.UTC(2026, 0, 1) / 1000 + 1)
    await refresh(first.refreshToken) // and what it gave is good for the next
  })

  it('of twenty requests at once give all the same pair, and sign nobody out', async () => {
    const ann = await signUp(world.app, 'ann')
    const pairs = await Promise.all(Array.from({ length: 20 }, () => refresh(ann.pair.refreshToken)))
    expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBe(1)
    expect([(await rows()).length, await sessions(), await revocations()]).toEqual([2, [ann.viewer.sessionId], []])
    await world.app.auth.authenticate(pairs[0]!.accessToken)
    await refresh(pairs[0]!.refreshToken)
  })

  it('of requests at once to two processes give all the same pair', async () => {
    const ann = await signUp(world.app, 'ann')
    const apps = [world.app, world.composeAgain()]
    const pairs = await Promise.all(Array.from({ length: 10 }, (_, index) => apps[index % 2]!.auth.refresh(ann.pair.refreshToken, client)))
    expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBe(1)
  })

  it('lead a slow tab to the newest pair when another tab has refreshed twice meanwhile', async () => {
    const ann = await signUp(world.app, 'ann')
    world.clock.advance(1_000)
    const second = await refresh(ann.pair.refreshToken)
    world.clock.advance(5_000)
    const third = await refresh(second.refreshToken)
    world.clock.advance(4_999)
    expect(await refresh(ann.pair.refreshToken)).toEqual(third)
    expect([(await rows()).length, await revocations()]).toEqual([3, []])
  })

  it('that come back later are taken for stolen: the session ends in that request, and says why', async () => {
    const ann = await signUp(world.app, 'ann')
    const other = await signIn(world.app, 'ann')
    const elsewhere = world.composeAgain()
    const stolen = await refresh(ann.pair.refreshToken)
    await elsewhere.auth.authenticate(stolen.accessToken)
    world.clock.advance(graceMs + 1)
    await expect(refresh(ann.pair.refreshToken)).rejects.toEqual(invalid)

    await expect(world.app.auth.authenticate(stolen.accessToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    await expect(world.app.auth.authenticate(ann.pair.accessToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    await expect(elsewhere.auth.authenticate(stolen.accessToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    await expect(refresh(stolen.refreshToken)).rejects.toEqual(invalid)
    await expect(refresh(ann.pair.refreshToken)).rejects.toEqual(invalid)

    expect(await revocations()).toEqual([{ user_id: ann.id, session_id: ann.viewer.sessionId, reason: 'reuse' }])
    expect(await sessions()).toEqual([other.viewer.sessionId]) // the family, and nobody else
    expect(world.warnings).toEqual([
      {
        message: 'a spent refresh token came back, and its session was ended',
        fields: { user_id: ann.id, session_id: ann.viewer.sessionId },
      },
    ])
  })

  it('that are stolen end the session once, however often they come', async () => {
    const ann = await signUp(world.app, 'ann')
    await refresh(ann.pair.refreshToken)
    world.clock.advance(graceMs + 1)
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => refresh(ann.pair.refreshToken)))
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual(Array(10).fill(invalid))
    expect(await revocations()).toHaveLength(1)
  })

  it('are told from those of the thief at sign-out, too: the session of both ends', async () => {
    const ann = await signUp(world.app, 'ann')
    const stolen = await refresh(ann.pair.refreshToken)
    await expect(logout(ann.pair.refreshToken)).rejects.toEqual(invalid) // a racing tab: nothing ends
    await world.app.auth.authenticate(stolen.accessToken)
    world.clock.advance(graceMs + 1)
    await expect(logout(ann.pair.refreshToken)).rejects.toEqual(invalid)
    await expect(refresh(stolen.refreshToken)).rejects.toEqual(invalid)
    expect(await revocations()).toEqual([expect.objectContaining({ reason: 'reuse' })])
  })

  it('expire after thirty days, which refresh refuses and sign-out takes for done', async () => {
    const ann = await signUp(world.app, 'ann')
    world.clock.advance(30 * 86_400_000 - 1)
    const next = await refresh(ann.pair.refreshToken)
    world.clock.advance(1)
    for (let i = 0; i < 2; i++) await expect(refresh(ann.pair.refreshToken)).rejects.toEqual(expired) // spent as well: that it is expired comes first
    await logout(ann.pair.refreshToken)
    expect([await sessions(), await revocations()]).toEqual([[ann.viewer.sessionId], []])
    await refresh(next.refreshToken)
  })

  it.each([
    ['nothing like one', 'x'],
    ['an empty text', ''],
    ['one that nobody has', newRefreshToken()],
    ['one with an end', `${newRefreshToken()}=`],
    ['a NUL', `${'a'.repeat(42)}\0`],
  ])('are not: %s', async (_what, token) => {
    await expect(refresh(token)).rejects.toEqual(invalid)
    await expect(logout(token)).rejects.toEqual(invalid)
  })

  it('are not access tokens, nor the other way round', async () => {
    const { pair } = await signUp(world.app, 'ann')
    await expect(refresh(pair.accessToken)).rejects.toEqual(invalid)
    await expect(world.app.auth.authenticate(pair.refreshToken)).rejects.toMatchObject({ code: 'auth.invalid_token' })
  })

  it('of an account that was deleted say so, and do nothing else', async () => {
    const ann = await signUp(world.app, 'ann')
    const next = await refresh(ann.pair.refreshToken)
    await world.app.users.remove(ann.viewer, ann.id)
    await expect(refresh(next.refreshToken)).rejects.toMatchObject({ code: 'users.not_found' })
    await expect(refresh(ann.pair.refreshToken)).rejects.toEqual(invalid)
    expect(await rows()).toHaveLength(2)
  })

  it('of a session that ends at the same moment sign nobody in, and wait for no one in a circle', async () => {
    const ann = await signUp(world.app, 'ann')
    const retries = vi.spyOn(world.database.dialect, 'isRetryable')
    for (let round = 0; round < 10; round++) {
      const phone = await signIn(world.app, 'ann')
      const [refreshed] = await Promise.allSettled([
        refresh(phone.pair.refreshToken),
        world.app.auth.revokeSession(ann.viewer, phone.viewer.sessionId),
      ])
      if (refreshed.status === 'rejected') expect(refreshed.reason).toEqual(invalid)
      else await expect(world.app.auth.authenticate(refreshed.value.accessToken)).rejects.toMatchObject({ code: 'auth.unauthenticated' })
    }
    expect(await sessions()).toEqual([ann.viewer.sessionId])
    if (world.database.dialect.name === 'postgres') expect(retries.mock.results.filter(({ value }) => value)).toEqual([]) // no deadlock that a retry would hide
    retries.mockRestore()
  })

  it('are cleared away in batches: what is sealed after the grace, the rest a week after it has expired', async () => {
    const ann = await signUp(world.app, 'ann')
    const second = await refresh(ann.pair.refreshToken)
    world.clock.advance(graceMs)
    const purge = async () => {
      while (await world.app.jobs.purgeExpiredTokens());
    }
    await purge()
    expect((await rows()).map(({ sealedSuccessor }) => sealedSuccessor !== null)).toEqual([true, false])
    world.clock.advance(1)
    await purge()
    expect((await rows()).map(({ sealedSuccessor }) => sealedSuccessor)).toEqual([null, null])
    await expect(refresh(ann.pair.refreshToken)).rejects.toEqual(invalid) // still known as spent
    expect(await revocations()).toHaveLength(1)

    const bob = await signUp(world.app, 'bob')
    world.clock.advance(30 * 86_400_000 + keepExpiredMs)
    await purge()
    await expect(refresh(bob.pair.refreshToken)).rejects.toEqual(expired)
    world.clock.advance(1)
    await purge()
    expect([await rows(), await sessions()]).toEqual([[], []])
    await expect(refresh(second.refreshToken)).rejects.toEqual(invalid)
  })

  it('are cleared away 500 at a time, and the job says when more is left', async () => {
    const ann = await signUp(world.app, 'ann')
    await world.database.transaction(async (tx) => {
      const row = { sessionId: ann.viewer.sessionId, createdAt: '2024-01-01T00:00:00.000Z', expiresAt: '2024-02-01T00:00:00.000Z' }
      for (let i = 0; i < 1_001; i++)
        await tx
          .insertInto('refreshToken')
          .values({ ...row, hash: `old ${i}` })
          .execute()
    })
    const left = async () => (await rows()).length
    const steps: unknown[] = []
    for (let more = true; more; ) {
      more = await world.app.jobs.purgeExpiredTokens()
      steps.push([more, await left()])
    }
    expect(steps).toEqual([
      [true, 502],
      [true, 2],
      [false, 1],
    ])
    await refresh(ann.pair.refreshToken)
  })
})
