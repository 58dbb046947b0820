import { sql, type Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

export async function up(db: Kysely<any>, { bytewiseText }: Dialect): Promise<void> {
  const text = bytewiseText
  const notNull = (column: any) => column.notNull()
  await db.schema
    .alterTable('user')
    .addColumn('role', 'text', (column) => column.notNull().defaultTo('user'))
    .execute()
  await db.schema.createIndex('user_staff').on('user').column('id').where(sql.ref('role'), '<>', sql.lit('user')).execute()

  await db.schema
    .createTable('credential')
    .addColumn('userId', 'bigint', (column) => column.primaryKey().references('user.id'))
    .addColumn('passwordHash', 'text', notNull)
    .addColumn('changedAt', text, notNull)
    .execute()

  await db.schema
    .createTable('session')
    .addColumn('id', text, (column) => column.primaryKey())
    .addColumn('userId', 'bigint', (column) => column.notNull().references('user.id'))
    .addColumn('device', 'text', notNull)
    .addColumn('address', 'text', notNull)
    .addColumn('createdAt', text, notNull)
    .addColumn('lastUsedAt', text, notNull)
    .execute()
  await db.schema.createIndex('session_user').on('session').column('userId').execute()
  await db.schema.createIndex('session_lastUsed').on('session').column('lastUsedAt').execute()

  await db.schema
    .createTable('refreshToken')
    .addColumn('hash', text, (column) => column.primaryKey())
    .addColumn('sessionId', text, (column) => column.notNull().references('session.id').onDelete('cascade')) // nothing counts them
    .addColumn('createdAt', text, notNull)
    .addColumn('expiresAt', text, notNull)
    .addColumn('spentAt', text)
    .addColumn('sealedSuccessor', 'text')
    .execute()
  await db.schema.createIndex('refreshToken_session').on('refreshToken').column('sessionId').execute()
  await db.schema.createIndex('refreshToken_expires').on('refreshToken').column('expiresAt').execute()
  await db.schema
    .createIndex('refreshToken_sealed')
    .on('refreshToken')
    .column('spentAt')
    .where(sql.ref('sealedSuccessor'), 'is not', null)
    .execute()

  await db.schema
    .createTable('setupToken')
    .addColumn('hash', text, (column) => column.primaryKey())
    .addColumn('expiresAt', text, notNull)
    .execute()
}

export async function down(db: Kysely<any>): Promise<void> {
  for (const table of ['setupToken', 'refreshToken', 'session', 'credential']) await db.schema.dropTable(table).execute()
  await db.schema.dropIndex('user_staff').execute()
  await db.schema.alterTable('user').dropColumn('role').execute()
}
