import { sql } from 'kysely'
import type { Db } from '../schema.ts'
import { good, wrong, type Finding } from './finding.ts'

/** Users that are counted in one statement, so that what is written meanwhile is in both sides or in none. */
const chunkUsers = 200
const chunksMax = 10
const examplesMax = 5

const counters = [
  { counter: 'followerCount', table: 'follow', owner: 'followeeId', where: sql`true` },
  { counter: 'followeeCount', table: 'follow', owner: 'followerId', where: sql`true` },
  { counter: 'postCount', table: 'post', owner: 'authorId', where: sql`true` },
  { counter: 'notificationCount', table: 'notification', owner: 'userId', where: sql`true` },
  { counter: 'unreadCount', table: 'notification', owner: 'userId', where: sql`${sql.ref('readAt')} is null` },
] as const

/** Counts the rows of the newest users, of which each has counters, and compares. */
export async function diagnoseCounters(db: Db): Promise<Finding> {
  const offenders: string[] = []
  let looked = 0
  let beforeId = Number.MAX_SAFE_INTEGER
  for (let chunk = 0; chunk < chunksMax; chunk++) {
    const rows = await countChunk(db, beforeId)
    for (const row of rows) {
      for (const { counter } of counters) {
        if (Number(row[counter]) !== Number(row[`${counter}Found`]))
          offenders.push(`user ${row['id']} has ${counter} ${row[counter]} for ${row[`${counter}Found`]}`)
      }
    }
    looked += rows.length
    if (rows.length < chunkUsers) break
    beforeId = Number(rows.at(-1)!['id'])
  }
  if (offenders.length === 0) return good('counters', `Those of ${looked} users are what their rows say.`)
  const shown = offenders.slice(0, examplesMax).join('; ')
  return wrong(
    'counters',
    `${offenders.length} are off: ${shown}.`,
    'Something has written past Pinstack, or there is a defect: please report it with this line.',
  )
}

async function countChunk(db: Db, beforeId: number): Promise<Record<string, unknown>[]> {
  const stored = sql.join(counters.map(({ counter }) => sql.ref(counter)))
  const found = sql.join(
    counters.map(
      ({ counter, table, owner, where }) =>
        sql`(select count(*) from ${sql.table(table)} where ${sql.ref(owner)} = ${sql.ref('user.id')} and ${where}) as ${sql.ref(`${counter}Found`)}`,
    ),
  )
  const statement = sql<Record<string, unknown>>`select ${sql.ref('user.id')}, ${stored}, ${found} from ${sql.table('user')}
    where ${sql.ref('user.id')} < ${beforeId} and ${sql.ref('user.deletedAt')} is null order by ${sql.ref('user.id')} desc limit ${chunkUsers}`
  return (await statement.execute(db)).rows
}
