import { sql, type Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

const search = { name: 'userSearch', table: 'user', columns: ['usernameFolded', 'fullNameFolded'] }

export async function up(db: Kysely<any>, { addId, bytewiseText, textSearch }: Dialect): Promise<void> {
  await addId(db.schema.createTable('user'))
    .addColumn('username', 'text', (column) => column.notNull())
    .addColumn('usernameFolded', bytewiseText, (column) => column.unique())
    .addColumn('email', 'text', (column) => column.notNull())
    .addColumn('emailFolded', bytewiseText, (column) => column.unique())
    .addColumn('fullName', 'text')
    .addColumn('fullNameFolded', bytewiseText)
    .addColumn('bio', 'text')
    .addColumn('avatarUrl', 'text')
    .addColumn('createdAt', bytewiseText, (column) => column.notNull())
    .addColumn('updatedAt', bytewiseText, (column) => column.notNull())
    .addColumn('deletedAt', bytewiseText)
    .execute()
  await db.schema.createIndex('user_deleted').on('user').column('id').where(sql.ref('deletedAt'), 'is not', null).execute()
  await textSearch.createIndex(db, search)
}

export async function down(db: Kysely<any>, { textSearch }: Dialect): Promise<void> {
  await textSearch.dropIndex(db, search)
  await db.schema.dropTable('user').execute()
}
