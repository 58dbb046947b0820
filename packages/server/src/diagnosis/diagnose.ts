import { existsSync } from 'node:fs'
import { databaseTarget, type Config } from '../config.ts'
import { DatabaseUnavailable } from '../ports/database.ts'
import { openDatabase, type OpenedStorage } from '../open-database.ts'
import { diagnoseCounters } from './counters.ts'
import { diagnoseDisk } from './disk.ts'
import { diagnoseDeadLetters, diagnoseLag } from './events.ts'
import { good, wrong, type Finding } from './finding.ts'
import { diagnoseKafka, diagnoseRedis } from './servers.ts'
import { diagnoseClock, diagnoseConnection, diagnoseSchema } from './storage.ts'

export type { Finding } from './finding.ts'
export { consumerNames } from './servers.ts'

/** Looks at all that an installation stands on. It changes nothing, and makes nothing that is not there. Never rejects for what it finds. */
export async function diagnose(config: Config): Promise<Finding[]> {
  const [storage, redis, kafka, disk] = await Promise.all([
    diagnoseStorage(config),
    attempt('redis', () => diagnoseRedis(config)),
    attempt('kafka', () => diagnoseKafka(config)),
    attempt('disk', () => diagnoseDisk(config.data.dir)),
  ])
  return [...storage, ...redis, ...kafka, ...disk]
}

async function diagnoseStorage(config: Config): Promise<Finding[]> {
  const target = databaseTarget(config)
  if (target.engine === 'sqlite' && !existsSync(target.path)) return [good('database', `SQLite, ${target.path}: made on the first start.`)]
  let opened: OpenedStorage
  try {
    opened = await openDatabase(config)
  } catch (error) {
    return [
      wrong(
        'database',
        (error as Error).message,
        'Start the database, or correct database.url; `pinstack config print` says where it comes from.',
      ),
    ]
  }
  try {
    return await diagnoseOpened(opened, { engine: target.engine, hasKafka: config.kafka.brokers.length > 0 })
  } finally {
    await opened.database.close()
  }
}

interface Installed {
  engine: 'sqlite' | 'postgres'
  hasKafka: boolean
}

async function diagnoseOpened(opened: OpenedStorage, { engine, hasKafka }: Installed): Promise<Finding[]> {
  const { database } = opened
  const findings = await attempt('database', () => diagnoseConnection(opened))
  if (engine === 'postgres') findings.push(...(await attempt('clock', () => diagnoseClock(database.db))))
  const schema = await attempt('schema', () => diagnoseSchema(opened))
  findings.push(...schema)
  if (schema.some(({ status }) => status === 'wrong')) return findings // the rest asks for tables that may not be there
  findings.push(...(await attempt('counters', () => diagnoseCounters(database.db))))
  findings.push(...(await attempt('dead letters', () => diagnoseDeadLetters(database))))
  findings.push(...(await attempt('outbox', () => diagnoseLag(database.db, { hasKafka }))))
  return findings
}

/** A look that fails is a finding, too: the others still have their turn. */
async function attempt(check: string, look: () => Promise<Finding | Finding[]>): Promise<Finding[]> {
  try {
    return [await look()].flat()
  } catch (error) {
    const { message, cause } = error as Error
    const reason = error instanceof DatabaseUnavailable && cause instanceof Error ? cause.message : message
    return [wrong(check, `It could not be looked at: ${reason}.`, 'Mend what comes before it in this list, and look again.')]
  }
}
