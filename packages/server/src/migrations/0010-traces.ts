import { sql, type Kysely } from 'kysely'

/**
 * Which trace an event belongs to (W3C Trace Context): its consumers' logs and spans name the request that caused it. Dead letters
 * get an index of their own, since metrics ask for their number at each scrape.
 */
export async function up(db: Kysely<any>): Promise<void> {
  await db.schema.alterTable('outbox').addColumn('traceparent', 'text').execute()
  await db.schema.alterTable('deadLetter').addColumn('traceparent', 'text').execute()
  await db.schema
    .createIndex('deadLetter_dead')
    .on('deadLetter')
    .columns(['consumer', 'id'])
    .where(sql.ref('nextAttemptAt'), 'is', null)
    .execute()
}

export async function down(db: Kysely<any>): Promise<void> {
  await db.schema.dropIndex('deadLetter_dead').execute()
  await db.schema.alterTable('deadLetter').dropColumn('traceparent').execute()
  await db.schema.alterTable('outbox').dropColumn('traceparent').execute()
}
