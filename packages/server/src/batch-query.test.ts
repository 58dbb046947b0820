import { expect, it } from 'vitest'
import { onEachDatabase } from '../test/matrix.ts'
import { batchQuery } from './batch-query.ts'
import type { Db, Tx } from './schema.ts'

onEachDatabase('a query over a list', (world) => {
  const selectTags = batchQuery<string>()((db: Db, names) => db.selectFrom('tag').where('name', 'in', names).select('name'))
  const insertMany = async (count: number) => {
    const names = Array.from({ length: count }, (_, index) => `tag ${String(index).padStart(3, '0')}`)
    await world.database.transaction((tx) =>
      tx
        .insertInto('tag')
        .values(names.map((name) => ({ name })))
        .execute(),
    )
    return names
  }

  it('finds each once, however long the list is', async () => {
    const names = await insertMany(250)
    for (const length of [0, 1, 2, 4, 5, 20, 21, 99, 100, 101, 250]) {
      const rows = await selectTags.all(world.database.db, names.slice(0, length), {})
      expect(rows.map(({ name }) => name).toSorted(), `${length}`).toEqual(names.slice(0, length))
    }
    expect(await selectTags.all(world.database.db, ['nothing', 'tag 007', 'tag 007'], {})).toEqual([{ name: 'tag 007' }])
  })

  it('is one statement for up to 100, none for none, and of few texts', async () => {
    const names = await insertMany(101)
    const texts = new Set<string>()
    const noted = world.database.db.withPlugin({
      transformQuery: ({ node }) => (texts.add(JSON.stringify(node).length.toString()), node),
      transformResult: async ({ result }) => result,
    })
    const queries = (length: number) => world.countQueries(() => selectTags.all(world.database.db, names.slice(0, length), {}))
    expect([await queries(0), await queries(1), await queries(100), await queries(101)]).toEqual([0, 1, 1, 2])
    for (let length = 0; length <= 100; length++) await selectTags.all(noted, names.slice(0, length), {})
    expect(texts.size).toBe(4)
  })

  it('changes and counts, and takes values beside its list', async () => {
    const names = await insertMany(150)
    const remove = batchQuery<string, { not: string }>()((tx: Tx, list, { not }) =>
      tx.deleteFrom('tag').where('name', 'in', list).where('name', '!=', not),
    )
    expect(await world.database.transaction((tx) => remove.run(tx, names, { not: 'tag 003' }))).toBe(149)
    expect(await selectTags.all(world.database.db, names, {})).toEqual([{ name: 'tag 003' }])
  })
})
