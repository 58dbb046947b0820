import { sql, type Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

export async function up(db: Kysely<any>, { addId, bytewiseText }: Dialect): Promise<void> {
  const time = bytewiseText
  await addId(db.schema.createTable('outbox'))
    .addColumn('seq', 'bigint', (column) => column.unique())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('key', 'bigint', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('createdAt', time, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('outbox_unsequenced').on('outbox').column('id').where(sql.ref('seq'), 'is', null).execute()
  await db.schema.createIndex('outbox_key_seq').on('outbox').columns(['key', 'seq']).execute()

  await db.schema
    .createTable('outboxPosition')
    .addColumn('name', 'text', (column) => column.primaryKey())
    .addColumn('seq', 'bigint', (column) => column.notNull())
    .execute()
  await db.insertInto('outboxPosition').values({ name: 'sequence', seq: 0 }).execute()

  await db.schema
    .createTable('processedEvent')
    .addColumn('consumer', 'text', (column) => column.notNull())
    .addColumn('eventId', 'text', (column) => column.notNull())
    .addColumn('processedAt', time, (column) => column.notNull())
    .addPrimaryKeyConstraint('processedEvent_pk', ['consumer', 'eventId'])
    .execute()
  await db.schema.createIndex('processedEvent_at').on('processedEvent').column('processedAt').execute()

  await addId(db.schema.createTable('deadLetter'))
    .addColumn('consumer', 'text', (column) => column.notNull())
    .addColumn('eventId', 'text', (column) => column.notNull())
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('key', 'bigint', (column) => column.notNull())
    .addColumn('payload', 'text', (column) => column.notNull())
    .addColumn('createdAt', time, (column) => column.notNull())
    .addColumn('attempts', 'integer', (column) => column.notNull())
    .addColumn('error', 'text', (column) => column.notNull())
    .addColumn('nextAttemptAt', time)
    .addUniqueConstraint('deadLetter_once', ['consumer', 'eventId'])
    .execute()
  await db.schema
    .createIndex('deadLetter_parked')
    .on('deadLetter')
    .columns(['consumer', 'key', 'id'])
    .where(sql.ref('nextAttemptAt'), 'is not', null)
    .execute()
}

export async function down(db: Kysely<any>): Promise<void> {
  for (const table of ['deadLetter', 'processedEvent', 'outboxPosition', 'outbox']) await db.schema.dropTable(table).execute()
}
