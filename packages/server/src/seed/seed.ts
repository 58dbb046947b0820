import { setTimeout as sleep } from 'node:timers/promises'
import { isPassword } from '../core/account.ts'
import { isoTime } from '../core/time.ts'
import { createPasswords } from '../features/auth/passwords.ts'
import type { Database } from '../ports/database.ts'
import type { Db, Tables, Tx } from '../schema.ts'
import { writeFollows, writePosts, writeTags, writeUsers } from './batches.ts'
import { createFollowPlan, followsMax } from './follow-plan.ts'
import { createPlan, yearMs, type SeedSize, type Vocabulary } from './plan.ts'
import { countUpTo, emailPattern, otherSeed, readSeededUsers, SeedError, startOf, type SeededUsers } from './position.ts'
import { selectNewestFollow, selectNewestPost, selectPasswordHash } from './store.ts'

export type { SeedSize, Vocabulary } from './plan.ts'
export { dangerOfAccounts, dangerOfSettings } from './danger.ts'
export { SeedError } from './position.ts'

export interface SeedOptions {
  /** 1 to `seedMax`. The same one makes the same rows. */
  seed: number
  size: SeedSize
  /** Of every account. */
  password: string
  /** @NOTE as much a part of what the seed is as its number: what goes on after a stop needs the same one. */
  words: Vocabulary
  /** The end of the year that the rows are spread over. When not given: that of the rows that are there, or else the last midnight (UTC). */
  untilMs?: number | undefined
  onProgress?: (progress: SeedProgress) => void
}

export interface SeedProgress {
  stage: 'users' | 'posts' | 'follows'
  /** Of `total`, with those that were there before. */
  done: number
  total: number
}

export interface SeedSummary {
  seed: number
  /** False when all of it was there. */
  changed: boolean
  from: string
  until: string
  /** Rows that were added, of all tables. */
  rows: number
  seconds: number
  rowsPerSecond: number
}

export const seedMax = 999_999
export const usersMax = 1_000_000
export const postsMax = 20_000_000

/** Rows of a stage in one transaction: about a thousand or two with what hangs on them, some 20 ms on SQLite. */
const batchRows = { users: 500, posts: 500, follows: 1_000 } as const

/** Between two transactions others have their turn for this part of the time that the last one took, and at least a moment. */
const pausePart = 0.25
const pauseMsMin = 2

/**
 * Fills a database, whose schema is up to date, with users, posts, follows and the notifications of those. Row for row the same
 * for the same options. Each batch is a transaction that leaves all counters right, so one that was stopped, however, goes on
 * where it was; one that is complete changes nothing. Writes no events: consumers and streams hear nothing of it.
 *
 * Throws `SeedError` for options that cannot be, or that are not those which the rows of this seed were made with.
 */
export async function seedDatabase(database: Database<Tables>, options: SeedOptions): Promise<SeedSummary> {
  assertOptions(options)
  const { seed, size, words, onProgress = () => {} } = options
  const { db, dialect } = database
  const beganMs = performance.now()
  const plan = createPlan(seed, size, words)
  let found = await readSeededUsers(db, seed)
  const startMs = startOf(found, { ...plan, users: size.users }) ?? (options.untilMs ?? lastMidnightMs()) - yearMs
  const untilMs = startMs + yearMs
  if (options.untilMs !== undefined && options.untilMs !== untilMs) throw otherSeed()
  let rows = 0

  async function stage(name: SeedProgress['stage'], { from, total, write }: Stage): Promise<void> {
    onProgress({ stage: name, done: from, total })
    for (let first = from; first < total; first += batchRows[name]) {
      const after = Math.min(first + batchRows[name], total)
      const batch = Array.from({ length: after - first }, (_, index) => first + index)
      const writingMs = performance.now()
      rows += await database.transaction((tx) => write(tx, batch))
      onProgress({ stage: name, done: after, total })
      await sleep(Math.max(pauseMsMin, pausePart * (performance.now() - writingMs)))
    }
  }

  const hasUsers = usersFrom(found, size) === size.users
  const passwordHash = hasUsers ? '' : await passwordHashFor(options.password, { db, found })
  await stage('users', {
    from: usersFrom(found, size),
    total: size.users,
    write: (tx, batch) =>
      writeUsers(
        tx,
        batch.map((index) => ({ ...plan.user(index), atMs: startMs + plan.userOffsetMs(index) })),
        { passwordHash },
      ),
  })
  if (!hasUsers) found = await readSeededUsers(db, seed)

  const people = { dialect, userIds: found.ids }
  const newest = { pattern: emailPattern(seed), until: isoTime(untilMs) }
  const offsetOf = (row: { createdAt: string } | undefined) => row && Date.parse(row.createdAt) - startMs
  const postsFrom = countUpTo(offsetOf(await selectNewestPost.first(db, newest)), { count: plan.posts, offsetMs: plan.postOffsetMs })
  let tagIds: Map<string, number>
  if (postsFrom < plan.posts) {
    const tags = await database.transaction((tx) => writeTags(tx, words.tags))
    rows += tags.rows
    tagIds = tags.tagIds
  }
  await stage('posts', {
    from: roundedUp('posts', postsFrom, plan.posts),
    total: plan.posts,
    write: (tx, batch) =>
      writePosts(
        tx,
        batch.map((index) => ({ ...plan.post(index), atMs: startMs + plan.postOffsetMs(index) })),
        { ...people, tagIds },
      ),
  })

  const { count, offsetMs, follow } = createFollowPlan(seed, size, plan)
  await stage('follows', {
    from: roundedUp('follows', countUpTo(offsetOf(await selectNewestFollow.first(db, newest)), { count, offsetMs }), count),
    total: count,
    write: (tx, batch) =>
      writeFollows(
        tx,
        batch.map((index) => ({ ...follow(index), atMs: startMs + offsetMs(index) })),
        { ...people, untilMs },
      ),
  })

  const seconds = (performance.now() - beganMs) / 1000
  return {
    seed,
    changed: rows > 0,
    from: isoTime(startMs),
    until: isoTime(untilMs),
    rows,
    seconds,
    rowsPerSecond: rows / seconds,
  }
}

interface Stage {
  from: number
  total: number
  write: (tx: Tx, batch: number[]) => Promise<number>
}

const usersFrom = ({ last }: SeededUsers, { users }: SeedSize) => roundedUp('users', last ? last.index + 1 : 0, users)

/** A batch that has left a row is there as a whole: what is missing of it, somebody has taken away since. */
function roundedUp(stage: keyof typeof batchRows, count: number, total: number): number {
  return Math.min(total, Math.ceil(count / batchRows[stage]) * batchRows[stage])
}

/** Made once. What goes on after a stop takes the hash of the accounts that are there, so the password must be theirs. */
async function passwordHashFor(password: string, { db, found }: { db: Db; found: SeededUsers }): Promise<string> {
  const passwords = createPasswords()
  const userId = found.last && found.ids[found.last.index]
  const known = userId === undefined ? undefined : await selectPasswordHash.first(db, { userId })
  if (!known) return passwords.hash(password)
  if ((await passwords.verify(known.passwordHash, password)) !== 'wrong') return known.passwordHash
  throw new SeedError('data', 'The accounts of this seed that are there have another password: give the same --password again.')
}

function lastMidnightMs(): number {
  return new Date().setUTCHours(0, 0, 0, 0)
}

function assertOptions({ seed, size: { users, postsPerUser, followsPerUser }, password, untilMs }: SeedOptions): void {
  const assertWithin = (name: string, value: number, [min, max]: [number, number]) => {
    if (!Number.isInteger(value) || value < min || value > max)
      throw new SeedError('options', `${name} must be a whole number from ${min} to ${max}.`)
  }
  assertWithin('--seed', seed, [1, seedMax])
  assertWithin('--users', users, [1, usersMax])
  assertWithin('--posts-per-user', postsPerUser, [0, Math.floor(postsMax / users)])
  assertWithin('--follows-per-user', followsPerUser, [0, Math.min(users - 1, Math.floor(followsMax / users))])
  if (!isPassword(password)) throw new SeedError('options', '--password must have 8 to 128 characters.')
  if (untilMs !== undefined && !(untilMs >= yearMs && untilMs <= Date.now()))
    throw new SeedError('options', '--until must be a time that has passed, from 1971 on.')
}
