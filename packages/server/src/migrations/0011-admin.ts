import { sql, type Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

const emails = { name: 'userEmailSearch', table: 'user', columns: ['emailFolded'] }
const suspension = ['suspendedAt', 'suspendedUntil', 'suspendedReason']
const trailIndexes = { audit_actor: ['actorId', 'id'], audit_action: ['action', 'id'], audit_created: ['createdAt', 'id'] }

export async function up(db: Kysely<any>, { bytewiseText, textSearch }: Dialect): Promise<void> {
  for (const name of suspension) await db.schema.alterTable('user').addColumn(name, bytewiseText).execute()
  await db.schema.createIndex('user_suspended').on('user').column('id').where(sql.ref('suspendedAt'), 'is not', null).execute()
  await textSearch.createIndex(db, emails)

  // @NOTE a table of its own, and no mark on `post`: so no list, count or index has to know that there are such posts.
  await db.schema
    .createTable('removedPost')
    .addColumn('id', 'bigint', (column) => column.primaryKey())
    .addColumn('authorId', 'bigint', (column) => column.notNull().references('user.id')) // @NOTE no cascade: the purge takes them
    .addColumn('title', 'text', (column) => column.notNull())
    .addColumn('content', 'text')
    .addColumn('createdAt', bytewiseText, (column) => column.notNull())
    .addColumn('updatedAt', bytewiseText, (column) => column.notNull())
    .addColumn('media', 'text', (column) => column.notNull())
    .addColumn('tags', 'text', (column) => column.notNull())
    .addColumn('removedAt', bytewiseText, (column) => column.notNull())
    .addColumn('removedBy', 'bigint')
    .addColumn('reason', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('removedPost_author').on('removedPost').columns(['authorId', 'id']).execute()

  for (const [name, columns] of Object.entries(trailIndexes)) await db.schema.createIndex(name).on('audit').columns(columns).execute()
}

export async function down(db: Kysely<any>, { textSearch }: Dialect): Promise<void> {
  for (const name of Object.keys(trailIndexes)) await db.schema.dropIndex(name).execute()
  await db.schema.dropTable('removedPost').execute()
  await textSearch.dropIndex(db, emails)
  await db.schema.dropIndex('user_suspended').execute()
  for (const name of suspension) await db.schema.alterTable('user').dropColumn(name).execute()
}
