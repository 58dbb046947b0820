import { sql } from 'kysely'
import { expect, vi } from 'vitest'
import { consumeBatches } from '../src/outbox/consumers.ts'
import { readEvents } from '../src/outbox/read.ts'
import { sequenceEvents } from '../src/outbox/sequence.ts'
import type { Db } from '../src/schema.ts'
import type { World } from './matrix.ts'

/** Accounts without password or session, straight into the table: for what stands above signing in. Returns their ids. */
export async function addUsers<const Names extends readonly string[]>(
  { database }: Pick<World, 'database'>,
  names: Names,
): Promise<{ -readonly [Index in keyof Names]: number }> {
  const ids = await database.transaction(async (tx) => {
    const made: number[] = []
    for (const username of names) {
      const email = `${username}@example.com`
      const folded = { usernameFolded: username.toLowerCase(), emailFolded: email.toLowerCase(), fullNameFolded: null }
      const row = { username, email, ...folded, fullName: null, bio: null, avatarUrl: null, deletedAt: null }
      const { id } = await tx
        .insertInto('user')
        .values({ ...row, createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-01T00:00:00.000Z' })
        .returning('id')
        .executeTakeFirstOrThrow()
      made.push(id)
    }
    return made
  })
  return ids as { -readonly [Index in keyof Names]: number }
}

/** Every counter of follows and notifications of those who are not deleted is what counting the rows gives. */
export async function recountFollows({ database }: { database: { db: Db } }): Promise<void> {
  const users = await database.db
    .selectFrom('user')
    .where('deletedAt', 'is', null)
    .orderBy('id')
    .select([
      'id',
      'followerCount',
      'followeeCount',
      'notificationCount',
      'unreadCount',
      sql<number>`(select count(*) from follow where ${sql.ref('followeeId')} = ${sql.ref('user.id')})`.as('followers'),
      sql<number>`(select count(*) from follow where ${sql.ref('followerId')} = ${sql.ref('user.id')})`.as('followees'),
      sql<number>`(select count(*) from notification where ${sql.ref('userId')} = ${sql.ref('user.id')})`.as('notifications'),
      sql<number>`(select count(*) from notification where ${sql.ref('userId')} = ${sql.ref('user.id')} and ${sql.ref('readAt')} is null)`.as(
        'unread',
      ),
    ])
    .execute()
  const stored = users.map((user) => [user.id, user.followerCount, user.followeeCount, user.notificationCount, user.unreadCount])
  expect(stored).toEqual(users.map((user) => [user.id, user.followers, user.followees, user.notifications, user.unread]))
}

/** Hands every event that there ever was to the consumers, also those that they have had: as a bus may, at its worst. */
export async function deliverAll({ app, database, clock }: Pick<World, 'app' | 'database' | 'clock'>): Promise<void> {
  while ((await sequenceEvents(database)).length > 0);
  const onFailure = (error: unknown) => {
    throw error
  }
  let afterSeq = 0
  for (;;) {
    const events = await readEvents(database.db, { afterSeq, limit: 100 })
    if (events.length === 0) return
    for (const consumer of app.consumers) await consumeBatches({ database, clock, onFailure }, consumer)(events)
    afterSeq = events.at(-1)!.seq
  }
}

/** Runs `work` and fails if a transaction of it was ever in the way of another: a deadlock that a retry would hide. */
export async function expectNoRetry({ database }: Pick<World, 'database'>, work: () => Promise<void>): Promise<void> {
  const isRetryable = vi.spyOn(database.dialect, 'isRetryable')
  try {
    await work()
    expect(isRetryable.mock.results.filter(({ value }) => value === true)).toEqual([])
  } finally {
    isRetryable.mockRestore()
  }
}
