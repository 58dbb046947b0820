import { sql } from 'kysely'
import type { Role } from '../../core/viewer.ts'
import { query } from '../../query.ts'
import type { Db, Tx } from '../../schema.ts'
import type { Session } from './auth.ts'

const suspension = ['user.suspendedAt', 'user.suspendedUntil', 'user.suspendedReason'] as const

// Accounts. Whoever changes several rows of one account locks its credential first, then sessions, then tokens: in one order, none waits for another in a circle.

/** What signing in looks at. */
export interface Account {
  id: number
  username: string
  role: Role
  suspendedAt: string | null
  suspendedUntil: string | null
  suspendedReason: string | null
  passwordHash: string
}

export const selectAccountByUsername = query<{ folded: string }>()((db: Db, { folded }) =>
  accounts(db).where('user.usernameFolded', '=', folded),
)
export const selectAccountByEmail = query<{ folded: string }>()((db: Db, { folded }) => accounts(db).where('user.emailFolded', '=', folded))
export const selectAccountById = query<{ userId: number }>()((db: Db, { userId }) => accounts(db).where('user.id', '=', userId))

function accounts(db: Db) {
  return db
    .selectFrom('user')
    .innerJoin('credential', 'credential.userId', 'user.id')
    .where('user.deletedAt', 'is', null)
    .select(['user.id', 'user.username', 'user.role', ...suspension, 'credential.passwordHash'])
}

type Credential = { userId: number; passwordHash: string; changedAt: string }

export const insertCredential = query<Credential>()((tx: Tx, { userId, passwordHash, changedAt }) =>
  tx.insertInto('credential').values({ userId, passwordHash, changedAt }),
)

export const deleteCredential = query<{ userId: number }>()((tx: Tx, { userId }) =>
  tx.deleteFrom('credential').where('userId', '=', userId),
)

/**
 * Locks the account, if its password is still the one that was checked, and says how many sessions it has. Its hash
 * becomes `newHash`, which may be the same. Nothing is returned when the password has changed since, or the account is gone.
 */
export const lockCredential = query<{ userId: number; checkedHash: string; newHash: string }>()(
  (tx: Tx, { userId, checkedHash, newHash }) =>
    tx
      .updateTable('credential')
      .set({ passwordHash: newHash })
      .where('userId', '=', userId)
      .where('passwordHash', '=', checkedHash)
      .returning((eb) =>
        eb
          .selectFrom('session')
          .whereRef('session.userId', '=', 'credential.userId')
          .select(eb.fn.countAll<number>().as('count'))
          .as('sessionCount'),
      ),
)

/** As `lockCredential`, for a new password. */
export const changeCredential = query<Credential & { checkedHash: string }>()((tx: Tx, { userId, passwordHash, changedAt, checkedHash }) =>
  tx.updateTable('credential').set({ passwordHash, changedAt }).where('userId', '=', userId).where('passwordHash', '=', checkedHash),
)

/** Whatever the password was. Locks the account; returns 0 when it is gone. */
export const setCredential = query<Credential>()((tx: Tx, { userId, passwordHash, changedAt }) =>
  tx.updateTable('credential').set({ passwordHash, changedAt }).where('userId', '=', userId),
)

/** Locks the account, whatever its password. Returns 0 when it is gone. */
export const lockAccount = query<{ userId: number }>()((tx: Tx, { userId }) =>
  tx
    .updateTable('credential')
    .set((eb) => ({ changedAt: eb.ref('changedAt') }))
    .where('userId', '=', userId),
)

// Suspension. Who changes it locks the account first.

export const selectSuspension = query<{ userId: number }>()((db: Db, { userId }) =>
  db.selectFrom('user').where('id', '=', userId).where('deletedAt', 'is', null).select(suspension),
)

export const setSuspension = query<{ userId: number; at: string; until: string | null; reason: string }>()(
  (tx: Tx, { userId, at, until, reason }) =>
    tx.updateTable('user').where('id', '=', userId).set({ suspendedAt: at, suspendedUntil: until, suspendedReason: reason }),
)

export const clearSuspension = query<{ userId: number }>()((tx: Tx, { userId }) =>
  tx
    .updateTable('user')
    .where('id', '=', userId)
    .where('suspendedAt', 'is not', null)
    .set({ suspendedAt: null, suspendedUntil: null, suspendedReason: null }),
)

// Roles.

export const updateRole = query<{ userId: number; role: string }>()((tx: Tx, { userId, role }) =>
  tx
    .updateTable('user')
    .set({ role: role as Role })
    .where('id', '=', userId)
    .where('role', '<>', role as Role)
    .where('deletedAt', 'is', null),
)

/** @NOTE the word itself and not a parameter: only so is the index found that holds these few. */
const staff = (db: Db) => db.selectFrom('user').where('role', '<>', sql.lit<Role>('user')).where('deletedAt', 'is', null)

/** Everyone with more than the rights of a user, by id. */
export const selectStaff = query<{ limit: number }>()((db: Db, { limit }) =>
  staff(db).orderBy('id').limit(limit).select(['id', 'username', 'role']),
)

export const selectAnyAdmin = query<Record<never, never>>()((db: Db) => staff(db).where('role', '=', 'admin').limit(1).select('id'))

export const insertSetupToken = query<{ hash: string; expiresAt: string }>()((tx: Tx, { hash, expiresAt }) =>
  tx.insertInto('setupToken').values({ hash, expiresAt }),
)

export const selectSetupToken = query<{ hash: string; now: string }>()((db: Db, { hash, now }) =>
  db.selectFrom('setupToken').where('hash', '=', hash).where('expiresAt', '>', now).select('hash'),
)

export const deleteSetupTokens = query<Record<never, never>>()((tx: Tx) => tx.deleteFrom('setupToken'))

/** Those that have expired, and all but the `keep` newest. */
export const deleteOldSetupTokens = query<{ now: string; keep: number }>()((tx: Tx, { now, keep }) =>
  tx
    .deleteFrom('setupToken')
    .where((eb) =>
      eb.or([
        eb('expiresAt', '<=', now),
        eb('hash', 'not in', eb.selectFrom('setupToken').orderBy('expiresAt', 'desc').orderBy('hash').limit(keep).select('hash')),
      ]),
    ),
)

export const deleteExpiredSetupTokens = query<{ now: string }>()((tx: Tx, { now }) =>
  tx.deleteFrom('setupToken').where('expiresAt', '<=', now),
)

// Sessions.

export const insertSession = query<SessionRow>()((tx: Tx, { id, userId, device, address, createdAt, lastUsedAt }) =>
  tx.insertInto('session').values({ id, userId, device, address, createdAt, lastUsedAt }),
)

type SessionRow = { [Key in keyof Session]: string } & { userId: number }

/** Whose session it is, and what they may do. Nothing when it has ended, or its user is deleted. */
export const selectSessionViewer = query<{ sessionId: string; userId: number }>()((db: Db, { sessionId, userId }) =>
  db
    .selectFrom('session')
    .innerJoin('user', 'user.id', 'session.userId')
    .where('session.id', '=', sessionId)
    .where('session.userId', '=', userId)
    .where('user.deletedAt', 'is', null)
    .select(['user.role', ...suspension]),
)

/** Those that were used since `usedAfter`, the last used first. */
export const selectSessions = query<{ userId: number; usedAfter: string; limit: number }>()((db: Db, { userId, usedAfter, limit }) =>
  db
    .selectFrom('session')
    .where('userId', '=', userId)
    .where('lastUsedAt', '>', usedAfter)
    .orderBy('lastUsedAt', 'desc')
    .orderBy('id')
    .limit(limit)
    .select(['id', 'device', 'address', 'createdAt', 'lastUsedAt']),
)

/** All but one and the `keep` others that were used last, as far as `limit` goes. */
export const selectExcessSessions = query<{ userId: number; keptId: string; keep: number; limit: number }>()(
  (db: Db, { userId, keptId, keep, limit }) =>
    db
      .selectFrom('session')
      .where('userId', '=', userId)
      .where('id', '<>', keptId)
      .orderBy('lastUsedAt', 'desc')
      .orderBy('id')
      .limit(limit)
      .offset(keep)
      .select('id'),
)

/** Returns 0 when it has ended. */
export const touchSession = query<{ sessionId: string; lastUsedAt: string }>()((tx: Tx, { sessionId, lastUsedAt }) =>
  tx.updateTable('session').set({ lastUsedAt }).where('id', '=', sessionId),
)

export const deleteSession = query<{ sessionId: string }>()((tx: Tx, { sessionId }) =>
  tx.deleteFrom('session').where('id', '=', sessionId).returning(['id', 'userId']),
)

export const deleteSessionOf = query<{ sessionId: string; userId: number }>()((tx: Tx, { sessionId, userId }) =>
  tx.deleteFrom('session').where('id', '=', sessionId).where('userId', '=', userId).returning(['id', 'userId']),
)

/** All but one; with an id that is none, all. */
export const deleteOtherSessions = query<{ userId: number; keptId: string }>()((tx: Tx, { userId, keptId }) =>
  tx.deleteFrom('session').where('userId', '=', userId).where('id', '<>', keptId).returning(['id', 'userId']),
)

/** Erases what is personal in them. They end with the account anyway: nobody signs in to one that is deleted. */
export const eraseSessions = query<{ userId: number }>()((tx: Tx, { userId }) =>
  tx.updateTable('session').set({ device: '', address: '' }).where('userId', '=', userId).returning('id'),
)

// Refresh tokens.

export const insertRefreshToken = query<{ hash: string; sessionId: string; createdAt: string; expiresAt: string }>()(
  (tx: Tx, { hash, sessionId, createdAt, expiresAt }) => tx.insertInto('refreshToken').values({ hash, sessionId, createdAt, expiresAt }),
)

export const selectRefreshToken = query<{ hash: string }>()((db: Db, { hash }) =>
  db
    .selectFrom('refreshToken')
    .innerJoin('session', 'session.id', 'refreshToken.sessionId')
    .innerJoin('user', 'user.id', 'session.userId')
    .where('refreshToken.hash', '=', hash)
    .select([
      'refreshToken.sessionId',
      'refreshToken.createdAt',
      'refreshToken.expiresAt',
      'refreshToken.spentAt',
      'refreshToken.sealedSuccessor',
      'session.userId',
      'user.deletedAt as userDeletedAt',
      ...suspension,
    ]),
)

/** Returns 0 when another one was faster. */
export const spendRefreshToken = query<{ hash: string; spentAt: string; sealedSuccessor: string }>()(
  (tx: Tx, { hash, spentAt, sealedSuccessor }) =>
    tx.updateTable('refreshToken').set({ spentAt, sealedSuccessor }).where('hash', '=', hash).where('spentAt', 'is', null),
)

export const deleteTokensOfSession = query<{ sessionId: string }>()((tx: Tx, { sessionId }) =>
  tx.deleteFrom('refreshToken').where('sessionId', '=', sessionId),
)

// What nobody needs any more, in batches.

export const deleteTokensExpiredBefore = query<{ time: string; limit: number }>()((tx: Tx, { time, limit }) =>
  tx
    .deleteFrom('refreshToken')
    .where('hash', 'in', (eb) =>
      eb.selectFrom('refreshToken').where('expiresAt', '<', time).orderBy('expiresAt').limit(limit).select('hash'),
    ),
)

export const clearSealsSpentBefore = query<{ time: string; limit: number }>()((tx: Tx, { time, limit }) =>
  tx
    .updateTable('refreshToken')
    .set({ sealedSuccessor: null })
    .where('hash', 'in', (eb) =>
      eb
        .selectFrom('refreshToken')
        .where('sealedSuccessor', 'is not', null)
        .where('spentAt', '<', time)
        .orderBy('spentAt')
        .limit(limit)
        .select('hash'),
    ),
)

/** @NOTE only sessions without tokens: those of one session can be thousands, and go in batches of their own. */
export const deleteSessionsUnusedSince = query<{ time: string; limit: number }>()((tx: Tx, { time, limit }) =>
  tx.deleteFrom('session').where('id', 'in', (eb) =>
    eb
      .selectFrom('session')
      .where('lastUsedAt', '<', time)
      .where((inner) =>
        inner.not(inner.exists(inner.selectFrom('refreshToken').whereRef('refreshToken.sessionId', '=', 'session.id').select('hash'))),
      )
      .orderBy('lastUsedAt')
      .limit(limit)
      .select('session.id'),
  ),
)

export const deleteTokensOfUser = query<{ userId: number; limit: number }>()((tx: Tx, { userId, limit }) =>
  tx
    .deleteFrom('refreshToken')
    .where('hash', 'in', (eb) =>
      eb
        .selectFrom('refreshToken')
        .innerJoin('session', 'session.id', 'refreshToken.sessionId')
        .where('session.userId', '=', userId)
        .limit(limit)
        .select('refreshToken.hash'),
    ),
)

export const deleteSessionsOfUser = query<{ userId: number; limit: number }>()((tx: Tx, { userId, limit }) =>
  tx.deleteFrom('session').where('id', 'in', (eb) => eb.selectFrom('session').where('userId', '=', userId).limit(limit).select('id')),
)
