import { setImmediate as othersTurn } from 'node:timers/promises'
import { toPage, type Page } from '../../core/page.ts'
import { fold } from '../../core/text.ts'
import type { Database, TextSearchMode } from '../../ports/database.ts'
import type { Tables } from '../../schema.ts'
import { createUserSearch, selectLastId } from './store.ts'
import type { UserRow } from './users.ts'

/** Where the page begins: after so many matches, or after an id. */
export type SearchStart = { offset: number } | { cursor: number }

export interface FoundUsers extends Page<UserRow> {
  /** All that match, not only those of the page. */
  total: number
}

/** Finds users by a part of their username or full name, by ascending id. */
export function createSearch(database: Database<Tables>) {
  const { dialect, replica: db } = database
  const statements = {
    indexed: createUserSearch(dialect.textSearch, 'indexed'),
    scan: createUserSearch(dialect.textSearch, 'scan'),
  } satisfies Record<TextSearchMode, unknown>

  async function searchIndexed(pattern: string, { offset, after, limit }: Place): Promise<FoundUsers> {
    const everything = { after: 0, upTo: Number.MAX_SAFE_INTEGER, pattern }
    const rows = await statements.indexed.page.all(db, { ...everything, after, offset, limit: limit + 1 })
    // A page that is not full shows where the matches end, and so how many they are.
    const ends = after === 0 && rows.length <= limit && (rows.length > 0 || offset === 0)
    const total = ends ? offset + rows.length : await countIndexed(pattern)
    return toFound(rows, limit, total)
  }

  async function countIndexed(pattern: string): Promise<number> {
    let total = 0
    for await (const window of windows('indexed')) total += (await statements.indexed.count.first(db, { ...window, pattern }))!.count
    return total
  }

  /** All ids, in ranges that one statement may look at; others have their turn in between. */
  async function* windows(mode: TextSearchMode): AsyncGenerator<{ after: number; upTo: number }> {
    const lastId = (await selectLastId.first(db, {}))?.id ?? 0
    const step = dialect.textSearch.idsPerStatement(mode)
    for (let after = 0; after < lastId; after += step) {
      if (after > 0) await othersTurn()
      yield { after, upTo: after + step }
    }
  }

  /** Text too short for the index: looks at every row, a range at a time. */
  async function searchByScan(pattern: string, { offset, after, limit }: Place): Promise<FoundUsers> {
    const rows: UserRow[] = []
    let total = 0
    let skipped = 0
    for await (const range of windows('scan')) {
      const window = { ...range, pattern }
      const { count } = (await statements.scan.count.first(db, window))!
      total += count
      if (count === 0 || rows.length > limit || window.upTo <= after) continue
      const toSkip = Math.min(offset - skipped, count)
      skipped += toSkip
      if (toSkip < count)
        rows.push(
          ...(await statements.scan.page.all(db, {
            ...window,
            after: Math.max(window.after, after),
            offset: toSkip,
            limit: limit + 1 - rows.length,
          })),
        )
    }
    return toFound(rows, limit, total)
  }

  return async (text: string, { start, limit }: { start: SearchStart; limit: number }): Promise<FoundUsers> => {
    const folded = fold(text)
    const mode = dialect.textSearch.mode(folded)
    const pattern = dialect.textSearch.pattern(mode, folded)
    const place = { offset: 'offset' in start ? start.offset : 0, after: 'cursor' in start ? start.cursor : 0, limit }
    return mode === 'indexed' ? searchIndexed(pattern, place) : searchByScan(pattern, place)
  }
}

interface Place {
  offset: number
  after: number
  limit: number
}

function toFound(rows: UserRow[], limit: number, total: number): FoundUsers {
  return { ...toPage(rows, limit), total }
}
