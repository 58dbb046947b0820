import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import pg from 'pg'
import { expect, it } from 'vitest'
import { openPostgres } from '../src/adapters/database/postgres.ts'
import { startPostgres } from './postgres-server.ts'

it('a connection that is cut between two statements of a transaction fails the transaction, and not the process', async () => {
  const postgres = await startPostgres()
  const database = openPostgres<Record<string, never>>({ url: postgres.url })
  const cut = database.transaction(async (tx) => {
    const { rows } = await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(tx)
    const other = new pg.Client(postgres.url)
    await other.connect()
    await other.query('select pg_terminate_backend($1)', [rows[0]!.pid])
    await other.end()
    await sleep(100) // until it has been heard of, when no statement is under way
    await sql`select 1`.execute(tx)
  })
  await expect(cut).rejects.toMatchObject({ kind: 'unavailable' })
  await database.transaction(async (tx) => void (await sql`select 1`.execute(tx)))
  await database.close()
  await postgres.remove()
})
