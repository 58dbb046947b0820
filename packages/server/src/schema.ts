import type { Kysely, Transaction } from 'kysely'
import type { AuditTables } from './audit/tables.ts'
import type { AuthTables } from './features/auth/tables.ts'
import type { NotificationTables } from './features/notifications/tables.ts'
import type { PostTables } from './features/posts/tables.ts'
import type { RelationTables } from './features/relations/tables.ts'
import type { UserTables } from './features/users/tables.ts'
import type { OutboxTables } from './outbox/tables.ts'

/** Every table of the database. A feature writes only what it declares; when it reads it may join any of them. */
export type Tables = UserTables & AuthTables & PostTables & RelationTables & NotificationTables & OutboxTables & AuditTables

/** Accepts a transaction too: a read works in either. */
export type Db = Kysely<Tables>
/** A function that takes `Tx` writes; the compiler refuses it a plain `Db`. */
export type Tx = Transaction<Tables>
