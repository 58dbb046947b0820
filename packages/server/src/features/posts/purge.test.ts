import { expect, it } from 'vitest'
import { eventsOf, signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { countersOf, picture, publish } from '../../../test/posts.ts'
import { createPosts } from './service.ts'

onEachDatabase('posts of a deleted user', (world) => {
  const left = async () => {
    const { db } = world.database
    const tables = ['post', 'postMedia', 'postTag'] as const
    return Promise.all(tables.map(async (table) => (await db.selectFrom(table).selectAll().execute()).length))
  }
  const deletions = async () => (await eventsOf(world)).filter(([type]) => type === 'post_deleted')

  async function seed() {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    const first = await publish(world, ann, { tags: ['b1', 'a1'], media: [picture(1), picture(2)] })
    for (let index = 0; index < 249; index++) await publish(world, ann, { tags: ['a1'] })
    const kept = await publish(world, bob, { tags: ['a1'], media: [picture(1)] })
    await world.app.users.remove(ann.viewer, ann.id)
    return { ann, bob, first, kept }
  }

  it('go in batches, with all that hangs on them and an event for each, and on where it was interrupted', async () => {
    const { ann, bob, first, kept } = await seed()
    expect(await countersOf(world)).toMatchObject({ total: 251 })
    // Its sessions go first. Each turn is another process: all that is known is in the database.
    const turn = () => world.composeAgain().jobs.purgeDeletedUsers()
    const posts: number[] = []
    while (await turn()) {
      const { total } = await countersOf(world) // exact after every batch
      if (posts.at(-1) !== total) posts.push(total)
    }
    expect(posts).toEqual([251, 151, 51, 1])
    expect(await left()).toEqual([1, 1, 1])
    expect(await world.app.posts.byId(kept.id)).toEqual(kept)
    expect(await countersOf(world)).toEqual({ total: 1, authors: { bob: 1 } })
    const events = await deletions()
    expect([events.length, new Set(events.map(([, , payload]) => (payload as { post_id: number }).post_id)).size]).toEqual([250, 250])
    expect(events).toContainEqual([
      'post_deleted',
      ann.id,
      { post_id: first.id, author_id: ann.id, tags: first.tags.map(({ name }) => name) },
    ])
    expect(bob.id).not.toBe(ann.id)
  }, 60_000)

  it('are gone from every cache at once, also where nobody has heard of it', async () => {
    const ann = await signUp(world.app, 'ann')
    const { id } = await publish(world, ann)
    await world.app.posts.byId(id)
    await world.app.users.remove(ann.viewer, ann.id)
    expect((await world.app.posts.byId(id)).author.id).toBe(0)
    const there = world.composeAgain()
    while (await there.jobs.purgeDeletedUsers());
    await expect(world.app.posts.byId(id)).rejects.toMatchObject({ code: 'posts.not_found' })
  })

  it('stay whole when a batch is cut off half way', async () => {
    const { first } = await seed()
    await world.app.posts.byId(first.id)
    const before = [await left(), await deletions()]
    let events = 0
    const { database, clock } = world
    const cut = createPosts({
      database,
      clock,
      cache: { get: async () => ({ lease: '' }), put: async () => {}, delete: async () => {} },
      findAuthor: async () => undefined,
      recordAudit: async () => {},
      authorise: async () => {},
      emit: async () => {
        if (++events === 50) throw new Error('killed')
      },
    })
    await expect(world.app.users.purgeDeletedUsers([cut.purgeOf])).rejects.toThrow('killed')
    expect([await left(), await deletions()]).toEqual(before)
    expect(await countersOf(world)).toMatchObject({ total: 251 })
    while (await world.app.jobs.purgeDeletedUsers());
    while (await world.app.jobs.purgeDeletedUsers()); // the user whose batch failed has its turn in the next round
    expect(await left()).toEqual([1, 1, 1])
    await expect(world.app.posts.byId(first.id)).rejects.toMatchObject({ code: 'posts.not_found' })
  }, 60_000)

  it('are removed by several processes and their own late requests at once without counting any twice', async () => {
    const { ann } = await seed()
    const ids = (await world.app.posts.list({ authorId: ann.id }, { start: { offset: 0 }, limit: 60 })).items.map(({ id }) => id)
    const apps = [world.composeAgain(), world.composeAgain()]
    const late = ids.map((id) => world.app.posts.remove(ann.viewer, id))
    const [outcomes] = await Promise.all([
      Promise.allSettled(late),
      ...apps.map(async (app) => {
        while (await app.jobs.purgeDeletedUsers());
      }),
    ])
    while (await world.app.jobs.purgeDeletedUsers());
    const failures = outcomes.filter((outcome) => outcome.status === 'rejected').map(({ reason }) => reason.code)
    expect(failures).toEqual(failures.map(() => 'posts.not_found'))
    expect(await countersOf(world)).toEqual({ total: 1, authors: { bob: 1 } })
    expect((await deletions()).length).toBe(250)
  }, 60_000)
})
