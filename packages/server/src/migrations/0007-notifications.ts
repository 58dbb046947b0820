import { sql, type Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

const counts = ['notificationCount', 'unreadCount']

export async function up(db: Kysely<any>, { addId, bytewiseText }: Dialect): Promise<void> {
  await addId(db.schema.createTable('notification'))
    .addColumn('userId', 'bigint', (column) => column.notNull().references('user.id')) // @NOTE no cascade: counters hang on these rows
    .addColumn('type', 'text', (column) => column.notNull())
    .addColumn('origin', 'text', (column) => column.notNull())
    .addColumn('senderId', 'bigint') // @NOTE no foreign key: what was sent outlives the account that sent it
    .addColumn('payload', 'text')
    .addColumn('sourceKey', bytewiseText)
    .addColumn('createdAt', bytewiseText, (column) => column.notNull())
    .addColumn('readAt', bytewiseText)
    .execute()
  await db.schema.createIndex('notification_user').on('notification').columns(['userId', 'id']).execute()
  await db.schema
    .createIndex('notification_unread')
    .on('notification')
    .columns(['userId', 'id'])
    .where(sql.ref('readAt'), 'is', null)
    .execute()
  await db.schema
    .createIndex('notification_source')
    .on('notification')
    .column('sourceKey')
    .unique()
    .where(sql.ref('sourceKey'), 'is not', null)
    .execute()
  for (const name of counts) {
    await db.schema
      .alterTable('user')
      .addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
  }
}

export async function down(db: Kysely<any>): Promise<void> {
  await db.schema.dropTable('notification').execute()
  for (const name of counts) await db.schema.alterTable('user').dropColumn(name).execute()
}
