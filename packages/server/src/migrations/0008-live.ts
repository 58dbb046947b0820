import { sql, type Kysely } from 'kysely'

/** Streams that were away ask for the posts of all whom their user follows: each of them is one look into this index. */
export async function up(db: Kysely<any>): Promise<void> {
  await db.schema
    .createIndex('outbox_posts')
    .on('outbox')
    .columns(['key', 'seq'])
    .where(sql.ref('type'), '=', sql.lit('post_created'))
    .execute()
}

export async function down(db: Kysely<any>): Promise<void> {
  await db.schema.dropIndex('outbox_posts').execute()
}
