import { setImmediate as othersTurn } from 'node:timers/promises'
import { toPage, type Page } from '../../core/page.ts'
import { fold, isStorableText } from '../../core/text.ts'
import { isoTime } from '../../core/time.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import type { Suspension } from '../auth/auth.ts'
import type { ListedUser, UserDetail, UserKind } from './admin.ts'
import { createFew, createIndexedSearch, createScan, selectLastUserId, selectUserDetail, selectUsers, selectUsersByIds } from './store.ts'

export interface UserQuery {
  /** A part of a username, a full name or an address, in any case; or an id. Nothing for all. */
  query: string
  kind: UserKind
  /** The id that the page before ended with. */
  cursor?: number | undefined
  limit: number
}

interface Deps {
  database: Database<Tables>
  clock: Clock
  suspensionOf(row: Suspendable, nowMs: number): Suspension | null
}

type Suspendable = Pick<Tables['user'], 'suspendedAt' | 'suspendedUntil' | 'suspendedReason'>
type Listed = Awaited<ReturnType<typeof selectUsers.all>>[number]

/** Reads accounts as staff sees them, the newest first. */
export function createUserLists({ database, clock, suspensionOf }: Deps) {
  const { db, dialect } = database
  const { textSearch } = dialect
  const indexed = createIndexedSearch(textSearch)
  const scan = createScan(textSearch)
  const few = {
    staff: { all: createFew(textSearch, 'staff'), matching: createFew(textSearch, 'staff', 'scan') },
    suspended: { all: createFew(textSearch, 'suspended'), matching: createFew(textSearch, 'suspended', 'scan') },
  }

  async function rowsOf(text: string, { kind, before, limit }: { kind: UserKind; before: number; limit: number }): Promise<Listed[]> {
    if (kind !== 'all') {
      const statement = text === '' ? few[kind].all : few[kind].matching
      return statement.all(db, { before, limit, now: isoTime(clock.nowMs()), pattern: textSearch.pattern('scan', text) })
    }
    if (text === '') return selectUsers.all(db, { before, limit })
    const mode = textSearch.mode(text)
    const ids = mode === 'indexed' ? await idsByIndex(text, { before, limit }) : await idsByScan(text, { before, limit })
    return (await selectUsersByIds.all(db, ids, {})).sort((a, b) => b.id - a.id)
  }

  async function idsByIndex(text: string, { before, limit }: { before: number; limit: number }): Promise<number[]> {
    // @NOTE what many contain is found among the next few ids at once; the index of SQLite would step over all that come before.
    const near = await idsNearby(text, { before, limit })
    if (near) return near
    const pattern = textSearch.pattern('indexed', text)
    return (await indexed.all(db, { before, limit, pattern })).map(({ id }) => id)
  }

  /** A page of the first range, where that has one; undefined where one statement may look at everything anyway. */
  async function idsNearby(text: string, { before, limit }: { before: number; limit: number }): Promise<number[] | undefined> {
    const step = textSearch.idsPerStatement('scan')
    const upTo = Math.min(before - 1, (await selectLastUserId.first(db, {}))?.id ?? 0)
    if (step >= upTo) return
    const found = await scan.all(db, { after: upTo - step, upTo, limit, pattern: textSearch.pattern('scan', text) })
    return found.length === limit ? found.map(({ id }) => id) : undefined
  }

  /** From the highest id downwards, a range at a time: what many contain is found in the first. */
  async function idsByScan(text: string, { before, limit }: { before: number; limit: number }): Promise<number[]> {
    const pattern = textSearch.pattern('scan', text)
    const step = textSearch.idsPerStatement('scan')
    const ids: number[] = []
    const last = (await selectLastUserId.first(db, {}))?.id ?? 0
    for (let upTo = Math.min(before - 1, last); upTo > 0 && ids.length < limit; upTo -= step) {
      const found = await scan.all(db, { after: Math.max(0, upTo - step), upTo, limit: limit - ids.length, pattern })
      ids.push(...found.map(({ id }) => id))
      await othersTurn()
    }
    return ids
  }

  function toListed({ suspendedAt, suspendedUntil, suspendedReason, ...user }: Listed): ListedUser {
    return { ...user, suspension: suspensionOf({ suspendedAt, suspendedUntil, suspendedReason }, clock.nowMs()) }
  }

  return {
    /** An id finds its account, too: before all others, on the first page. */
    async search({ query, kind, cursor, limit }: UserQuery): Promise<Page<ListedUser>> {
      if (!isStorableText(query)) return { items: [], nextCursor: null }
      const text = fold(query.trim())
      const id = /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined
      const rows = await rowsOf(text, { kind, before: cursor ?? Number.MAX_SAFE_INTEGER, limit: limit + 1 })
      const { items, nextCursor } = toPage(rows, limit)
      const others = items.filter((user) => user.id !== id)
      const [own] = id !== undefined && cursor === undefined && kind === 'all' ? await selectUsersByIds.all(db, [id], {}) : []
      return { items: [...(own ? [own] : []), ...others].map(toListed), nextCursor }
    },

    async byId(id: number): Promise<Omit<UserDetail, 'sessions'> | undefined> {
      const row = await selectUserDetail.first(db, { id })
      if (!row) return
      const { postCount, followerCount, followeeCount, notificationCount, unreadCount, removedPosts, bio, avatarUrl, updatedAt, ...user } =
        row
      const counters = {
        posts: postCount,
        removedPosts: removedPosts ?? 0,
        followers: followerCount,
        followees: followeeCount,
        notifications: notificationCount,
        unread: unreadCount,
      }
      return { ...toListed(user), bio, avatarUrl, updatedAt, counters }
    },
  }
}
