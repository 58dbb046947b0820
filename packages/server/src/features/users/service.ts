import type { Actor, RecordAudit } from '../../audit/audit.ts'
import type { Authorise } from '../../audit/authority.ts'
import { accountErrors, isPlainEmail } from '../../core/account.ts'
import type { Page } from '../../core/page.ts'
import { codePointLength, fold, isStorableText } from '../../core/text.ts'
import { isoTime } from '../../core/time.ts'
import { viewerErrors, type Viewer } from '../../core/viewer.ts'
import type { Emit } from '../../outbox/outbox.ts'
import type { Cache } from '../../ports/cache.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { RateLimit, RateLimiter } from '../../ports/rate-limiter.ts'
import { createReadThrough } from '../../read-through.ts'
import type { Tables, Tx } from '../../schema.ts'
import { createPurge } from './purge.ts'
import { createSearch, type SearchStart } from './search.ts'
import { insertUser, markDeleted, selectTaken, selectUserByEmail, selectUserById, selectUserByUsername, updateUser } from './store.ts'
import {
  assertChanges,
  assertNewAccount,
  fieldNames,
  toUser,
  userErrors,
  type NewAccount,
  type User,
  type UserChanges,
  type UserField,
  type UserRow,
} from './users.ts'

const cacheTtlMs = 30 * 60_000
/** A name that was taken may be free again by the time one looks who has it. Then it is tried again, so often at most. */
const attemptsMax = 3
/** Longer than any name: nothing contains it. */
const searchCharsMax = 256
/** Clients make accounts for others by an ordinary token (REST-V1 0.7): a classroom of them, not a farm. */
const createLimit: RateLimit = { name: 'create_user', max: 60, windowMs: 3_600_000 }

export interface UsersDeps {
  database: Database<Tables>
  clock: Clock
  emit: Emit
  cache: Cache
  limiter: RateLimiter
  recordAudit: RecordAudit
  authorise: Authorise
  passwords: { hash(password: string): Promise<string> }
  /** The password and the sessions of an account are another feature's; they begin and end in the same transaction. */
  accounts: {
    open(tx: Tx, account: { userId: number; passwordHash: string }): Promise<void>
    close(tx: Tx, userId: number): Promise<void>
  }
  settings: { createByUsers: boolean }
  record?: { registration(): void; cache(name: string, outcome: 'hit' | 'miss', seconds: number): void }
}

type Step = (tx: Tx) => Promise<void>

export type Users = ReturnType<typeof createUsers>

/** Accounts as others see them. Rejects with `users.*`, `input.invalid`, `auth.forbidden`, `limit.exceeded`. */
export function createUsers(deps: UsersDeps) {
  const { database, clock, emit, cache, limiter, passwords, accounts, settings, record, recordAudit, authorise } = deps
  const read = createReadThrough(cache, (outcome, seconds) => record?.cache('users', outcome, seconds))
  const search = createSearch(database)
  const cacheKey = (id: number) => `user:${id}`
  const forget = (id: number) => cache.delete([cacheKey(id)])
  const rowById = (id: number) => read<UserRow>(cacheKey(id), { ttlMs: cacheTtlMs, load: () => selectUserById.first(database.db, { id }) })
  const rowByLogin = (login: string) =>
    isPlainEmail(login)
      ? selectUserByEmail.first(database.db, { folded: fold(login) })
      : selectUserByUsername.first(database.db, { folded: fold(login) })

  /** Throws when another account than `ownId` has one of the names; v1 looks at the username first. */
  async function assertFree(usernameFolded: string, emailFolded: string, ownId = 0): Promise<void> {
    const others = (await selectTaken.all(database.db, { usernameFolded, emailFolded })).filter(({ id }) => id !== ownId)
    if (others.some((other) => other.usernameFolded === usernameFolded)) throw userErrors.username_taken()
    if (others.length > 0) throw userErrors.email_taken()
  }

  /**
   * Makes the account, and whatever `also` does in the transaction that makes it. Rejects with `input.invalid`,
   * `users.invalid_email`, `users.username_taken`, `users.email_taken`, or with what `also` rejects with; then nothing is left of it.
   */
  async function createAccount<T>(input: NewAccount, also: (tx: Tx, user: UserRow) => Promise<T>): Promise<{ user: UserRow; result: T }> {
    assertNewAccount(input)
    const { username, email, fullName = null, bio = null, avatarUrl = null } = input
    const names = { usernameFolded: fold(username), emailFolded: fold(email) }
    await assertFree(names.usernameFolded, names.emailFolded) // before the hash, which is the expensive part
    const passwordHash = await passwords.hash(input.password)
    const now = isoTime(clock.nowMs())
    const row = {
      username,
      email,
      ...names,
      fullName,
      fullNameFolded: fullName && fold(fullName),
      bio,
      avatarUrl,
      createdAt: now,
      updatedAt: now,
    }
    for (let attempt = 1; ; attempt++) {
      const made = await database.transaction(async (tx) => {
        const user = await insertUser.first(tx, row)
        if (!user) return undefined
        await accounts.open(tx, { userId: user.id, passwordHash })
        const result = await also(tx, user)
        await emit(tx, { type: 'user_registered', key: user.id, payload: { user_id: user.id } })
        return { user, result }
      })
      if (made) {
        record?.registration()
        return made
      }
      await assertFree(names.usernameFolded, names.emailFolded)
      if (attempt === attemptsMax) throw userErrors.username_taken()
    }
  }

  async function changeUser(id: number, changes: UserChanges): Promise<UserRow> {
    const { username, email, fullName } = changes
    const now = isoTime(clock.nowMs())
    const given = (Object.keys(fieldNames) as (keyof UserChanges)[]).filter((name) => changes[name] !== undefined)
    const fields: UserField[] = given.map((name) => fieldNames[name])
    const columns = {
      ...Object.fromEntries(given.map((name) => [name, changes[name]])),
      ...(username !== undefined && { usernameFolded: fold(username) }),
      ...(email !== undefined && { emailFolded: fold(email) }),
      ...(fullName !== undefined && { fullNameFolded: fullName && fold(fullName) }),
      updatedAt: now,
    }
    for (let attempt = 1; ; attempt++) {
      try {
        const changed = await database.transaction(async (tx) => {
          const row = await updateUser(tx, id, columns)
          if (row) await emit(tx, { type: 'user_updated', key: id, payload: { user_id: id, fields } })
          return row
        })
        await forget(id)
        if (!changed) throw accountErrors.not_found()
        return changed
      } catch (error) {
        if (!database.dialect.isUniqueViolation(error)) throw error
        await assertFree(username === undefined ? '' : fold(username), email === undefined ? '' : fold(email), id)
        if (attempt === attemptsMax) throw error
      }
    }
  }

  async function removeUser(id: number, { before, also }: { before?: Step; also?: Step } = {}): Promise<void> {
    await database.transaction(async (tx) => {
      await before?.(tx)
      await accounts.close(tx, id)
      if ((await markDeleted.run(tx, { id, now: isoTime(clock.nowMs()) })) === 0) throw accountErrors.not_found()
      await also?.(tx)
      await emit(tx, { type: 'user_deleted', key: id, payload: { user_id: id } })
    })
    await forget(id)
  }

  function assertOwn(viewer: Viewer, id: number): void {
    if (viewer.id !== id) throw viewerErrors.forbidden()
  }

  async function found(row: Promise<UserRow | undefined>, viewer: Viewer | null): Promise<User> {
    const user = await row
    if (!user) throw accountErrors.not_found()
    return toUser(user, viewer)
  }

  return {
    createAccount,

    /** Makes an account for somebody else. `users.creation_disabled` where the configuration says so, but for admins. */
    async create(viewer: Viewer, input: NewAccount): Promise<User> {
      assertNewAccount(input)
      if (!settings.createByUsers && viewer.role !== 'admin') throw userErrors.creation_disabled()
      await limiter.consume(createLimit, `user ${viewer.id}`)
      const { user } = await createAccount(input, async () => {})
      return toUser(user, viewer)
    },

    byId: (id: number, viewer: Viewer | null) => found(rowById(id), viewer),
    /** For other features: the row through the cache, or nothing. */
    find: rowById,
    async byUsername(username: string, viewer: Viewer | null): Promise<User> {
      if (!isStorableText(username)) throw accountErrors.not_found()
      return found(selectUserByUsername.first(database.db, { folded: fold(username) }), viewer)
    },

    /** Finds oneself, and anyone for an admin: addresses are not for asking who has them. */
    async byEmail(email: string, viewer: Viewer | null): Promise<User> {
      const folded = fold(email)
      if (viewer?.role === 'admin') return found(selectUserByEmail.first(database.db, { folded }), viewer)
      const own = viewer ? await rowById(viewer.id) : undefined
      if (!own || fold(own.email) !== folded) throw accountErrors.not_found()
      return toUser(own, viewer)
    },

    /** By a part of the username or full name, in any case, ascending by id; `total` is exact. `users.invalid_search` for nothing. */
    async search(
      text: string,
      { viewer, ...page }: { start: SearchStart; limit: number; viewer: Viewer | null },
    ): Promise<Page<User> & { total: number }> {
      if (text === '' || !isStorableText(text)) throw userErrors.invalid_search()
      if (codePointLength(text) > searchCharsMax) return { items: [], total: 0, nextCursor: null }
      const { items, total, nextCursor } = await search(text, page)
      return { items: items.map((row) => toUser(row, viewer)), total, nextCursor }
    },

    /** Writes what is given and leaves the rest alone, whoever changes it meanwhile. `updatedAt` moves in any case. */
    async update(viewer: Viewer, id: number, changes: UserChanges): Promise<User> {
      assertChanges(changes)
      assertOwn(viewer, id)
      return toUser(await changeUser(id, changes), viewer)
    },

    /** The account is gone at once, with all that is personal, and its names are free; the rest follows in batches. */
    async remove(viewer: Viewer, id: number): Promise<void> {
      assertOwn(viewer, id)
      await removeUser(id)
    },

    /** For admins and the host: the whole row, by username or e-mail address. */
    byLogin: rowByLogin,

    async createAs(actor: Actor, input: NewAccount): Promise<UserRow> {
      const { user } = await createAccount(input, (tx, { id }) =>
        recordAudit(tx, { actor, action: 'user.create', target: { type: 'user', id } }),
      )
      return user
    },

    /** By id, or by what one signs in with. */
    async removeAs(actor: Actor, target: number | string): Promise<{ userId: number }> {
      const user = await (typeof target === 'number' ? selectUserById.first(database.db, { id: target }) : rowByLogin(target))
      if (!user) throw accountErrors.not_found()
      await removeUser(user.id, {
        before: (tx) => authorise(tx, actor, 'admin'),
        also: (tx) => recordAudit(tx, { actor, action: 'user.delete', target: { type: 'user', id: user.id } }),
      })
      return { userId: user.id }
    },

    /** Drops what this process has cached of a user, for whoever hears that another process has changed it. */
    forget,

    purgeDeletedUsers: createPurge(database),
  }
}
