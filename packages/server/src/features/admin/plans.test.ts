import SqliteClient from 'better-sqlite3'
import { sql } from 'kysely'
import pg from 'pg'
import { afterEach, expect, it, vi } from 'vitest'
import { signUp } from '../../../test/accounts.ts'
import { onEachDatabase } from '../../../test/matrix.ts'
import { openSqlite } from '../../adapters/database/sqlite.ts'
import { openPostgres } from '../../adapters/database/postgres.ts'
import type { App } from '../../compose.ts'
import type { Tables } from '../../schema.ts'

const count = 100_000
const columns = ['username', 'usernameFolded', 'email', 'emailFolded', 'createdAt', 'updatedAt', 'role', 'suspendedAt']

onEachDatabase(`lists for staff over ${count} users`, (world, driver) => {
  afterEach(() => vi.restoreAllMocks())

  /** Every tenth is suspended, every thousandth a moderator, and two have a name that nobody else has. */
  async function seed(): Promise<void> {
    const numbers =
      driver === 'sqlite'
        ? sql`with recursive s(n) as (select 1 union all select n + 1 from s where n < ${count})`
        : sql`with s(n) as (select generate_series(1, ${sql.lit(count)}))`
    const name = sql`case when n % 50000 = 7 then 'zyxw' || n else 'member' || n end`
    await world.database.transaction(async (tx) => {
      await sql`insert into ${sql.table('user')} (${sql.join(columns.map((column) => sql.ref(column)))}) ${numbers}
        select ${name}, ${name}, n || '@mail.example', n || '@mail.example', '2026', '2026',
          case when n % 1000 = 0 then 'moderator' else 'user' end, case when n % 10 = 0 then '2026' end from s`.execute(tx)
      await tx
        .insertInto('audit')
        .values({
          actorId: 1,
          actor: 'user',
          action: 'user.suspend',
          targetType: 'user',
          targetId: '1',
          detail: null,
          address: null,
          createdAt: '2026-01-01T00:00:00.000Z',
        })
        .execute()
      await sql`insert into ${sql.table('audit')} (${sql.join(['actorId', 'actor', 'action', 'targetType', 'targetId', 'createdAt'].map((column) => sql.ref(column)))}) ${numbers}
        select n % 100, 'user', 'action' || (n % 100), 'user', n % 1000, '2026-01-01T00:00:00.000Z' from s`.execute(tx)
    })
    await sql`analyze`.execute(world.database.db)
  }

  /** What the database says of how it answers each statement that `work` reads with. */
  async function plansOf(work: (app: App) => Promise<unknown>): Promise<string[]> {
    return driver === 'sqlite' ? sqlitePlansOf(work) : postgresPlansOf(work)
  }

  async function sqlitePlansOf(work: (app: App) => Promise<unknown>): Promise<string[]> {
    const { rows } = await sql<{ file: string }>`pragma database_list`.execute(world.database.db)
    const prepare = vi.spyOn(SqliteClient.prototype, 'prepare')
    const database = openSqlite<Tables>(rows[0]!.file)
    await work(world.composeAgain({ database }))
    const statements = prepare.mock.calls.map(([text]) => text).filter((text) => /^select/i.test(text))
    prepare.mockRestore()
    await database.close()
    const client = new SqliteClient(rows[0]!.file)
    const plans = statements.flatMap((text) =>
      client
        .prepare<unknown[], { detail: string }>(`explain query plan ${text}`)
        .all(Array(text.split('?').length - 1).fill(null))
        .map(({ detail }) => detail),
    )
    client.close()
    return plans
  }

  async function postgresPlansOf(work: (app: App) => Promise<unknown>): Promise<string[]> {
    const { rows } = await sql<{ name: string }>`select current_database() as name`.execute(world.database.db)
    const url = new URL(process.env.TEST_POSTGRES_URL!)
    url.pathname = rows[0]!.name
    const asked: [string, unknown[]][] = []
    const { query } = pg.Client.prototype
    vi.spyOn(pg.Client.prototype, 'query').mockImplementation(function (this: pg.Client, ...args: any[]) {
      const [first, second] = args
      const [text, values] = typeof first === 'string' ? [first, second] : [first?.text, first?.values]
      if (typeof text === 'string' && /^select/i.test(text) && Array.isArray(values)) asked.push([text, values])
      return (query as any).apply(this, args)
    } as any)
    const database = openPostgres<Tables>({ url: url.href, poolMax: 2 })
    await work(world.composeAgain({ database }))
    vi.restoreAllMocks()
    await database.close()
    const client = new pg.Client({ connectionString: url.href })
    await client.connect()
    const plans: string[] = []
    for (const [text, values] of asked) {
      const { rows: lines } = await client.query<Record<string, string>>(`explain ${text}`, values)
      plans.push(...lines.map((line) => line['QUERY PLAN']!))
    }
    await client.end()
    return plans
  }

  const scans = (plan: string[]) =>
    plan.filter((step) =>
      (driver === 'sqlite' ? /SCAN (user|account|audit|session)\b|AUTOMATIC/ : /Seq Scan on ("?user"?|audit)\b/).test(step),
    )

  // @NOTE one test: to empty the tables in between would take longer than all of it
  it('find each page by an index', async () => {
    await seed()
    for (const kind of ['all', 'staff', 'suspended'] as const) {
      for (const query of ['', 'zyxw', 'member', '@mail', '77777']) {
        for (const cursor of [undefined, 50_000]) {
          const plan = await plansOf((app) => app.admin.users.search({ kind, query, cursor, limit: 50 }))
          expect(plan.length).toBeGreaterThan(0)
          expect([kind, query, cursor, scans(plan)]).toEqual([kind, query, cursor, []])
        }
      }
    }
    const { id } = await signUp(world.app, 'ann')
    const plan = await plansOf((app) => app.admin.users.byId(id))
    expect([plan.length > 0, scans(plan)]).toEqual([true, []])

    const at = '2026-01-01T00:00:00.000Z'
    for (const filter of [
      {},
      { actorId: 7 },
      { action: 'action7' },
      { targetType: 'user', targetId: '7' },
      { since: at, until: at },
      { actorId: 7, cursor: 500 },
    ]) {
      const plan = await plansOf((app) => app.admin.audit.list({ ...filter, limit: 50 }))
      expect(plan.length).toBeGreaterThan(0)
      expect([filter, scans(plan)]).toEqual([filter, []])
    }
  }, 120_000)
})
