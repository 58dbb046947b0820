import type { Compilable } from 'kysely'
import { query } from './query.ts'
import type { Db } from './schema.ts'

type Value = string | number | null

/** Lists are filled up to one of these, so that a look-up by many ids is a few statements and not one for each length. */
const sizes = [1, 4, 20, 100] as const
const sizeMax = sizes[sizes.length - 1]!

/**
 * Like `query`, with a list of values that may be of any length: what is longer than 100 runs in parts, what is shorter than
 * a statement's list is filled up with its last value. So it is for `in (…)`, where a value that comes twice changes nothing.
 */
export function batchQuery<Item extends Value, Values extends Record<string, Value> = Record<never, never>>() {
  return <In extends Db, Row>(build: (db: In, list: Item[], values: Values) => Compilable<Row>) => {
    const statements = sizes.map((size) => {
      const statement = query<Record<string, Value>>()((db: In, values) =>
        build(
          db,
          Array.from({ length: size }, (_, index) => values[index] as Item),
          values as Values,
        ),
      )
      return { size, statement }
    })

    /** The list by its indexes, and the other values by their names. An object of a hundred names would cost more than the query. */
    function fill(list: readonly Item[], size: number, values: Values): Record<string, Value> {
      const filled: Item[] = list.slice()
      while (filled.length < size) filled.push(list[list.length - 1]!)
      return Object.assign(filled, values) as unknown as Record<string, Value>
    }

    function* parts(list: readonly Item[], values: Values) {
      for (let from = 0; from < list.length; from += sizeMax) {
        const part = list.slice(from, from + sizeMax)
        const { statement, size } = statements.find(({ size }) => size >= part.length)!
        yield { statement, values: fill(part, size, values) }
      }
    }

    return {
      /** The rows of all parts; none, and no query, for an empty list. */
      async all(db: In, list: readonly Item[], values: Values): Promise<Row[]> {
        const rows: Row[] = []
        for (const part of parts(list, values)) rows.push(...(await part.statement.all(db, part.values)))
        return rows
      },
      /** Returns how many rows it changed. For a query without `returning`. */
      async run(db: In, list: readonly Item[], values: Values): Promise<number> {
        let changed = 0
        for (const part of parts(list, values)) changed += await part.statement.run(db, part.values)
        return changed
      },
    }
  }
}
