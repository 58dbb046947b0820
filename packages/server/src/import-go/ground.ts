import type { Database } from '../ports/database.ts'
import type { Db, Tables, Tx } from '../schema.ts'
import type { Waiting } from './decisions.ts'
import { createNumberList } from './number-list.ts'
import { createStore, selectUsers, type Store } from './store.ts'
import type { Stranger } from './strangers.ts'
import type { Outcome } from './tally.ts'

/** Where rows go. In a dry run there is no `tx`, and where there is no database yet no `db` either. */
export interface Place {
  db: Db | undefined
  tx: Tx | undefined
}

/** What becomes of the rows of a page. May run more than once for the same page: what it remembers, it remembers by `onDone`. */
export interface Work<Row> {
  /** What takes long and writes nothing, before the transaction begins. */
  prepare?(rows: readonly Row[], place: Place): Promise<void>
  write(place: Place, rows: readonly Row[]): Promise<Outcome[]>
  /** After the commit. */
  done?(outcomes: readonly Outcome[]): void
}

export type Ground = ReturnType<typeof createGround>

export interface GroundOptions {
  database: Database<Tables> | undefined
  dryRun: boolean
  strangers: Stranger
}

/** What all tables share: the target, and which of the accounts of the Go system are in it. */
export function createGround({ database, dryRun, strangers }: GroundOptions) {
  const store: Store | undefined = database && createStore(database.dialect)
  /** Accounts of the source that did not come in, by why. They are few; of what comes with them there may be many. */
  const absent = new Map<number, string>()
  const waiting = new Map<number, Waiting>()
  /** What a dry run would have written. */
  const would = { users: createNumberList(), posts: createNumberList() }
  const lostPosts = new Set<number>()
  const tagIds = new Map<number, number>()

  return {
    dryRun,
    absent,
    waiting,
    would,
    /** Posts that did not come in: those of somebody else may have their ids here. */
    lostPosts,
    /** The ids of tags here by those that they had. */
    tagIds,
    get store(): Store {
      return store!
    },

    async run<Row>({ prepare, write, done }: Work<Row>, rows: readonly Row[]): Promise<Outcome[]> {
      const outside: Place = { db: database?.db, tx: undefined }
      await prepare?.(rows, outside)
      const outcomes = dryRun || !database ? await write(outside, rows) : await database.transaction((tx) => write({ db: tx, tx }, rows))
      done?.(outcomes)
      return outcomes
    },

    /** Holds the rows of these accounts, and tells why one of them cannot have anything: undefined for those who are here. */
    async holdUsers({ db, tx }: Place, ids: readonly (number | undefined)[]): Promise<(id: number | undefined) => string | undefined> {
      const wanted = [...new Set(ids.filter((id) => id !== undefined))]
      if (tx) await database!.dialect.lockRows(tx, 'user', wanted)
      const found = new Map((db ? await selectUsers.all(db, wanted, {}) : []).map((user) => [user.id, user]))
      return (id) => {
        if (id === undefined) return 'its user is gone'
        const reason = absent.get(id)
        if (reason) return reason
        if (strangers.has(id)) return 'its user is gone'
        const user = found.get(id)
        if (user) return user.deletedAt === null ? undefined : 'its user is deleted in Pinstack'
        return dryRun && would.users.has(id) ? undefined : 'its user is gone'
      }
    },
  }
}
