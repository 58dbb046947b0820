import { query } from '../../query.ts'
import type { Db, Tx } from '../../schema.ts'
import type { PostTables } from './tables.ts'

// Posts that staff has taken out of sight.

export const insertRemoved = query<PostTables['removedPost']>()((tx: Tx, row) =>
  tx.insertInto('removedPost').values({
    id: row.id,
    authorId: row.authorId,
    title: row.title,
    content: row.content,
    createdAt: row.createdAt,
    updatedAt: row.updatedAt,
    media: row.media,
    tags: row.tags,
    removedAt: row.removedAt,
    removedBy: row.removedBy,
    reason: row.reason,
  }),
)

export const selectRemoved = query<{ id: number }>()((db: Db, { id }) => db.selectFrom('removedPost').where('id', '=', id).select('id'))

/** Returns what was there. */
export const deleteRemoved = query<{ id: number }>()((tx: Tx, { id }) => tx.deleteFrom('removedPost').where('id', '=', id).returningAll())

/** Of a deleted user, for the purge. */
export const deleteRemovedOf = query<{ authorId: number; limit: number }>()((tx: Tx, { authorId, limit }) =>
  tx
    .deleteFrom('removedPost')
    .where('id', 'in', (eb) => eb.selectFrom('removedPost').where('authorId', '=', authorId).limit(limit).select('id')),
)
