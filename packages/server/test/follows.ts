import { sql } from 'kysely'
import { expect } from 'vitest'
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
      sql<number>`(select count(*) from notification where ${sql.ref('userId')} = ${sql.ref('user.id')} and ${sql.ref('readAt')} is null)`.as('unread'),
    ])
    .execute()
  const stored = users.map((user) => [user.id, user.followerCount, user.followeeCount, user.notificationCount, user.unreadCount])
  expect(stored).toEqual(users.map((user) => [user.id, user.followers, user.followees, user.notifications, user.unread]))
}
