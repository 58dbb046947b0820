import { expect, it } from 'vitest'
import { onEachDriver } from '../../../test/drivers.ts'
import { call } from '../../../test/serve.ts'
import { millisecondsUntil, rpc, useServers } from '../../../test/staff.ts'
import { configKeys } from '../../config.ts'

const consumer = 'follow-notifications'

onEachDriver('events as admins see them', (driver) => {
  const { opened, serve, newAccount, newStaff } = useServers(driver)

  /** As if each had failed five times. Follows of nobody: a consumer that takes one does nothing, and marks it. */
  async function addDead(count: number, { prefix, of = consumer }: { prefix: string; of?: string }): Promise<void> {
    const rows = Array.from({ length: count }, (_, index) => ({
      consumer: of,
      eventId: `${prefix}-${index}`,
      type: 'follow_deleted',
      key: 1_000_000 + (index % 50),
      payload: JSON.stringify({
        follower_id: 2_000_000 + index,
        followee_id: 1_000_000 + (index % 50),
        timestamptz: '2026-01-01T00:00:00.000Z',
      }),
      createdAt: '2026-01-01T00:00:00.000Z',
      traceparent: null,
      attempts: 5,
      error: 'Error: the inbox is full',
      nextAttemptAt: null,
    }))
    await opened.database.transaction(async (tx) => {
      for (let from = 0; from < rows.length; from += 500)
        await tx
          .insertInto('deadLetter')
          .values(rows.slice(from, from + 500))
          .execute()
    })
  }
  const taken = async (prefix: string) =>
    (
      await opened.database.db
        .selectFrom('processedEvent')
        .where('consumer', '=', consumer)
        .where('eventId', 'like', `${prefix}-%`)
        .select('eventId')
        .execute()
    ).length

  it('show what waits, with its error and its payload, and let one be tried again or forgotten, each with a row in the trail', async () => {
    const here = await serve()
    const admin = await newStaff(here)
    const { token } = admin
    await addDead(3, { prefix: 'one' })
    const { items, nextCursor } = await rpc(here.url, 'query', 'admin.events.dead', { token, input: { consumer, limit: 2 } })
    expect(nextCursor).toBe(items[1].id)
    expect(items[0]).toMatchObject({
      consumer,
      attempts: 5,
      error: 'Error: the inbox is full',
      event: { id: 'one-0', payload: { follower_id: 2_000_000 } },
    })
    expect((await rpc(here.url, 'query', 'admin.events.dead', { token, input: { consumer: 'nobody' } })).items).toEqual([])
    const state = await rpc(here.url, 'query', 'admin.events.state', { token })
    expect(state.consumers).toEqual([
      { name: consumer, types: ['follow_created', 'follow_deleted'], lag: expect.any(Number), retrying: 0, dead: 3 },
    ])
    await millisecondsUntil(async () => (await rpc(here.url, 'query', 'admin.events.state', { token })).consumers[0].lag === 0)

    await rpc(here.url, 'mutation', 'admin.events.replay', { token, input: { id: items[0].id } })
    await millisecondsUntil(async () => (await taken('one')) === 1)
    expect(await rpc(here.url, 'mutation', 'admin.events.replay', { token, input: { id: items[0].id } })).toMatchObject({
      reason: 'admin.letter_not_found',
    })
    expect((await call(here.url, 'DELETE', `/api/v1/admin/events/dead/${items[1].id}`, { token })).status).toBe(200)
    expect((await call(here.url, 'DELETE', `/api/v1/admin/events/dead/${items[1].id}`, { token })).body.code).toBe('admin.letter_not_found')
    const { body } = await call(here.url, 'GET', '/api/v1/admin/events/dead', { token })
    expect(body.data.letters.map(({ event_id }: any) => event_id)).toEqual(['one-2'])
    expect((await call(here.url, 'GET', '/api/v1/admin/events', { token })).body.data.consumers[0]).toMatchObject({
      name: consumer,
      dead: 1,
    })
    const trail = await rpc(here.url, 'query', 'admin.audit.list', { token, input: { targetType: 'dead_letter' } })
    expect(trail.items.map(({ action, targetId, detail }: any) => [action, targetId, detail])).toEqual([
      ['event.drop', String(items[1].id), { consumer, event_id: 'one-1', type: 'follow_deleted' }],
      ['event.replay', String(items[0].id), null],
    ])
    await opened.database.transaction(async (tx) => void (await tx.deleteFrom('deadLetter').execute()))
  })

  it('are made due again by the ten thousand with progress, by a walk that stops and that another goes on with, and none twice', async () => {
    const here = await serve()
    const consumer = 'of-another-version' // nobody takes them meanwhile
    const { token } = await newStaff(here)
    await addDead(10_000, { prefix: 'many', of: consumer })
    const next = (cursor: number | null) =>
      rpc(here.url, 'mutation', 'admin.events.replayNext', { token, input: { consumer, limit: 500, ...(cursor !== null && { cursor }) } })
    let [cursor, replayed, calls] = [null as number | null, 0, 0]
    const remaining: number[] = []
    do {
      const step = await next(cursor)
      expect(step.reason).toBeUndefined()
      replayed += step.replayed
      remaining.push(step.remaining)
      cursor = step.nextCursor
      if (++calls === 7) expect((await next(null)).replayed).toBe(500) // another begins anew: those that were replayed are no dead letters
      if (calls === 7) replayed += 500
    } while (cursor !== null)
    expect(replayed).toBe(10_000)
    expect(remaining[0]).toBe(9_500)
    expect(remaining.toSorted((a, b) => b - a)).toEqual(remaining)
    expect(remaining.at(-1)).toBe(0)
    const letters = await opened.database.db.selectFrom('deadLetter').select(['attempts', 'nextAttemptAt']).execute()
    expect(letters.length).toBe(10_000)
    expect(letters.every(({ attempts, nextAttemptAt }) => attempts === 0 && nextAttemptAt !== null)).toBe(true)
    await opened.database.transaction(async (tx) => void (await tx.deleteFrom('deadLetter').execute()))
    const trail = await rpc(here.url, 'query', 'admin.audit.list', { token, input: { action: 'event.replay_many', limit: 100 } })
    expect(trail.items.reduce((sum: number, { detail }: any) => sum + detail.replayed, 0)).toBe(10_000)
  }, 60_000)

  it('stay dead when the trail cannot be written', async () => {
    const here = await serve()
    const { token } = await newStaff(here)
    await addDead(3, { prefix: 'kept' })
    const before = await opened.database.db.selectFrom('deadLetter').selectAll().orderBy('id').execute()
    await opened.database.db.schema.alterTable('audit').renameTo('audit_away').execute()
    try {
      for (const [path, input] of [
        ['replay', { id: before[0]!.id }],
        ['drop', { id: before[0]!.id }],
        ['replayNext', {}],
      ] as const)
        expect(await rpc(here.url, 'mutation', `admin.events.${path}`, { token, input })).toMatchObject({ reason: 'internal' })
    } finally {
      await opened.database.db.schema.alterTable('audit_away').renameTo('audit').execute()
    }
    expect(await opened.database.db.selectFrom('deadLetter').selectAll().orderBy('id').execute()).toEqual(before)
  })

  it('come with the health of each dependency, and with every setting but the secrets', async () => {
    const here = await serve()
    const { token } = await newStaff(here)
    await newAccount(here.url)
    const health = await rpc(here.url, 'query', 'admin.system.health', { token })
    expect(health).toMatchObject({
      status: 'up',
      parts: { database: { status: 'up' }, migrations: { status: 'up' }, outbox: { status: 'up' } },
    })
    const rest = await call(here.url, 'GET', '/api/v1/admin/health', { token })
    expect(rest.body.data.parts.database).toMatchObject({ status: 'up', latency_ms: expect.any(Number) })
    const settings = await rpc(here.url, 'query', 'admin.system.config', { token })
    expect(settings.map(({ key }: { key: string }) => key)).toEqual([...configKeys.keys()])
    const { body } = await call(here.url, 'GET', '/api/v1/admin/config', { token })
    expect(body.data.settings).toEqual(settings)
    expect(JSON.stringify(settings)).not.toContain('a secret of all these replicas')
    expect(settings.find(({ key }: { key: string }) => key === 'auth.secret').value).toMatch(/^\*+|masked|hidden/)
  })
})
