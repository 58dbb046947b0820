import type { Kysely } from 'kysely'
import type { Dialect } from '../ports/database.ts'

export async function up(db: Kysely<any>, { addId, bytewiseText }: Dialect): Promise<void> {
  await addId(db.schema.createTable('audit'))
    .addColumn('actorId', 'bigint') // @NOTE no foreign key: the trail outlives the accounts that it speaks of
    .addColumn('actor', 'text', (column) => column.notNull())
    .addColumn('action', 'text', (column) => column.notNull())
    .addColumn('targetType', 'text', (column) => column.notNull())
    .addColumn('targetId', 'text', (column) => column.notNull())
    .addColumn('detail', 'text')
    .addColumn('address', 'text')
    .addColumn('createdAt', bytewiseText, (column) => column.notNull())
    .execute()
  await db.schema.createIndex('audit_target').on('audit').columns(['targetType', 'targetId', 'id']).execute()
}

export async function down(db: Kysely<any>): Promise<void> {
  await db.schema.dropTable('audit').execute()
}
