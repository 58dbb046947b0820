/** One process of test/services/outbox-processes.test.ts: `write COUNT` commits events and acknowledges each; `consume` turns them into effects. */
import { sql } from 'kysely'
import { openPostgres } from '../src/adapters/database/postgres.ts'
import { openSqlite } from '../src/adapters/database/sqlite.ts'
import { localDoorbell } from '../src/adapters/doorbell/local.ts'
import { startBackground } from '../src/background.ts'
import { createEmit } from '../src/outbox/outbox.ts'
import { systemClock } from '../src/ports/clock.ts'
import type { Tables } from '../src/schema.ts'

const [url, role, count] = process.argv.slice(2) as [string, 'write' | 'consume', string]
const database = url.startsWith('sqlite:') ? openSqlite<Tables>(url.slice('sqlite:'.length)) : openPostgres<Tables>({ url })
const committed = localDoorbell()

if (role === 'write') await write(Number(count))
else await consume()

async function write(total: number): Promise<void> {
  const emit = createEmit({ database, clock: systemClock, committed })
  for (let i = 0; i < total; i++) {
    const name = process.pid * 100_000 + i
    await database.transaction((tx) => emit(tx, { type: 'user_registered', key: name % 5, payload: { user_id: name } }))
    process.send!(name)
  }
  await database.close()
  process.disconnect()
}

async function consume(): Promise<void> {
  await startBackground({
    app: {
      jobs: {} as never,
      hear() {},
      consumers: [
        {
          name: 'effects',
          types: ['user_registered'],
          async handle(tx, { key, payload }) {
            await sql`insert into effect (name, key) values (${payload.user_id}, ${key})`.execute(tx)
          },
        },
      ],
    },
    database,
    clock: systemClock,
    committed,
    sequenced: localDoorbell(),
    settings: { pollMs: 20, retentionMs: 86_400_000 },
    warn: (message, { err }) => console.error(message, err),
  })
  process.send!('ready')
}
