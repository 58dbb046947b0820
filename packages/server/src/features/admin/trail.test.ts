import { expect, it } from 'vitest'
import { onEachDriver } from '../../../test/drivers.ts'
import { call } from '../../../test/serve.ts'
import { rpc, useServers } from '../../../test/staff.ts'

onEachDriver('the trail of what staff did', (driver) => {
  const { opened, serve, newStaff } = useServers(driver)

  /** As if done in the past, a second apart. */
  async function seed(count: number, actorId: number): Promise<void> {
    const rows = Array.from({ length: count }, (_, index) => ({
      actorId: index % 3 ? actorId : null,
      actor: index % 3 ? ('user' as const) : ('host' as const),
      action: index % 2 ? 'post.remove' : 'user.suspend',
      targetType: index % 2 ? 'post' : 'user',
      targetId: String(index % 5),
      detail: index % 2 ? '{"reason":"<spam> & \\n more"}' : null,
      address: index % 3 ? '192.0.2.7' : null,
      createdAt: new Date(Date.UTC(2020, 0, 1) + index * 1_000).toISOString(),
    }))
    await opened.database.transaction(async (tx) => {
      await tx.deleteFrom('audit').execute()
      for (let from = 0; from < rows.length; from += 500)
        await tx
          .insertInto('audit')
          .values(rows.slice(from, from + 500))
          .execute()
    })
  }

  it('is read by who, what, to what and when, the newest first, a page at a time', async () => {
    const here = await serve()
    const admin = await newStaff(here)
    await seed(60, admin.id)
    const list = (input: object) => rpc(here.url, 'query', 'admin.audit.list', { token: admin.token, input })
    const at = (seconds: number) => `2020-01-01T00:00:${String(seconds).padStart(2, '0')}.000Z`
    const secondsOf = async (input: object) =>
      (await list({ limit: 100, ...input })).items.map(({ createdAt }: any) => Number(createdAt.slice(17, 19)))
    const expected = (matches: (index: number) => boolean) => Array.from({ length: 60 }, (_, index) => 59 - index).filter(matches)
    expect(await secondsOf({})).toEqual(expected(() => true))
    expect(await secondsOf({ actorId: admin.id })).toEqual(expected((index) => index % 3 !== 0))
    expect(await secondsOf({ actor: 'host' })).toEqual(expected((index) => index % 3 === 0))
    expect(await secondsOf({ action: 'post.remove' })).toEqual(expected((index) => index % 2 === 1))
    expect(await secondsOf({ targetType: 'post', targetId: '3' })).toEqual(expected((index) => index % 2 === 1 && index % 5 === 3))
    expect(await secondsOf({ since: at(10), until: at(20) })).toEqual(expected((index) => index >= 10 && index < 20))
    expect(await secondsOf({ since: '2020-01-01T01:00:10+01:00', action: 'user.suspend', until: at(13) })).toEqual([12, 10])
    expect(await secondsOf({ since: '2021-01-01T00:00:00Z' })).toEqual([])
    expect(await secondsOf({ until: '2019-01-01T00:00:00Z' })).toEqual([])
    const walked: number[] = []
    let cursor: number | null = null
    do {
      const page = await list({ action: 'post.remove', limit: 7, ...(cursor && { cursor }) })
      walked.push(...page.items.map(({ createdAt }: any) => Number(createdAt.slice(17, 19))))
      cursor = page.nextCursor
    } while (cursor)
    expect(walked).toEqual(expected((index) => index % 2 === 1))
    const rest = await call(here.url, 'GET', `/api/v1/admin/audit?actor=host&limit=1&since=${at(10)}&until=${at(20)}`, {
      token: admin.token,
    })
    expect(rest.body.data.entries).toEqual([
      {
        id: expect.any(Number),
        actor: 'host',
        actor_id: null,
        action: 'user.suspend',
        target_type: 'user',
        target_id: '3',
        detail: null,
        address: null,
        created_at: at(18),
      },
    ])
    expect((await call(here.url, 'GET', '/api/v1/admin/audit?since=yesterday', { token: admin.token })).body).toMatchObject({
      code: 'input.invalid',
    })
  })

  it('goes out whole as JSON lines, also while it grows', async () => {
    const here = await serve()
    const admin = await newStaff(here)
    await seed(3_000, admin.id)
    const fetched = await fetch(`${here.url}/api/v1/admin/audit/export?action=post.remove`, {
      headers: { authorization: `Bearer ${admin.token}` },
    })
    expect([fetched.status, fetched.headers.get('content-type')]).toEqual([200, 'application/x-ndjson'])
    const reader = fetched.body!.getReader()
    const { value: first } = await reader.read()
    await opened.database.transaction(async (tx) => {
      await tx
        .insertInto('audit')
        .values({
          actor: 'host',
          actorId: null,
          action: 'post.remove',
          targetType: 'post',
          targetId: 'new',
          detail: null,
          address: null,
          createdAt: '2030-01-01T00:00:00.000Z',
        })
        .execute()
    })
    let text = new TextDecoder().decode(first)
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += new TextDecoder().decode(part.value)
    expect(text.endsWith('\n')).toBe(true)
    const lines = text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(lines.map(({ created_at }) => created_at)).toEqual(
      Array.from({ length: 1_500 }, (_, index) => new Date(Date.UTC(2020, 0, 1) + (2_999 - 2 * index) * 1_000).toISOString()),
    )
    expect(lines[0].detail).toEqual({ reason: '<spam> & \n more' })
    expect((await call(here.url, 'GET', '/api/v1/admin/audit/export?until=yesterday', { token: admin.token })).body).toMatchObject({
      code: 'input.invalid',
    })
  })
})
