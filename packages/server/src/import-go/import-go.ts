import { setTimeout as sleep } from 'node:timers/promises'
import { createPasswords } from '../features/auth/passwords.ts'
import { migrateUp, migrationStatus } from '../migrations/index.ts'
import type { Database } from '../ports/database.ts'
import type { Tables } from '../schema.ts'
import { parseDecisions, type Decisions, type Waiting } from './decisions.ts'
import { createGround, type Work } from './ground.ts'
import { followWork, notificationWork } from './relations.ts'
import { readNames } from './names.ts'
import { linkWork, mediaWork, postWork, tagWork } from './posts.ts'
import {
  closeSources,
  countBrokenLinks,
  countRows,
  followPages,
  lastId,
  linkPages,
  mediaPages,
  notificationPages,
  openSources,
  postPages,
  selectRepeatedFollows,
  tableNames,
  tagPages,
  userPages,
  type Sources,
  type SourceUrls,
  type TableName,
} from './sources.ts'
import { assertNobodyElse, type Stranger } from './strangers.ts'
import { createTally, type ReportedRow, type TableSummary } from './tally.ts'
import { userWork } from './users.ts'

export { SourceError } from '../adapters/go-system/postgres.ts'
export { DecisionsError, parseDecisions, printDecisions, type Decisions, type Waiting } from './decisions.ts'
export { sourceNames, type SourceUrls } from './sources.ts'
export { PeopleError } from './strangers.ts'
export type { ReportedRow, TableSummary } from './tally.ts'

export interface ImportOptions {
  urls: SourceUrls
  decisions?: Decisions
  /** Writes nothing, and makes nothing: says what would become of each row. */
  dryRun?: boolean
  /** Also where others than those of the Go system have accounts, or people have signed in since. */
  amongOthers?: boolean
  onProgress?: (progress: ImportProgress) => void
  /** Hears of every row that is skipped, or imported otherwise than it was. Never of what was in it. */
  onRow?: (row: ReportedRow) => void
}

export interface ImportProgress {
  stage: 'names' | TableName
  done: number
  total: number
}

export interface ImportSummary {
  dryRun: boolean
  /** In the order of the work. Of each, `read` is what was imported, was there and was skipped. */
  tables: TableSummary[]
  /** Accounts that are left out until somebody decides. */
  waiting: Waiting[]
  seconds: number
}

/** As the seed: others have their turn between two transactions. */
const pausePart = 0.25
const pauseMsMin = 2

/**
 * Moves what the four Postgres databases of the Go system hold into Pinstack: accounts with their ids and passwords, posts with media
 * and tags, follows, notifications. Each page is a transaction that leaves all counters right, and each row is looked for before it is
 * written: so a run that was stopped, however, is made good by another, and one that is complete changes nothing. Writes no events
 * and tells nobody of anything.
 *
 * `open` gives the target, once the sources are found to be what they should be; undefined for a dry run where there is none yet.
 * Rejects with `SourceError`, and with `PeopleError` where others use the database.
 */
export async function importGo(open: () => Promise<Database<Tables> | undefined>, options: ImportOptions): Promise<ImportSummary> {
  const sources = await openSources(options.urls)
  try {
    return await importFrom(sources, await open(), options)
  } finally {
    await closeSources(sources)
  }
}

async function importFrom(sources: Sources, database: Database<Tables> | undefined, options: ImportOptions): Promise<ImportSummary> {
  const { decisions = parseDecisions(''), dryRun = false, amongOthers = false, onProgress = () => {}, onRow = () => {} } = options
  const beganMs = performance.now()
  const hasSchema = database && (await migrationStatus(database)).every(({ appliedAt }) => appliedAt !== null)
  const strangers: Stranger = await assertNobodyElse(sources, { database, amongOthers })
  if (!dryRun && database) {
    await migrateUp(database)
    await passIds(sources, database)
  }

  const totals = new Map<TableName, number>()
  for (const table of tableNames) totals.set(table, await countRows(sources, table))
  const tally = createTally(onRow)
  const ground = createGround({ database: dryRun && !hasSchema ? undefined : database, dryRun, strangers })

  let named = 0
  const progressOfNames = () => onProgress({ stage: 'names', done: named, total: totals.get('users')! })
  progressOfNames()
  const names = await readNames(sources, decisions, (rows) => {
    named = Math.min(named + rows, totals.get('users')!)
    progressOfNames()
  })

  async function stage<Row>(table: TableName, pages: AsyncIterable<Row[]>, work: Work<Row>): Promise<void> {
    const total = totals.get(table)!
    onProgress({ stage: table, done: 0, total })
    for await (const rows of pages) {
      const writingMs = performance.now()
      tally.add(table, await ground.run(work, rows))
      onProgress({ stage: table, done: Math.min(tally.summaryOf(table).read, total), total })
      if (!dryRun) await sleep(Math.max(pauseMsMin, pausePart * (performance.now() - writingMs)))
    }
    if (table === 'posts_tags') addBrokenLinks(await countBrokenLinks(sources))
    assertAddsUp(tally.summaryOf(table), total)
    onProgress({ stage: table, done: total, total })
  }
  function addBrokenLinks(count: number): void {
    if (count > 0) tally.add('posts_tags', [{ id: 'null', became: 'skipped', reason: 'its post or tag is missing', count }])
  }

  await stage('users', userPages(sources), userWork(ground, { names, passwords: createPasswords() }))
  await stage('posts', postPages(sources), postWork(ground))
  await stage('post_media', mediaPages(sources), mediaWork(ground))
  await stage('tags', tagPages(sources), tagWork(ground))
  await stage('posts_tags', linkPages(sources), linkWork(ground))
  await stage('followers', followPages(sources), followWork(ground, await selectRepeatedFollows(sources)))
  await stage('notifications', notificationPages(sources), notificationWork(ground))
  return { dryRun, tables: tally.summaries(), waiting: [...ground.waiting.values()], seconds: (performance.now() - beganMs) / 1000 }
}

/** @NOTE before the first row: a server that runs on the data gives out no id meanwhile that a row to come has. */
async function passIds(sources: Sources, database: Database<Tables>): Promise<void> {
  const passed = [
    ['user', 'users'],
    ['post', 'posts'],
    ['postMedia', 'post_media'],
    ['tag', 'tags'],
    ['follow', 'followers'],
    ['notification', 'notifications'],
  ] as const
  const lasts: [table: string, last: number][] = []
  for (const [table, from] of passed) lasts.push([table, await lastId(sources, from)])
  await database.transaction(async (tx) => {
    for (const [table, last] of lasts) if (last > 0) await database.dialect.passIds(tx, table, last)
  })
}

/** A row that was read twice or never would be a defect here, or an id that is not unique there: nothing to keep quiet about. */
function assertAddsUp({ table, read, imported, there, skipped }: TableSummary, total: number): void {
  const skippedRows = Object.values(skipped).reduce((sum, count) => sum + count, 0)
  if (read !== total || read !== imported + there + skippedRows)
    throw new Error(`${table} does not add up: ${total} rows, ${read} read, ${imported} imported, ${there} there, ${skippedRows} skipped`)
}
