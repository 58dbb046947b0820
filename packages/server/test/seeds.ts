import { sql } from 'kysely'
import { expect } from 'vitest'
import type { SeedOptions, Vocabulary } from '../src/seed/seed.ts'
import type { Db } from '../src/schema.ts'

const many = (count: number, make: (index: number) => string) => Array.from({ length: count }, (_, index) => make(index))

export const words: Vocabulary = {
  firstNames: ['Ada', 'Bo', 'Chloë', 'Dmitri'],
  lastNames: ["O'Hara", 'Nuñez', 'Łukaszewska-Brzęczyszczykiewicz'],
  bios: many(20, (index) => `Bio ${index}`),
  avatarUrls: many(20, (index) => `https://example.com/avatar/${index}.jpg`),
  titles: many(50, (index) => `Title ${index}`),
  sentences: many(50, (index) => `This is sentence number ${index}.`),
  tags: many(200, (index) => `tag-${index}`),
  media: many(50, (index) => `https://example.com/media/${index}.jpg`).map((url) => ({ url, type: 'image' })),
}

export const password = 'pinstack'

/** Small, with several batches in each stage. */
export const smallSeed = (changes: Partial<SeedOptions> = {}): SeedOptions => ({
  seed: 1,
  size: { users: 600, postsPerUser: 2, followsPerUser: 4 },
  password,
  words,
  untilMs: Date.UTC(2026, 0, 1),
  ...changes,
})

const seeded = ['user', 'post', 'postMedia', 'tag', 'postTag', 'postTotal', 'follow', 'notification'] as const

/** Every row that a seed writes; of the passwords, whose they are. */
export async function dumpSeed(db: Db): Promise<Record<string, unknown[]>> {
  const credentials = await db.selectFrom('credential').orderBy('userId').select(['userId', 'changedAt']).execute()
  const dump: Record<string, unknown[]> = { credentials }
  for (const table of seeded) {
    const rows = await db.selectFrom(table).selectAll().execute()
    dump[table] = rows.map((row) => JSON.stringify(row)).toSorted()
  }
  return dump
}

const counters = {
  postCount: 'select count(*) from post where "authorId" = "user".id',
  followerCount: 'select count(*) from follow where "followeeId" = "user".id',
  followeeCount: 'select count(*) from follow where "followerId" = "user".id',
  notificationCount: 'select count(*) from notification where "userId" = "user".id',
  unreadCount: 'select count(*) from notification where "userId" = "user".id and "readAt" is null',
} as const

/** Every counter of those who are not deleted says what counting the rows gives. */
export async function expectCountersRight(db: Db): Promise<void> {
  for (const [name, count] of Object.entries(counters)) {
    const wrong = await db
      .selectFrom('user')
      .where('deletedAt', 'is', null)
      .where(sql<boolean>`${sql.ref(name)} <> (${sql.raw(count)})`)
      .select('id')
      .execute()
    expect([name, wrong]).toEqual([name, []])
  }
  const { total } = await db.selectFrom('postTotal').select(sql<number>`cast(sum("count") as bigint)`.as('total')).executeTakeFirstOrThrow()
  expect(total).toBe(await countRows(db, 'post'))
}

export async function countRows(db: Db, table: (typeof seeded)[number]): Promise<number> {
  const { count } = await db
    .selectFrom(table)
    .select(({ fn }) => fn.countAll<number>().as('count'))
    .executeTakeFirstOrThrow()
  return count
}
