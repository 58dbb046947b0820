import SqliteClient from 'better-sqlite3'
import { sql } from 'kysely'
import { expect, it, vi } from 'vitest'
import { signUp, type SignedUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { countersOf, picture, publish } from '../../../test/posts.ts'
import { openSqlite } from '../../adapters/database/sqlite.ts'
import type { Tables } from '../../schema.ts'
import { createListing, type PostFilter } from './list.ts'
import { fromCursor, type Post } from './posts.ts'

onEachDatabase('lists of posts', (world, driver) => {
  const from = { offset: 0 }
  const page = async (filter: PostFilter, start: { offset: number } | { cursor: string } = from, limit = 100) => {
    const given = 'cursor' in start ? { cursor: fromCursor(start.cursor)! } : start
    const { items, total, nextCursor } = await world.app.posts.listWithTotal(filter, { start: given, limit })
    return { titles: items.map(({ title }) => title).join(' '), total, nextCursor }
  }
  const titles = async (filter: PostFilter, offset = 0, limit = 100) => {
    const { titles, total } = await page(filter, { offset }, limit)
    return [titles, total]
  }

  /** p01 … pNN, a second apart, of ann and bob in turn; those with an even number have the tag. */
  async function seed(count: number): Promise<[SignedUp, SignedUp]> {
    const [ann, bob] = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob')]
    for (let index = 1; index <= count; index++) {
      await publish(world, index % 3 ? ann : bob, { title: `p${String(index).padStart(2, '0')}`, tags: index % 2 ? [] : ['even'] })
      world.clock.advance(1_000)
    }
    return [ann, bob]
  }

  it('are newest first, of all or of what is asked for, with the number of all that match', async () => {
    const [ann, bob] = await seed(7)
    expect(await titles({})).toEqual(['p07 p06 p05 p04 p03 p02 p01', 7])
    expect(await titles({}, 0, 2)).toEqual(['p07 p06', 7])
    expect(await titles({}, 5, 9)).toEqual(['p02 p01', 7])
    expect(await titles({}, 7, 9)).toEqual(['', 7])
    expect(await titles({ authorId: bob.id })).toEqual(['p06 p03', 2])
    expect(await titles({ authorId: ann.id }, 1, 2)).toEqual(['p05 p04', 5])
    expect(await titles({ authorId: 999 })).toEqual(['', 0])
    expect(await titles({ authorId: 999 }, 3)).toEqual(['', 0])
    expect(await titles({ tag: 'even' }, 0, 1)).toEqual(['p06', 3])
    expect(await titles({ tag: 'Even' })).toEqual(['', 0])
    expect(await titles({ tag: 'even', authorId: ann.id }, 1, 1)).toEqual(['p02', 2])
    expect(await titles({ tag: 'even', authorId: bob.id })).toEqual(['p06', 1])
  })

  it('leave out the very times that they are asked to lie between', async () => {
    const [ann] = await seed(6)
    const at = (index: number) => `2026-01-01T00:00:0${index - 1}.000Z`
    const between = { createdAfter: at(2), createdBefore: at(5) }
    expect(await titles(between)).toEqual(['p04 p03', 2])
    expect(await titles({ createdAfter: at(4) }, 0, 1)).toEqual(['p06', 2])
    expect(await titles({ createdBefore: at(3) }, 1, 1)).toEqual(['p01', 2])
    expect(await titles({ ...between, tag: 'even' })).toEqual(['p04', 1])
    expect(await titles({ ...between, authorId: ann.id }, 0, 1)).toEqual(['p04', 1])
    expect(await titles({ createdAfter: at(5), createdBefore: at(2) })).toEqual(['', 0])
  })

  it.each<[string, (ann: SignedUp) => PostFilter]>([
    ['all', () => ({})],
    ['an author', (ann) => ({ authorId: ann.id })],
    ['a tag', () => ({ tag: 'even' })],
    ['both', (ann) => ({ authorId: ann.id, tag: 'even' })],
    ['a time', () => ({ createdBefore: '2027-01-01T00:00:00.000Z' })],
  ])('of %s can be walked by cursor while posts come and go, also those of one millisecond', async (_what, filterOf) => {
    const ann = await signUp(world.app, 'ann')
    const kept: Post[] = []
    for (let index = 0; index < 24; index++) {
      kept.push(await publish(world, ann, { title: `kept ${index}`, tags: ['even'] }))
      if (index % 4 === 3) world.clock.advance(1)
    }
    const passing: Post[] = []
    for (let index = 0; index < 6; index++) passing.push(await publish(world, ann, { title: `passing ${index}`, tags: ['even'] }))
    const seen: number[] = []
    let start: Parameters<typeof world.app.posts.list>[1]['start'] = from
    for (let pages = 0; ; pages++) {
      const { items, nextCursor } = await world.app.posts.list(filterOf(ann), { start, limit: 5 })
      seen.push(...items.map(({ id }) => id))
      if (!nextCursor) break
      const victim = passing.shift()
      if (victim) await world.app.posts.remove(ann.viewer, victim.id) // seen or not yet
      world.clock.advance(1)
      await publish(world, ann, { title: 'came meanwhile', tags: ['even'] })
      start = { cursor: fromCursor(nextCursor)! }
      expect(pages).toBeLessThan(10)
    }
    expect(seen.length).toBe(new Set(seen).size)
    const keptIds = kept.map(({ id }) => id).toReversed()
    expect(seen.filter((id) => keptIds.includes(id))).toEqual(keptIds)
  })

  it('go on after a post that is gone', async () => {
    const [ann] = await seed(4)
    const { nextCursor } = await page({}, from, 2)
    const gone = (await world.app.posts.list({ createdAfter: '2026-01-01T00:00:01.000Z' }, { start: from, limit: 9 })).items
    for (const { id, author } of gone) if (author.id === ann.id) await world.app.posts.remove(ann.viewer, id)
    expect((await page({}, { cursor: nextCursor! })).titles).toBe('p02 p01')
  })

  it('show the posts of a deleted account with a placeholder, until they are removed', async () => {
    const [ann, bob] = await seed(3)
    const { id } = (await world.app.posts.list({ authorId: bob.id }, { start: from, limit: 1 })).items[0]!
    await world.app.posts.byId(id) // and now it is cached
    await world.app.users.remove(bob.viewer, bob.id)
    const unknown = { id: 0, username: 'unknown', fullName: 'Unknown Author', avatarUrl: null }
    const { items, total } = await world.app.posts.listWithTotal({}, { start: from, limit: 9 })
    expect([items.map(({ author }) => author.id), total, items[0]!.author]).toEqual([[0, ann.id, ann.id], 3, unknown])
    expect((await world.app.posts.byId(id)).author).toEqual(unknown)
    expect(await titles({ authorId: bob.id })).toEqual(['p03', 1])
    while (await world.app.jobs.purgeDeletedUsers());
    await expect(world.app.posts.byId(id)).rejects.toMatchObject({ code: 'posts.not_found' })
    expect([await titles({}), await titles({ authorId: bob.id })]).toEqual([
      ['p02 p01', 2],
      ['', 0],
    ])
    expect(await countersOf(world)).toEqual({ total: 2, authors: { ann: 2 } })
  })

  it('take as many queries for a post as for a hundred, whoever wrote them', async () => {
    const authors = [await signUp(world.app, 'ann'), await signUp(world.app, 'bob'), await signUp(world.app, 'cyd')]
    for (let index = 0; index < 101; index++)
      await publish(world, authors[index % 3]!, { tags: [`tag ${index}`, 'common'], media: [picture(1), picture(2)] })
    const start = from
    const queries = async (filter: PostFilter, limit: number) => [
      await world.countQueries(() => world.app.posts.list(filter, { start, limit })),
      await world.countQueries(() => world.app.posts.listWithTotal(filter, { start, limit })),
    ]
    const of = { authorId: authors[0]!.id }
    for (const filter of [{}, of]) {
      for (const limit of [1, 20]) expect(await queries(filter, limit)).toEqual([2, 2])
    }
    for (const filter of [{ tag: 'common' }, { tag: 'common', ...of }, { createdAfter: '2025-01-01T00:00:00.000Z' }]) {
      for (const limit of [1, 20]) expect(await queries(filter, limit)).toEqual([2, 3])
    }
    expect(await queries({}, 100)).toEqual([2, 2])
    const { items } = await world.app.posts.list({}, { start, limit: 100 })
    expect(items.every(({ tags, media }) => tags.length === 2 && media.length === 2)).toBe(true)
    const readFirst = () => world.app.posts.byId(items[0]!.id)
    const fresh = world.composeAgain()
    expect([
      await world.countQueries(readFirst),
      await world.countQueries(readFirst),
      await world.countQueries(() => fresh.posts.byId(items[0]!.id)),
    ]).toEqual([2, 0, 3])
  }, 60_000)

  it('that are long are stepped over and counted by many short statements', async () => {
    const [ann] = await seed(0)
    for (let index = 0; index < 23; index++) await publish(world, ann, { title: `post ${index}`, tags: ['common'] })
    const listing = createListing(world.database, { placesPerStatement: 5 })
    const at = { createdBefore: '2027-01-01T00:00:00.000Z' }
    for (const filter of [at, { tag: 'common' }, { ...at, authorId: ann.id }]) {
      for (const offset of [0, 4, 5, 6, 10, 19, 20, 22, 23, 24, 25, 26, 1e9]) {
        const { items, total } = await listing.pageAndTotal(filter, { start: { offset }, limit: 1 })
        expect([items[0]?.title, total], `${offset}`).toEqual([offset < 23 ? `post ${22 - offset}` : undefined, 23])
      }
    }
  })

  if (driver !== 'sqlite') return
  it('scan no table but the 16 rows of the total, and sort nothing', async () => {
    const [ann] = await seed(4)
    const { rows } = await sql<{ file: string }>`select file from pragma_database_list where name = 'main'`.execute(world.database.db)
    const prepare = vi.spyOn(SqliteClient.prototype, 'prepare')
    const database = openSqlite<Tables>(rows[0]!.file)
    const app = world.composeAgain({ database })
    const cursor = { createdAt: '2026-01-01T00:00:02.000Z', id: 3 }
    const times = { createdAfter: '2025-01-01T00:00:00.000Z', createdBefore: '2027-01-01T00:00:00.000Z' }
    for (const filter of [{}, { authorId: ann.id }, { tag: 'even' }, { authorId: ann.id, tag: 'even' }]) {
      for (const start of [from, { cursor }]) {
        await app.posts.listWithTotal({ ...filter, ...times }, { start, limit: 2 })
        await app.posts.listWithTotal(filter, { start, limit: 1 })
      }
    }
    const { items } = await app.posts.list({}, { start: from, limit: 1 })
    await app.posts.byId(items[0]!.id)
    const statements = prepare.mock.calls.map(([text]) => text).filter((text) => /^select/i.test(text))
    prepare.mockRestore()
    await database.close()
    expect(statements.length).toBeGreaterThan(10)
    const client = new SqliteClient(rows[0]!.file)
    for (const statement of statements) {
      const values = Array(statement.split('?').length - 1).fill(null)
      const plan = client
        .prepare<unknown[], { detail: string }>(`explain query plan ${statement}`)
        .all(values)
        .map(({ detail }) => detail)
      expect(
        plan.filter((step) => /SCAN (?!place\b|postTotal\b)|AUTOMATIC/.test(step)),
        statement,
      ).toEqual([])
      const sorts = plan.filter((step) => step.includes('TEMP B-TREE'))
      expect(sorts.length, `${statement}\n${plan.join('\n')}`).toBe(0)
    }
    client.close()
  })
})
