import { expect, it } from 'vitest'
import { onEachDatabase } from '../test/matrix.ts'
import { query } from './query.ts'
import type { Db, Tx } from './schema.ts'

onEachDatabase('query', (world) => {
  const addEntry = (action: string) =>
    world.database.transaction(async (tx) => {
      const entry = { actor: 'host', action, targetType: 'test', targetId: '1', createdAt: '' } as const
      return (await tx.insertInto('audit').values(entry).returning('id').executeTakeFirstOrThrow()).id
    })
  const selectUsers = query<{ name: string; after: number; limit: number }>()((db: Db, { name, after, limit }) => {
    built++
    return db
      .selectFrom('audit')
      .where((eb) => eb.or([eb('action', '=', name), eb('action', '=', eb.fn<string>('upper', [eb.val(name)])), eb('action', '=', 'root')]))
      .where('id', '>', after)
      .orderBy('id')
      .limit(limit)
      .select('action')
  })
  const rename = query<{ id: number; to: string | null }>()((tx: Tx, { id, to }) =>
    tx.updateTable('audit').where('id', '=', id).set({ detail: to }),
  )
  let built = 0

  it('puts each value in its places, wherever and however often its name stands', async () => {
    for (const name of ['ann', 'ANN', 'bob', 'BOB', 'root']) await addEntry(name)
    const names = async (name: string, limit: number) =>
      (await selectUsers.all(world.database.db, { name, after: 0, limit })).map((row) => row.action)
    expect([await names('ann', 9), await names('bob', 2)]).toEqual([
      ['ann', 'ANN', 'root'],
      ['bob', 'BOB'],
    ])
    expect(await selectUsers.first(world.database.db, { limit: 1, after: 0, name: "it's" })).toEqual({ action: 'root' })
  })

  it('is built once for each connection it runs on, however often it runs', async () => {
    built = 0
    const fresh = query<{ id: number }>()((db: Db, { id }) => (built++, db.selectFrom('audit').where('id', '=', id).select('id')))
    const id = await addEntry('ann')
    for (let i = 0; i < 5; i++) {
      expect(await fresh.first(world.database.db, { id })).toEqual({ id })
      expect(await world.database.transaction((tx) => fresh.first(tx, { id }))).toEqual({ id })
    }
    expect(built).toBe(world.database.dialect.name === 'sqlite' ? 2 : 1) // SQLite: the reader and the writer
  })

  it('gives each of many concurrent runs its own values', async () => {
    const ids = await Promise.all(Array.from({ length: 20 }, (_, index) => addEntry(`user${index}`)))
    const find = query<{ id: number }>()((db: Db, { id }) => db.selectFrom('audit').where('id', '=', id).select('id'))
    expect(await Promise.all(ids.map((id) => find.first(world.database.db, { id })))).toEqual(ids.map((id) => ({ id })))
  })

  it('counts the rows that a write changed, and writes null', async () => {
    const id = await addEntry('ann')
    const run = (to: string | null, wanted = id) => world.database.transaction((tx) => rename.run(tx, { id: wanted, to }))
    expect([await run('x'), await run(null), await run('x', id + 1)]).toEqual([1, 1, 0])
    expect(await world.database.db.selectFrom('audit').select('detail').execute()).toEqual([{ detail: null }])
  })

  it('is rolled back with its transaction', async () => {
    const id = await addEntry('ann')
    await expect(
      world.database.transaction(async (tx) => {
        await rename.run(tx, { id, to: 'x' })
        throw new Error('no')
      }),
    ).rejects.toThrow('no')
    expect(await world.database.db.selectFrom('audit').select('detail').execute()).toEqual([{ detail: null }])
  })

  it('refuses to run outside the open transaction, or after its end', async () => {
    const values = { name: 'ann', after: 0, limit: 1 }
    await selectUsers.all(world.database.db, values) // compiled by now, so only the run itself can refuse
    await expect(world.database.transaction(() => selectUsers.all(world.database.db, values))).rejects.toThrow('use tx')
    let leaked!: Tx
    await world.database.transaction(async (tx) => {
      leaked = tx
      await selectUsers.all(tx, values)
    })
    await expect((async () => selectUsers.all(leaked, values))()).rejects.toThrow('after the end')
  })

  it('names the value when the query computes with it, or lists them', async () => {
    const early = query<{ limit: number }>()((db: Db, { limit }) =>
      db
        .selectFrom('audit')
        .select('id')
        .limit(limit + 1),
    )
    const listed = query<{ name: string; seq: number }>()((tx: Tx, values) => tx.insertInto('outboxPosition').values(values))
    await expect(early.all(world.database.db, { limit: 1 })).rejects.toThrow('limit has no value yet')
    await expect(world.database.transaction((tx) => listed.run(tx, { name: 'a', seq: 1 }))).rejects.toThrow('one by one')
  })

  it('is refused by the compiler where it would write without a transaction', () => {
    // @ts-expect-error a Db is no Tx
    void (() => rename.run(world.database.db, { id: 1, to: null }))
    // @ts-expect-error a list is no value
    void (() => query<{ ids: number[] }>())
  })
})
