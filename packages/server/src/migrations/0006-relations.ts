import type { Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

const counts = ['followerCount', 'followeeCount']

export async function up(db: Kysely<any>, { addId, bytewiseText }: Dialect): Promise<void> {
  const userId = (column: any) => column.notNull().references('user.id') // @NOTE no cascade: it would take follows away behind the counters' back
  await addId(db.schema.createTable('follow'))
    .addColumn('followerId', 'bigint', userId)
    .addColumn('followeeId', 'bigint', userId)
    .addColumn('createdAt', bytewiseText, (column) => column.notNull())
    .addUniqueConstraint('follow_once', ['followerId', 'followeeId'])
    .execute()
  await db.schema.createIndex('follow_followee').on('follow').columns(['followeeId', 'id']).execute()
  await db.schema.createIndex('follow_follower').on('follow').columns(['followerId', 'id']).execute()
  for (const name of counts) {
    await db.schema
      .alterTable('user')
      .addColumn(name, 'bigint', (column) => column.notNull().defaultTo(0))
      .execute()
  }
}

export async function down(db: Kysely<any>): Promise<void> {
  await db.schema.dropTable('follow').execute()
  for (const name of counts) await db.schema.alterTable('user').dropColumn(name).execute()
}
