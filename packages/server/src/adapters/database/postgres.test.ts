import { sql } from 'kysely'
import { expect, it } from 'vitest'
import { onDriver, useDatabase } from '../../../test/drivers.ts'
import { DatabaseUnavailable } from '../../ports/database.ts'
import type { ScratchTables } from '../../ports/database.contract.ts'

onDriver('postgres', 'a connection that is cut', (driver) => {
  const opened = useDatabase<ScratchTables>(driver)

  it('in the middle of a transaction ends the transaction, and nothing else', async () => {
    const other = opened.openAgain()
    await sql`create table scratch (n int)`.execute(opened.database.db)
    let cut = 0
    const work = opened.database.transaction(async (tx) => {
      await sql`insert into scratch values (1)`.execute(tx)
      const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
      await new Promise<void>((resolve) => {
        // Outside of this transaction's context, as another process would.
        setImmediate(
          () => void sql`select pg_terminate_backend(${rows[0]!.pid}::int)`.execute(otherDb()).then(() => setTimeout(resolve, 50)),
        )
      })
      cut++
      await sql`insert into scratch values (2)`.execute(tx)
    })
    await expect(work).rejects.toBeInstanceOf(DatabaseUnavailable)
    expect([cut, (await sql`select n from scratch`.execute(opened.database.db)).rows]).toEqual([1, []])
    await opened.database.transaction((tx) => sql`insert into scratch values (3)`.execute(tx))
    expect((await sql`select n from scratch`.execute(opened.database.db)).rows).toEqual([{ n: 3 }])
    await other.close()

    function otherDb() {
      return other.db.withoutPlugins()
    }
  })
})
