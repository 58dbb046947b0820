import type { Db } from '../schema.ts'
import { firstIndex } from './follow-plan.ts'
import { seedDomain, type Plan } from './plan.ts'
import { selectSeeded } from './store.ts'

// Where a seed stands is read from its rows: there is nothing else that a stop half-way could leave behind.

/** Why nothing was seeded. The message is one sentence. */
export class SeedError extends Error {
  override name = 'SeedError'
  /** `options` for what cannot be, `data` for what does not go with the rows that are there. */
  readonly reason: 'options' | 'data'

  constructor(reason: 'options' | 'data', message: string) {
    super(message)
    this.reason = reason
  }
}

export interface SeededUsers {
  /** By their number; undefined where there is no such account. */
  ids: (number | undefined)[]
  first: { index: number; atMs: number } | undefined
  last: { index: number; atMs: number } | undefined
}

/** Of the addresses of a seed, for `like`. */
export const emailPattern = (seed: number) => `u%@${seedDomain(seed)}`

export async function readSeededUsers(db: Db, seed: number): Promise<SeededUsers> {
  const found: SeededUsers = { ids: [], first: undefined, last: undefined }
  for (const { id, emailFolded, createdAt } of await selectSeeded.all(db, { pattern: emailPattern(seed) })) {
    const index = Number(/^u([1-9]\d{0,6})@/.exec(emailFolded!)?.[1]) - 1
    if (Number.isNaN(index)) continue
    const user = { index, atMs: Date.parse(createdAt) }
    found.ids[index] = id
    if (!found.first || index < found.first.index) found.first = user
    if (!found.last || index > found.last.index) found.last = user
  }
  return found
}

/** When the year began, by the users that are there; undefined when there are none. Throws `SeedError` when they are of another size. */
export function startOf({ first, last }: SeededUsers, { users, userOffsetMs }: { users: number } & Plan): number | undefined {
  if (!first || !last) return
  const startMs = first.atMs - userOffsetMs(first.index)
  if (last.index >= users || last.atMs !== startMs + userOffsetMs(last.index)) throw otherSeed()
  return startMs
}

/** How many rows come up to the newest that is there; 0 when none is. Throws `SeedError` for a time that no row of the seed has. */
export function countUpTo(
  newestMs: number | undefined,
  { count, offsetMs }: { count: number; offsetMs: (index: number) => number },
): number {
  if (newestMs === undefined) return 0
  const index = firstIndex(count, (at) => offsetMs(at) >= newestMs)
  if (index === count || offsetMs(index) !== newestMs) throw otherSeed()
  return index + 1
}

export function otherSeed(): SeedError {
  return new SeedError(
    'data',
    'The same seed is there with other sizes, or for another day: give the ones that it was begun with, or another --seed.',
  )
}
