import { expect, it } from 'vitest'
import { onEachDriver } from '../../../test/drivers.ts'
import { countersOf } from '../../../test/posts.ts'
import { call } from '../../../test/serve.ts'
import { millisecondsUntil, rpc, useServers, type Account } from '../../../test/staff.ts'

const withinMs = 1_000

onEachDriver('posts as staff sees them', (driver) => {
  const { opened, serve, newAccount, newStaff } = useServers(driver)
  const publish = (url: string, { token }: Account, input: object = {}) =>
    rpc(url, 'mutation', 'posts.create', { token, input: { title: 'A day at the lake', content: 'Water, and more water.', ...input } })
  const picture = (position: number) => ({ url: `https://example.com/${position}.jpg`, type: 'image', position })
  const postEvents = async (id: number) =>
    (
      await opened.database.db
        .selectFrom('outbox')
        .where('type', 'in', ['post_created', 'post_updated', 'post_deleted'])
        .orderBy('id')
        .select(['type', 'payload'])
        .execute()
    )
      .filter(({ payload }) => JSON.parse(payload).post_id === id)
      .map(({ type, payload }) => [type, JSON.parse(payload)])

  it('go out of every sight when they are removed, and come back as they were', async () => {
    const here = await serve()
    const [moderator, ann] = [await newStaff(here, 'moderator'), await newAccount(here.url)]
    const [first, post, last] = [
      await publish(here.url, ann, { tags: ['removed_tag'] }),
      await publish(here.url, ann, { tags: ['removed_tag', 'other'], media: [picture(2), picture(1)] }),
      await publish(here.url, ann, { tags: ['removed_tag'] }),
    ]
    const read = () => call(here.url, 'GET', `/api/v1/posts/${post.id}`)
    const before = (await read()).body // and now it is cached
    const act = (path: string, input: object = {}) =>
      rpc(here.url, 'mutation', `admin.posts.${path}`, { token: moderator.token, input: { id: post.id, ...input } })
    const lists = async () =>
      Promise.all(
        [{}, { authorId: ann.id }, { tag: 'removed_tag' }, { tag: 'removed_tag', authorId: ann.id }, { createdAfter: post.createdAt }].map(
          async (filter) => (await rpc(here.url, 'query', 'posts.list', { input: filter })).items.map(({ id }: { id: number }) => id),
        ),
      )
    const countOf = async () => (await call(here.url, 'GET', `/api/v1/posts/list?author_id=${ann.id}&limit=1`)).body.data.total
    const all = await lists()
    expect(await countOf()).toBe(3)

    expect(await act('remove', { reason: 'spam' })).toEqual({ changed: true })
    expect(await act('remove', { reason: 'again' })).toEqual({ changed: false })
    expect((await read()).body).toMatchObject({ status: 404, code: 'posts.not_found' })
    expect(await rpc(here.url, 'query', 'posts.byId', { token: ann.token, input: { id: post.id } })).toMatchObject({
      reason: 'posts.not_found',
    })
    for (const mutation of ['posts.update', 'posts.delete'])
      expect(await rpc(here.url, 'mutation', mutation, { token: ann.token, input: { id: post.id } })).toMatchObject({
        reason: 'posts.not_found',
      })
    for (const list of await lists()) expect(list).not.toContain(post.id)
    expect(await countOf()).toBe(2)
    expect((await countersOf(opened)).authors[ann.name]).toBe(2)

    const staffView = await rpc(here.url, 'query', 'admin.posts.byId', { token: moderator.token, input: { id: post.id } })
    expect(staffView).toEqual({ ...post, removal: { at: expect.any(String), by: moderator.id, reason: 'spam' } })
    const rest = await call(here.url, 'GET', `/api/v1/admin/posts/${post.id}`, { token: moderator.token })
    expect(rest.body.data).toMatchObject({ id: post.id, removal: { by: moderator.id, reason: 'spam' }, author: { id: ann.id } })

    expect(await act('restore')).toEqual({ changed: true })
    expect(await act('restore')).toEqual({ changed: false })
    expect((await read()).body).toEqual(before)
    expect(await lists()).toEqual(all)
    expect(await countOf()).toBe(3)
    expect((await countersOf(opened)).authors[ann.name]).toBe(3)
    expect((await postEvents(post.id)).map(([type]) => type)).toEqual(['post_created', 'post_deleted', 'post_created'])
    expect(new Set((await postEvents(post.id)).map(([, payload]) => JSON.stringify(payload))).size).toBe(1)
    const next = await publish(here.url, ann)
    expect(next.id).toBeGreaterThan(last.id) // the id that was given back counts for nothing
    expect(first.id).toBeLessThan(post.id)

    const { items } = await rpc(here.url, 'query', 'admin.audit.list', {
      token: (await newStaff(here)).token,
      input: { targetType: 'post', targetId: String(post.id) },
    })
    expect(items.map(({ action, actorId, detail }: any) => [action, actorId, detail])).toEqual([
      ['post.restore', moderator.id, { author_id: ann.id }],
      ['post.remove', moderator.id, { author_id: ann.id, reason: 'spam' }],
    ])
  })

  it('are found by a part of their text, by their author or by their id, in sight and removed, a page at a time', async () => {
    const here = await serve()
    const [moderator, ann, bob] = [await newStaff(here, 'moderator'), await newAccount(here.url), await newAccount(here.url)]
    const ids: number[] = []
    for (let index = 0; index < 6; index++) {
      const author = index % 2 ? bob : ann
      ids.push(
        (await publish(here.url, author, index < 3 ? { title: `Zebra ${index}` } : { content: `A long story about a ZEBRA, ${index}` })).id,
      )
    }
    const search = (input: object) => rpc(here.url, 'query', 'admin.posts.search', { token: moderator.token, input })
    const found = async (input: object) => (await search(input)).items.map(({ id }: { id: number }) => ids.indexOf(id))
    expect(await found({ query: 'zebra' })).toEqual([5, 4, 3, 2, 1, 0])
    expect(await found({ query: 'zebra', authorId: bob.id })).toEqual([5, 3, 1])
    expect(await found({ query: 'zebra 1' })).toEqual([1])
    expect((await search({ query: String(ids[2]) })).items.map(({ id }: { id: number }) => id)).toContain(ids[2])
    expect(await found({ query: 'nothing has this' })).toEqual([])
    for (const index of [1, 2, 3])
      await rpc(here.url, 'mutation', 'admin.posts.remove', { token: moderator.token, input: { id: ids[index], reason: 'spam' } })
    expect(await found({ query: 'zebra' })).toEqual([5, 4, 0])
    expect(await found({ query: 'zebra', state: 'removed' })).toEqual([3, 2, 1])
    expect(await found({ state: 'removed', authorId: ann.id })).toEqual([2])
    for (const state of ['visible', 'removed']) {
      const walked: number[] = []
      let cursor: string | undefined
      do {
        const page = await search({ query: 'zebra', state, limit: 2, ...(cursor && { cursor }) })
        walked.push(...page.items.map(({ id }: { id: number }) => ids.indexOf(id)))
        cursor = page.nextCursor ?? undefined
      } while (cursor)
      expect(walked).toEqual(state === 'visible' ? [5, 4, 0] : [3, 2, 1])
    }
    expect(await search({ cursor: 'none of ours' })).toMatchObject({ reason: 'input.invalid' })
    const rest = await call(here.url, 'GET', `/api/v1/admin/posts?query=zebra&state=removed&author_id=${bob.id}`, {
      token: moderator.token,
    })
    expect(rest.body.data.posts.map(({ id }: { id: number }) => ids.indexOf(id))).toEqual([3, 1])
  })

  it('are looked at in bounded steps: a page that found nothing says where to go on', async () => {
    const here = await serve()
    const [moderator, ann] = [await newStaff(here, 'moderator'), await newAccount(here.url)]
    const oldest = await publish(here.url, ann, { title: 'needle in the hay' })
    const rows = Array.from({ length: 2_100 }, (_, index) => ({
      authorId: ann.id,
      title: `hay ${index}`,
      content: null,
      createdAt: '2099-01-01T00:00:00.000Z',
      updatedAt: '2099-01-01T00:00:00.000Z',
    }))
    await opened.database.transaction(async (tx) => {
      for (let from = 0; from < rows.length; from += 300)
        await tx
          .insertInto('post')
          .values(rows.slice(from, from + 300))
          .execute()
    })
    const search = (cursor?: string) =>
      rpc(here.url, 'query', 'admin.posts.search', {
        token: moderator.token,
        input: { query: 'needle', authorId: ann.id, ...(cursor && { cursor }) },
      })
    const first = await search()
    expect([first.items, typeof first.nextCursor]).toEqual([[], 'string'])
    const second = await search(first.nextCursor)
    expect([second.items.map(({ id }: { id: number }) => id), second.nextCursor]).toEqual([[oldest.id], null])
    await opened.database.transaction(async (tx) => void (await tx.deleteFrom('post').where('title', 'like', 'hay %').execute()))
  })

  it('that are removed go with their author, and do not come back afterwards', async () => {
    const here = await serve()
    const [moderator, ann] = [await newStaff(here, 'moderator'), await newAccount(here.url)]
    const post = await publish(here.url, ann)
    await rpc(here.url, 'mutation', 'admin.posts.remove', { token: moderator.token, input: { id: post.id, reason: 'spam' } })
    await rpc(here.url, 'mutation', 'users.delete', { token: ann.token })
    const restore = () => rpc(here.url, 'mutation', 'admin.posts.restore', { token: moderator.token, input: { id: post.id } })
    expect(await restore()).toMatchObject({ status: 404, reason: 'posts.not_found' })
    while (await here.server.app.jobs.purgeDeletedUsers());
    const rows = await opened.database.db.selectFrom('removedPost').where('authorId', '=', ann.id).selectAll().execute()
    const users = await opened.database.db.selectFrom('user').where('id', '=', ann.id).selectAll().execute()
    expect([rows, users]).toEqual([[], []])
    expect(await restore()).toMatchObject({ reason: 'posts.not_found' })
  })

  it('are removed once, also by two at once and while their author deletes them', async () => {
    const here = await serve()
    const moderators = [await newStaff(here, 'moderator'), await newStaff(here, 'moderator')]
    const ann = await newAccount(here.url)
    for (let round = 0; round < 5; round++) {
      const post = await publish(here.url, ann)
      const outcomes = await Promise.all([
        ...moderators.map(({ token }) =>
          rpc(here.url, 'mutation', 'admin.posts.remove', { token, input: { id: post.id, reason: 'spam' } }),
        ),
        rpc(here.url, 'mutation', 'posts.delete', { token: ann.token, input: { id: post.id } }),
      ])
      const done = outcomes.filter((outcome) => outcome === undefined || outcome.changed === true)
      expect(done).toHaveLength(1)
      expect((await postEvents(post.id)).map(([type]) => type)).toEqual(['post_created', 'post_deleted'])
    }
    expect((await countersOf(opened)).authors[ann.name]).toBe(0)
  })

  if (driver === 'postgres') {
    it('are gone and back on every other replica within a second', async () => {
      const [here, there] = [await serve(), await serve()]
      const [moderator, ann] = [await newStaff(here, 'moderator'), await newAccount(here.url)]
      const post = await publish(here.url, ann)
      const statusThere = async () => (await call(there.url, 'GET', `/api/v1/posts/${post.id}`)).status
      expect(await statusThere()).toBe(200)
      await rpc(here.url, 'mutation', 'admin.posts.remove', { token: moderator.token, input: { id: post.id, reason: 'spam' } })
      expect(await millisecondsUntil(async () => (await statusThere()) === 404)).toBeLessThan(withinMs)
      await rpc(here.url, 'mutation', 'admin.posts.restore', { token: moderator.token, input: { id: post.id } })
      expect(await millisecondsUntil(async () => (await statusThere()) === 200)).toBeLessThan(withinMs)
    })
  }
})
