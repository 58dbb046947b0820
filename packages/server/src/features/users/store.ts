import { sql } from 'kysely'
import type { TextSearch, TextSearchMode } from '../../ports/database.ts'
import { query } from '../../query.ts'
import type { Db, Tx } from '../../schema.ts'
import type { UserTables } from './tables.ts'

const columns = ['id', 'username', 'email', 'fullName', 'bio', 'avatarUrl', 'createdAt', 'updatedAt'] as const
/** As migration 0001 made it. */
const searchIndex = { name: 'userSearch', table: 'user', columns: ['usernameFolded', 'fullNameFolded'] }

// A deleted user is a row that nobody finds: every query here says so, but those of the purge.
const users = (db: Db) => db.selectFrom('user').where('deletedAt', 'is', null)

export const selectUserById = query<{ id: number }>()((db: Db, { id }) => users(db).where('id', '=', id).select(columns))
export const selectUserByUsername = query<{ folded: string }>()((db: Db, { folded }) =>
  users(db).where('usernameFolded', '=', folded).select(columns),
)
export const selectUserByEmail = query<{ folded: string }>()((db: Db, { folded }) =>
  users(db).where('emailFolded', '=', folded).select(columns),
)

/** Who has the one name or the other. At most two. */
export const selectTaken = query<{ usernameFolded: string; emailFolded: string }>()((db: Db, { usernameFolded, emailFolded }) =>
  db
    .selectFrom('user')
    .where((eb) => eb.or([eb('usernameFolded', '=', usernameFolded), eb('emailFolded', '=', emailFolded)]))
    .limit(2)
    .select(['id', 'usernameFolded', 'emailFolded']),
)

type Columns = UserTables['user']
type NewUser = Omit<Columns, 'id' | 'deletedAt' | 'usernameFolded' | 'emailFolded'> & { usernameFolded: string; emailFolded: string }

/** Returns nothing when the username or the address is taken. */
export const insertUser = query<NewUser>()((tx: Tx, user) =>
  tx
    .insertInto('user')
    .values({
      username: user.username,
      usernameFolded: user.usernameFolded,
      email: user.email,
      emailFolded: user.emailFolded,
      fullName: user.fullName,
      fullNameFolded: user.fullNameFolded,
      bio: user.bio,
      avatarUrl: user.avatarUrl,
      createdAt: user.createdAt,
      updatedAt: user.updatedAt,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning(columns),
)

/** Writes the given columns and no others, so that what someone else changes meanwhile stays. Built each time: which they are differs. */
export function updateUser(tx: Tx, id: number, changes: Partial<Omit<Columns, 'id' | 'deletedAt'>>) {
  return tx.updateTable('user').set(changes).where('id', '=', id).where('deletedAt', 'is', null).returning(columns).executeTakeFirst()
}

/** Erases all that is personal; the row stays until nothing hangs on it any more. Returns 0 when there is no such user. */
export const markDeleted = query<{ id: number; now: string }>()((tx: Tx, { id, now }) =>
  tx.updateTable('user').where('id', '=', id).where('deletedAt', 'is', null).set({
    deletedAt: now,
    updatedAt: now,
    username: '',
    usernameFolded: null,
    email: '',
    emailFolded: null,
    fullName: null,
    fullNameFolded: null,
    bio: null,
    avatarUrl: null,
  }),
)

// Search. Which statement it is depends on the engine and on the length of what is looked for.

type Window = { after: number; upTo: number; pattern: string }

/** Users whose username or full name contains the text that `pattern` was made of, with ids in a range. Who is deleted has no names. */
export function createUserSearch(textSearch: TextSearch, mode: TextSearchMode) {
  return {
    /** By ascending id. */
    page: query<Window & { offset: number; limit: number }>()((db: Db, { offset, limit, after, upTo, pattern }) => {
      const ids = textSearch.matchingIds(mode, searchIndex, { after, upTo, pattern })
      const page = sql<{ id: number }>`(${ids} order by id limit ${limit} offset ${offset})`.as<'page'>('page')
      return users(db)
        .innerJoin(page, 'page.id', 'user.id')
        .orderBy('user.id')
        .select(columns.map((column) => `user.${column}` as const))
    }),
    count: query<Window>()((db: Db, { after, upTo, pattern }) => {
      const ids = textSearch.matchingIds(mode, searchIndex, { after, upTo, pattern })
      return db.selectFrom(sql<{ id: number }>`(${ids})`.as('matching')).select((eb) => eb.fn.countAll<number>().as('count'))
    }),
  }
}

export const selectLastId = query<Record<never, never>>()((db: Db) => db.selectFrom('user').select((eb) => eb.fn.max('id').as('id')))

// Purge.

export const selectDeletedUser = query<{ afterId: number }>()((db: Db, { afterId }) =>
  db.selectFrom('user').where('deletedAt', 'is not', null).where('id', '>', afterId).orderBy('id').limit(1).select('id'),
)

export const deleteUserRow = query<{ id: number }>()((tx: Tx, { id }) =>
  tx.deleteFrom('user').where('id', '=', id).where('deletedAt', 'is not', null),
)
