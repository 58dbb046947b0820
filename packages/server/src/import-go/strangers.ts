import { migrationStatus } from '../migrations/index.ts'
import type { Database } from '../ports/database.ts'
import type { Tables } from '../schema.ts'
import { createNumberList } from './number-list.ts'
import { noTime, selectCreated, timeOf, type Sources } from './sources.ts'
import { selectAnySession, selectPeople } from './store.ts'

/** The database is one that people use. The message is the beginning of a sentence. */
export class PeopleError extends Error {
  override name = 'PeopleError'
}

/** Who has an account here and none there: what hangs on their ids there is not theirs. */
export interface Stranger {
  has(id: number): boolean
}

const peoplePerPage = 1_000

/**
 * Compares all accounts with those of the Go system, by id and the time they were made. Throws `PeopleError` for the first one that
 * an import has not made, and where somebody has signed in: they may have deleted what would come back.
 */
export async function assertNobodyElse(
  sources: Sources,
  { database, amongOthers }: { database: Database<Tables> | undefined; amongOthers: boolean },
): Promise<Stranger> {
  const strangers = createNumberList()
  // @NOTE of a schema half-way up nothing is known; the accounts of one that is not there are none
  if (!database || !(await migrationStatus(database)).some(({ appliedAt }) => appliedAt !== null)) return strangers
  for (let after = 0; ; ) {
    const people = await selectPeople.all(database.db, { after, limit: peoplePerPage })
    if (people.length === 0) break
    after = people.at(-1)!.id
    const created = await selectCreated(
      sources,
      people.map(({ id }) => id),
    )
    for (const { id, createdAt } of people) {
      const isTheirs = created.has(id) && (timeOf(created.get(id)!) ?? noTime) === createdAt
      if (isTheirs) continue
      if (!amongOthers) throw new PeopleError(`The database has accounts that are not of the Go system (user ${id} is the first)`)
      strangers.add(id)
    }
  }
  const hasAll = (await migrationStatus(database)).every(({ appliedAt }) => appliedAt !== null)
  if (!amongOthers && hasAll && (await selectAnySession.first(database.db, {})))
    throw new PeopleError('People have signed in to this database, and what they have deleted since would come back')
  return strangers
}
