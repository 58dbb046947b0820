import type { Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

const shards = 16

export async function up(db: Kysely<any>, { addId, bytewiseText }: Dialect): Promise<void> {
  const notNull = (column: any) => column.notNull()
  await db.schema
    .alterTable('user')
    .addColumn('postCount', 'bigint', (column) => column.notNull().defaultTo(0))
    .execute()

  await addId(db.schema.createTable('post'))
    .addColumn('authorId', 'bigint', (column) => column.notNull().references('user.id')) // @NOTE no cascade: counters hang on these rows
    .addColumn('title', 'text', notNull)
    .addColumn('content', 'text')
    .addColumn('createdAt', bytewiseText, notNull)
    .addColumn('updatedAt', bytewiseText, notNull)
    .execute()
  await db.schema.createIndex('post_created').on('post').columns(['createdAt', 'id']).execute()
  await db.schema.createIndex('post_author_created').on('post').columns(['authorId', 'createdAt', 'id']).execute()

  await addId(db.schema.createTable('postMedia'))
    .addColumn('postId', 'bigint', (column) => column.notNull().references('post.id').onDelete('cascade')) // nothing counts them
    .addColumn('position', 'integer', notNull)
    .addColumn('url', 'text', notNull)
    .addColumn('type', 'text', notNull)
    .execute()
  await db.schema.createIndex('postMedia_post').on('postMedia').columns(['postId', 'position', 'id']).execute()

  await addId(db.schema.createTable('tag'))
    .addColumn('name', bytewiseText, (column) => column.notNull().unique())
    .execute()

  await db.schema
    .createTable('postTag')
    .addColumn('postId', 'bigint', (column) => column.notNull().references('post.id').onDelete('cascade')) // nothing counts them
    .addColumn('tagId', 'bigint', (column) => column.notNull().references('tag.id'))
    .addColumn('createdAt', bytewiseText, notNull)
    .addPrimaryKeyConstraint('postTag_pk', ['postId', 'tagId'])
    .execute()
  await db.schema.createIndex('postTag_tag_created').on('postTag').columns(['tagId', 'createdAt', 'postId']).execute()

  await db.schema
    .createTable('postTotal')
    .addColumn('shard', 'integer', (column) => column.primaryKey())
    .addColumn('count', 'bigint', notNull)
    .execute()
  await db
    .insertInto('postTotal')
    .values(Array.from({ length: shards }, (_, shard) => ({ shard, count: 0 })))
    .execute()
}

export async function down(db: Kysely<any>): Promise<void> {
  for (const table of ['postTotal', 'postTag', 'tag', 'postMedia', 'post']) await db.schema.dropTable(table).execute()
  await db.schema.alterTable('user').dropColumn('postCount').execute()
}
