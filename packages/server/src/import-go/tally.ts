import { tableNames, type TableName } from './sources.ts'

export interface TableSummary {
  table: TableName
  read: number
  imported: number
  /** By an earlier run. */
  there: number
  /** By the reason. */
  skipped: Record<string, number>
  /** Rows that were imported although, or otherwise than, they were; by what is to be said of them. A row may be in several. */
  noted: Record<string, number>
}

/** What became of one row. `id` is the source's; of a tag link it is the post's and the tag's. */
export type Outcome = { id: string; notes?: string[] } & (
  | { became: 'imported' | 'there' }
  | { became: 'skipped'; reason: string; count?: number }
)

/** A row that a person should know of: skipped, or noted. */
export interface ReportedRow {
  table: TableName
  id: string
  skipped?: string
  notes?: string[]
}

/** Adds up what became of all rows, and hands on those that are to be listed. */
export function createTally(onRow: (row: ReportedRow) => void) {
  const summaries = new Map<TableName, TableSummary>(
    tableNames.map((table) => [table, { table, read: 0, imported: 0, there: 0, skipped: {}, noted: {} }]),
  )
  return {
    add(table: TableName, outcomes: readonly Outcome[]): void {
      const summary = summaries.get(table)!
      for (const outcome of outcomes) {
        const { id, notes = [] } = outcome
        if (outcome.became === 'skipped') {
          const { reason, count = 1 } = outcome
          summary.read += count
          summary.skipped[reason] = (summary.skipped[reason] ?? 0) + count
          onRow({ table, id, skipped: reason })
          continue
        }
        summary.read++
        summary[outcome.became]++
        if (outcome.became === 'there' || notes.length === 0) continue
        for (const note of notes) summary.noted[note] = (summary.noted[note] ?? 0) + 1
        onRow({ table, id, notes })
      }
    },
    summaryOf: (table: TableName): TableSummary => summaries.get(table)!,
    summaries: (): TableSummary[] => [...summaries.values()],
  }
}

export const skipped = (id: string, reason: string): Outcome => ({ id, became: 'skipped', reason })
