import { sql } from 'kysely'
import { createDeadLetters } from '../outbox/dead-letters.ts'
import { prunedName, publishedName, sequenceName } from '../outbox/positions.ts'
import { readUnpublished } from '../outbox/publish.ts'
import { readBacklog, readLastSeq } from '../outbox/read.ts'
import { systemClock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import type { Db, Tables } from '../schema.ts'
import { good, warning, wrong, type Finding } from './finding.ts'

/** An event shows its effect within a second; this is one that nobody takes. */
const lagMsMax = 30_000
const start = 'Is a process with the role worker running? Its log says what keeps it.'

export async function diagnoseDeadLetters(database: Database<Tables>): Promise<Finding> {
  const count = await createDeadLetters({ database, clock: systemClock }).count()
  if (count === 0) return good('dead letters', 'There are none.')
  const found = `${count} events were given up after five attempts each.`
  return wrong(
    'dead letters',
    found,
    '`pinstack events dead` lists them with their errors. Mend the cause, then `pinstack events replay --all`.',
  )
}

/** Events that wait to be handed on, and those that were and that a consumer has not had; over Kafka, Kafka knows the latter. */
export async function diagnoseLag(db: Db, { hasKafka }: { hasKafka: boolean }): Promise<Finding[]> {
  const { depth, oldestCreatedAt } = await (hasKafka ? readUnpublished : readBacklog)(db)
  const ageMs = oldestCreatedAt === null ? 0 : Date.now() - Date.parse(oldestCreatedAt)
  const relay =
    ageMs > lagMsMax
      ? wrong('outbox', `${depth} events wait to be handed on, the oldest for ${seconds(ageMs)}.`, start)
      : good('outbox', depth === 0 ? 'No event waits to be handed on.' : `${depth} events wait to be handed on, none for long.`)
  return [relay, ...(hasKafka ? [] : await diagnoseConsumers(db))]
}

async function diagnoseConsumers(db: Db): Promise<Finding[]> {
  const lastSeq = await readLastSeq(db)
  const positions = await db
    .selectFrom('outboxPosition')
    .selectAll()
    .where('name', 'not in', [sequenceName, prunedName, publishedName])
    .execute()
  if (positions.length === 0 && lastSeq > 0) return [warning('consumers', 'No consumer has ever taken an event.', start)]
  return Promise.all(positions.map(({ name, seq }) => diagnoseConsumer(db, { name, seq, lastSeq })))
}

async function diagnoseConsumer(db: Db, { name, seq, lastSeq }: { name: string; seq: number; lastSeq: number }): Promise<Finding> {
  const behind = lastSeq - seq
  const { oldest } = await db
    .selectFrom('outbox')
    .where('seq', '>', seq)
    .select(sql<string | null>`min(${sql.ref('createdAt')})`.as('oldest'))
    .executeTakeFirstOrThrow()
  const ageMs = oldest === null ? 0 : Date.now() - Date.parse(oldest)
  if (ageMs > lagMsMax) return wrong('consumers', `${name} is ${behind} events behind, by ${seconds(ageMs)}.`, start)
  return good('consumers', `${name} is up to date.`)
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1_000)} s`
}
