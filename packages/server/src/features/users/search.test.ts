import { beforeEach, expect, it } from 'vitest'
import { onEachDatabase } from '../../../test/matrix.ts'
import { fold } from '../../core/text.ts'
import type { SearchStart } from './search.ts'

onEachDatabase('searching users', (world) => {
  let ids: Record<string, number>
  const found = (text: string, { start = { offset: 0 }, limit = 100 }: { start?: SearchStart; limit?: number } = {}) =>
    world.app.users.search(text, { start, limit, viewer: null })
  const names = async (text: string, options?: Parameters<typeof found>[1]) => {
    const { items, total, nextCursor } = await found(text, options)
    return [items.map(({ username }) => username).join(' '), total, nextCursor]
  }
  /** Straight into the table: a thousand passwords would take long to hash. */
  const addUsers = (users: { username: string; fullName?: string; deleted?: boolean }[]) =>
    world.database.transaction(async (tx) => {
      ids = {}
      for (const { username, fullName = null, deleted } of users) {
        const email = `${username.length}-${Math.random()}@hidden.example`
        const row = await tx
          .insertInto('user')
          .values({
            username,
            usernameFolded: deleted ? null : fold(username),
            email,
            emailFolded: deleted ? null : email,
            fullName,
            fullNameFolded: fullName && !deleted ? fold(fullName) : null,
            createdAt: '2026',
            updatedAt: '2026',
            deletedAt: deleted ? '2026' : null,
          })
          .returning('id')
          .executeTakeFirstOrThrow()
        ids[username] = row.id
      }
    })
  beforeEach(() =>
    addUsers([
      { username: 'Annabel', fullName: 'Bella Swan' },
      { username: 'joanna' },
      { username: 'bob', fullName: 'Robert “Anna” O’Brien' },
      { username: 'gone', fullName: 'Anna Gone', deleted: true },
      { username: 'per_cent', fullName: '100% Real_Name \\ "quoted" AND NOT* (x)' },
      { username: 'per-cent' },
      { username: 'Straße', fullName: 'Größe' },
      { username: 'Ａｎｎ.wide' },
      { username: 'имя', fullName: 'Иван Петров' },
      { username: '李小龙', fullName: '李 小龙' },
      { username: 'x', fullName: '' },
    ]),
  )

  it('finds parts of usernames and full names in any case of letters, by ascending id, with the true total', async () => {
    expect(await names('anna')).toEqual(['Annabel joanna bob', 3, null])
    expect(await names('ANN')).toEqual(['Annabel joanna bob Ａｎｎ.wide', 4, null])
    expect(await names('ａｎｎ')).toEqual(await names('ann'))
    expect(await names('bell')).toEqual(['Annabel', 1, null]) // in both of one user: once
    expect(await names('swan')).toEqual(['Annabel', 1, null])
    expect(await names('ИВАН')).toEqual(['имя', 1, null])
    expect(await names('小龙')).toEqual(['李小龙', 1, null])
    expect(await names('李小龙')).toEqual(['李小龙', 1, null])
    expect(await names('straße')).toEqual(['Straße', 1, null])
    expect(await names('nobody')).toEqual(['', 0, null])
    expect(await names('a'.repeat(300))).toEqual(['', 0, null])
  })

  it.each([
    ['%', 'per_cent'],
    ['_', 'per_cent'],
    ['%%%', ''],
    ['___', ''],
    ['a%a', ''],
    ['ann_', ''],
    ['per_cent', 'per_cent'],
    ['per-cent', 'per-cent'],
    ['100% real', 'per_cent'],
    ['l_n', 'per_cent'],
    ['\\', 'per_cent'],
    ['e \\ "', 'per_cent'],
    ['"', 'per_cent'],
    ['""', ''],
    ['"quoted"', 'per_cent'],
    ['quoted" and', 'per_cent'],
    ['and not* (', 'per_cent'],
    ['*', 'per_cent'],
    ['not*', 'per_cent'],
    ['^ann', ''],
    ["'", ''],
    ['’', 'bob'],
    ['“anna”', 'bob'],
    ['ann OR bob', ''],
    ['usernameFolded:ann', ''],
    ['{', ''],
    ['a b', ''],
    ['t “', 'bob'],
  ])('takes %s for what it is, and no character of it for a wildcard', async (text, expected) => {
    expect((await names(text))[0]).toBe(expected)
  })

  it('finds one and two characters as well, also blanks', async () => {
    expect(await names('b')).toEqual(['Annabel bob', 2, null])
    expect(await names('NN')).toEqual(['Annabel joanna bob Ａｎｎ.wide', 4, null])
    expect(await names('x')).toEqual(['per_cent x', 2, null])
    expect(await names('ß')).toEqual(['Straße', 1, null])
    expect(await names(' ')).toEqual(['Annabel bob per_cent имя 李小龙', 5, null])
    expect(await names('龙')).toEqual(['李小龙', 1, null])
  })

  it('does not find anyone by address, nor anything in nothing', async () => {
    for (const text of ['hidden', '@', 'example']) expect((await found(text)).total).toBe(0)
    for (const text of ['', '\0', 'an\0n', '\ud800'])
      await expect(found(text)).rejects.toMatchObject({ code: 'users.invalid_search', message: 'invalid search query' })
  })

  it('finds a user under the new name, and not the old one, and nobody who is gone', async () => {
    await world.database.transaction(async (tx) => {
      await tx.updateTable('user').set({ username: 'zoe', usernameFolded: 'zoe' }).where('id', '=', ids.joanna!).execute()
      await tx
        .updateTable('user')
        .set({ deletedAt: '2026', username: '', usernameFolded: null, fullName: null, fullNameFolded: null })
        .where('id', '=', ids.bob!)
        .execute()
    })
    expect([await names('anna'), await names('zoe'), await names('zo')]).toEqual([
      ['Annabel', 1, null],
      ['zoe', 1, null],
      ['zoe', 1, null],
    ])
  })

  it.each(['ann', 'nn'])('pages by offset and by cursor to the end and past it, for %s', async (text) => {
    expect(await names(text, { limit: 2 })).toEqual(['Annabel joanna', 4, ids.joanna])
    expect(await names(text, { limit: 2, start: { offset: 2 } })).toEqual(['bob Ａｎｎ.wide', 4, null])
    expect(await names(text, { limit: 2, start: { offset: 3 } })).toEqual(['Ａｎｎ.wide', 4, null])
    for (const offset of [4, 1_000_000_000]) expect(await names(text, { limit: 2, start: { offset } })).toEqual(['', 4, null])
    expect(await names(text, { limit: 1, start: { cursor: ids.joanna! } })).toEqual(['bob', 4, ids.bob])
    expect(await names(text, { limit: 1, start: { cursor: ids.bob! } })).toEqual(['Ａｎｎ.wide', 4, null])
    for (const cursor of [ids['Ａｎｎ.wide']!, Number.MAX_SAFE_INTEGER])
      expect(await names(text, { limit: 1, start: { cursor } })).toEqual(['', 4, null])
    await addUsers([{ username: 'ann.new' }])
    expect(await names(text, { limit: 2, start: { cursor: ids['ann.new']! - 1 } })).toEqual(['ann.new', 5, null])
  })

  it('takes one query for a page that ends, three for one that does not, for thousands of users', async () => {
    const queries = (text: string, options?: Parameters<typeof found>[1]) => world.countQueries(() => found(text, options))
    expect([
      await queries('ann'),
      await queries('ann', { limit: 2 }),
      await queries('ann', { limit: 2, start: { offset: 2 } }),
      await queries('nobody'),
      await queries('ann', { start: { offset: 9 } }),
    ]).toEqual([1, 3, 1, 1, 3])
  })

  it('looks at many users in steps where the index is of no use, and counts them all', async () => {
    await world.database.transaction(async (tx) => {
      for (let batch = 0; batch < 12; batch++) {
        await tx
          .insertInto('user')
          .values(
            Array.from({ length: 500 }, (_, index) => {
              const name = `q${batch * 500 + index}`
              return {
                username: name,
                usernameFolded: name,
                email: name,
                emailFolded: `${name}@x.example`,
                fullName: null,
                fullNameFolded: null,
                createdAt: '2026',
                updatedAt: '2026',
                deletedAt: null,
              }
            }),
          )
          .execute()
      }
    })
    expect((await found('q')).total).toBe(6_001) // and “quoted”
    expect((await found('q7')).total).toBe(111)
    const all: string[] = []
    for (let page = 0; page < 3; page++)
      all.push(...(await found('q7', { start: { offset: page * 100 } })).items.map(({ username }) => username))
    expect([all.length, new Set(all).size, all[0], all.at(-1)]).toEqual([111, 111, 'q7', 'q799'])
    const byCursor: string[] = []
    for (let cursor: number | null = 0; cursor !== null; ) {
      const page = await found('q7', { start: { cursor } })
      byCursor.push(...page.items.map(({ username }) => username))
      cursor = page.nextCursor
    }
    expect(byCursor).toEqual(all)
  }, 30_000)
})
