import { setTimeout as sleep } from 'node:timers/promises'
import { sql, type Generated, type Kysely } from 'kysely'
import { beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Database, TextIndex } from './database.ts'

export interface ScratchTables {
  note: { id: Generated<number>; text: string; folded: string | null; other: string | null; at: string }
  mark: { noteId: number }
}

const index: TextIndex = { name: 'note_search', table: 'note', columns: ['folded', 'other'] }

async function createScratchTables({ db, dialect }: Database<ScratchTables>): Promise<void> {
  await dialect
    .addId(db.schema.createTable('note'))
    .addColumn('text', 'text', (column) => column.notNull().unique())
    .addColumn('folded', 'text')
    .addColumn('other', 'text')
    .addColumn('at', dialect.bytewiseText, (column) => column.notNull())
    .execute()
  await db.schema
    .createTable('mark')
    .addColumn('noteId', 'bigint', (column) => column.notNull().references('note.id'))
    .execute()
  await dialect.textSearch.createIndex(db, index)
}

/** What every engine must do. `open` gives an empty database; `openAgain` the same one, as another process opens it. */
export function databaseContract(
  driver: string,
  open: () => Promise<Database<ScratchTables>>,
  openAgain: () => Database<ScratchTables>,
): void {
  describe(`database port [${driver}]`, () => {
    let database: Database<ScratchTables>
    beforeAll(async () => {
      database = await open()
      await createScratchTables(database)
    })
    beforeEach(() =>
      database.transaction(async (tx) => {
        await tx.deleteFrom('mark').execute()
        await tx.deleteFrom('note').execute()
      }),
    )

    const add = (tx: Kysely<ScratchTables>, text: string, rest: { at?: string; folded?: string; other?: string } = {}) =>
      tx
        .insertInto('note')
        .values({ text, at: '', ...rest })
        .returning('id')
        .executeTakeFirstOrThrow()
    const addNote = (text: string, rest?: { at?: string; folded?: string; other?: string }) =>
      database.transaction(async (tx) => (await add(tx, text, rest)).id)
    const texts = async () => (await database.db.selectFrom('note').select('text').orderBy('id').execute()).map(({ text }) => text)

    it('takes rows with ids of their own, and gives out none that were passed', async () => {
      const { dialect } = database
      const given = (id: number) =>
        database.transaction((tx) =>
          sql`insert into note (id, text, at) ${dialect.givenIds} values (${id}, ${`given ${id}`}, '')`.execute(tx),
        )
      const next = async () => addNote(`note ${Math.random()}`)
      const last = await next()
      await database.transaction((tx) => dialect.passIds(tx, 'note', last + 100))
      await given(last + 50)
      expect(await next()).toBe(last + 101)
      await database.transaction((tx) => dialect.passIds(tx, 'note', last + 20)) // it has come further
      expect(await next()).toBe(last + 102)
      await database.transaction((tx) => tx.deleteFrom('note').where('id', '>', last).execute())
      expect(await next()).toBe(last + 103)
    })

    it('passes ids of a table that has had no row yet', async () => {
      await database.transaction(async (tx) => {
        await database.dialect.addId(tx.schema.createTable('fresh')).addColumn('text', 'text').execute()
        await database.dialect.passIds(tx, 'fresh', 7)
        const { rows } = await sql<{ id: number }>`insert into fresh (text) values ('first') returning id`.execute(tx)
        expect(rows).toEqual([{ id: 8 }])
        await tx.schema.dropTable('fresh').execute()
      })
    })

    it('rolls back everything when the work throws', async () => {
      const failing = database.transaction(async (tx) => {
        await add(tx, 'lost')
        throw new Error('no')
      })
      await expect(failing).rejects.toThrow('no')
      expect(await texts()).toEqual([])
    })

    it('names a query that slipped out of its open transaction, instead of hanging or missing it', async () => {
      await expect(database.transaction(() => texts())).rejects.toThrow('use tx')
    })

    it('refuses a query after the end of its transaction', async () => {
      let leaked!: Kysely<ScratchTables>
      await database.transaction(async (tx) => void (leaked = tx))
      await expect(add(leaked, 'late')).rejects.toThrow('after the end')
    })

    it('does not nest transactions', async () => {
      await expect(database.transaction(() => database.transaction(async () => {}))).rejects.toThrow('do not nest')
    })

    it('calls back once after the commit, and never for what was rolled back', async () => {
      const heard: string[] = []
      const hear = (name: string, tx: Parameters<Parameters<typeof database.transaction>[0]>[0]) =>
        database.afterCommit(tx, () => heard.push(name))
      await database
        .transaction(async (tx) => {
          hear('lost', tx)
          throw new Error('no')
        })
        .catch(() => {})
      const error = await retryableError(database, openAgain)
      let runs = 0
      await database.transaction(async (tx) => {
        hear(`run ${++runs}`, tx)
        expect(heard).toEqual([])
        if (runs === 1) throw error
      })
      expect(heard).toEqual(['run 2'])
    })

    it('runs the work again when another transaction was in the way, and only its last run counts', async () => {
      const error = await retryableError(database, openAgain)
      let runs = 0
      await database.transaction(async (tx) => {
        await add(tx, `run ${++runs}`)
        if (runs < 3) throw error
      })
      expect([runs, await texts()]).toEqual([3, ['run 3']])
    })

    it('loses no update of two openings of one database', async () => {
      const other = openAgain()
      const id = await addNote('0')
      const bump = (opening: Database<ScratchTables>) =>
        opening.transaction(async (tx) => {
          await opening.dialect.lock(tx, 'counter')
          const { text } = await tx.selectFrom('note').select('text').where('id', '=', id).executeTakeFirstOrThrow()
          await new Promise((resolve) => setImmediate(resolve))
          await tx
            .updateTable('note')
            .set({ text: String(Number(text) + 1) })
            .where('id', '=', id)
            .execute()
        })
      await Promise.all(Array.from({ length: 40 }, (_, i) => bump(i % 2 ? database : other)))
      expect(await texts()).toEqual(['40'])
      await other.close()
    })

    it('gives a lock to one transaction at a time, for as long as it runs', async () => {
      const other = openAgain()
      const [held, release] = [Promise.withResolvers<boolean>(), Promise.withResolvers<void>()]
      const holder = database.transaction(async (tx) => {
        held.resolve(await database.dialect.tryLock(tx, 'job'))
        await release.promise
      })
      expect(await held.promise).toBe(true)
      const second = other.transaction((tx) => other.dialect.tryLock(tx, 'job'))
      // On SQLite there is one writer at all, so the second transaction has not begun while the first runs.
      const whileHeld = await Promise.race([second, sleep(100).then(() => 'waits')])
      expect(whileHeld).toBe(database.dialect.name === 'sqlite' ? 'waits' : false)
      release.resolve()
      await holder
      await database.transaction(async (tx) => expect(await database.dialect.tryLock(tx, 'job')).toBe(true))
      await other.close()
    })

    it('holds rows for one transaction at a time, and takes them in one order, whatever the order they are asked for in', async () => {
      const other = openAgain()
      const ids = [await addNote('0'), await addNote('0 too')]
      const isRetryable = vi.spyOn(database.dialect, 'isRetryable')
      const bump = (opening: Database<ScratchTables>, order: number[]) =>
        opening.transaction(async (tx) => {
          await opening.dialect.lockRows(tx, 'note', [...order, 404_404])
          for (const id of order) {
            const { at } = await tx.selectFrom('note').select('at').where('id', '=', id).executeTakeFirstOrThrow()
            await new Promise((resolve) => setImmediate(resolve))
            await tx
              .updateTable('note')
              .set({ at: String(Number(at) + 1) })
              .where('id', '=', id)
              .execute()
          }
        })
      const openings = [database, other]
      await Promise.all(Array.from({ length: 40 }, (_, i) => bump(openings[i % 2]!, i % 4 < 2 ? ids : ids.toReversed())))
      const rows = await database.db.selectFrom('note').select('at').orderBy('id').execute()
      expect(rows.map(({ at }) => at)).toEqual(['40', '40'])
      // On SQLite two writers are always in each other's way; what they want to write does not matter.
      if (database.dialect.name === 'postgres') expect(isRetryable).not.toHaveBeenCalled()
      isRetryable.mockRestore()
      await database.transaction((tx) => database.dialect.lockRows(tx, 'note', []))
      await other.close()
    })

    it('recognises a unique violation, and no other error as one', async () => {
      await addNote('same')
      const error = await addNote('same').catch((error: unknown) => error)
      expect([database.dialect.isUniqueViolation(error), database.dialect.isUniqueViolation(new Error('unique'))]).toEqual([true, false])
    })

    it('enforces foreign keys', async () => {
      await expect(database.transaction((tx) => tx.insertInto('mark').values({ noteId: 404 }).execute())).rejects.toThrow()
    })

    it('sorts bytewise text byte by byte', async () => {
      for (const at of ['b', 'B', 'a', 'A', '-', '0', 'é']) await addNote(at, { at })
      const rows = await database.db.selectFrom('note').select('at').orderBy('at').execute()
      expect(rows.map(({ at }) => at).join('')).toBe('-0ABabé')
    })

    it('gives out ids as numbers, upwards, and never one twice', async () => {
      const [first, second] = [await addNote('a'), await addNote('b')]
      await database.transaction((tx) => tx.deleteFrom('note').where('id', '=', second).execute())
      const third = await addNote('c')
      expect([typeof first, second > first, third > second]).toEqual(['number', true, true])
    })

    it('counts in numbers, not strings', async () => {
      const { count } = await database.db
        .selectFrom('note')
        .select((eb) => eb.fn.countAll<number>().as('count'))
        .executeTakeFirstOrThrow()
      expect(count).toBe(0)
    })

    it('keeps text of every script and every kind, unchanged', async () => {
      const text = '\u0001 ñ 漢字 👩‍👩‍👧 \u200f عربي \\ \' " % _ \u{10ffff}'
      await addNote(text)
      expect(await texts()).toEqual([text])
    })

    describe('text search', () => {
      const find = async (wanted: string) => {
        const { textSearch } = database.dialect
        const mode = textSearch.mode(wanted)
        const pattern = textSearch.pattern(mode, wanted)
        const ids = textSearch.matchingIds(mode, index, { pattern, after: 0, upTo: Number.MAX_SAFE_INTEGER })
        const { rows } = await sql<{ text: string }>`select text from note where id in (${ids}) order by id`.execute(database.db)
        return rows.map(({ text }) => text).join(' ')
      }

      it('finds what is contained, in any of the columns, at both ends and in the middle, however short', async () => {
        await addNote('1', { folded: 'maria', other: 'maría lópez' })
        await addNote('2', { folded: 'rianna' })
        await addNote('3', { other: '漢字 ria' })
        expect(await find('ria')).toBe('1 2 3')
        expect(await find('maria')).toBe('1')
        expect(await find('a l')).toBe('1')
        expect(await find('字 r')).toBe('3')
        expect([await find('ri'), await find('m'), await find('漢'), await find('zz'), await find('xyz')]).toEqual([
          '1 2 3',
          '1',
          '3',
          '',
          '',
        ])
      })

      it('takes every character for itself', async () => {
        await addNote('1', { folded: 'a%b_c\\d"e*f' })
        await addNote('2', { folded: 'aXbXcXdXeXf' })
        for (const wanted of ['a%b', 'b_c', 'c\\d', '"e*', '*f', '%', '_', '\\', '"', 'a%b_c\\d"e*f'])
          expect([wanted, await find(wanted)]).toEqual([wanted, '1'])
        expect([await find('a%c'), await find('a_b'), await find('maria or'), await find('not')]).toEqual(['', '', '', ''])
      })

      it.each(['ria', 'ri'])('gives the ids of a range, in their order, for %s', async (wanted) => {
        const ids: number[] = []
        for (let i = 0; i < 10; i++) ids.push(await addNote(`note ${i}`, { folded: `maria ${i}` }))
        const { textSearch } = database.dialect
        const mode = textSearch.mode(wanted)
        const range = { pattern: textSearch.pattern(mode, wanted), after: ids[2]!, upTo: ids[7]! }
        const { rows } = await sql<{ id: number }>`${textSearch.matchingIds(mode, index, range)} order by id limit 3`.execute(database.db)
        expect(rows.map(({ id }) => id)).toEqual(ids.slice(3, 6))
      })

      it('follows every change of the rows', async () => {
        const id = await addNote('1', { folded: 'before' })
        await database.transaction((tx) => tx.updateTable('note').where('id', '=', id).set({ folded: 'after' }).execute())
        expect([await find('before'), await find('after')]).toEqual(['', '1'])
        await database.transaction((tx) => tx.updateTable('note').where('id', '=', id).set({ folded: null }).execute())
        expect(await find('after')).toBe('')
        await addNote('2', { folded: 'gone' })
        await database.transaction((tx) => tx.deleteFrom('note').execute())
        expect(await find('gone')).toBe('')
      })
    })
  })
}

/** A real one, of this engine: two transactions that cannot both win. */
async function retryableError(database: Database<ScratchTables>, openAgain: () => Database<ScratchTables>): Promise<unknown> {
  const other = openAgain()
  try {
    return database.dialect.name === 'sqlite' ? await busy(database, other) : await serializationFailure(other)
  } finally {
    await other.close()
  }
}

/** `other` writes on the connection that reads, where nothing waits for a turn. */
async function busy(database: Database<ScratchTables>, other: Database<ScratchTables>): Promise<unknown> {
  const [begun, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const holder = database.transaction(async () => {
    begun.resolve()
    await release.promise
  })
  await begun.promise
  const error: unknown = await other.db
    .deleteFrom('mark')
    .execute()
    .catch((error: unknown) => error)
  release.resolve()
  await holder
  return (error as Error).cause
}

async function serializationFailure(database: Database<ScratchTables>): Promise<unknown> {
  const begin = (work: (tx: Kysely<ScratchTables>) => Promise<unknown>) =>
    database.db.transaction().setIsolationLevel('serializable').execute(work)
  const bothHaveRead = Promise.withResolvers<void>()
  let readers = 0
  const copy = async (tx: Kysely<ScratchTables>) => {
    const { count } = await tx
      .selectFrom('mark')
      .select((eb) => eb.fn.countAll<number>().as('count'))
      .executeTakeFirstOrThrow()
    if (++readers === 2) bothHaveRead.resolve()
    await bothHaveRead.promise // before one of them commits
    await tx
      .insertInto('note')
      .values({ text: `${count} ${Math.random()}`, at: '' })
      .execute()
    await tx.selectFrom('note').selectAll().execute()
    await tx.insertInto('mark').columns(['noteId']).expression(tx.selectFrom('note').select('id').limit(1)).execute()
  }
  const outcomes = await Promise.allSettled([begin(copy), begin(copy)])
  await database.db.deleteFrom('mark').execute()
  await database.db.deleteFrom('note').execute()
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')
  if (!failed) throw new Error('two serializable transactions that read what the other writes did both commit')
  return failed.reason
}
