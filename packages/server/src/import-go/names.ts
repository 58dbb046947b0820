import { createHash } from 'node:crypto'
import { fold } from '../core/text.ts'
import type { Decisions } from './decisions.ts'
import { createNumberList } from './number-list.ts'
import { idOf, namePages, type SourceNames, type Sources } from './sources.ts'

/** What an account is called here; or that it is left out, or why it waits. */
export type Fate = { username: string; email: string } | { left: true } | { because: string[] }

export type Names = (row: SourceNames) => Fate

const fields = ['username', 'email'] as const
type Field = (typeof fields)[number]
const words = { username: 'username', email: 'e-mail address' } as const

interface Holder {
  id: number
  text: string
  isKept: boolean
}

/**
 * Finds the names and addresses that would be one here, where letter case and form make no difference. Of the names only 8 bytes are
 * kept, so this takes 16 bytes an account; those that share them are looked at in full. Whoever is renamed counts with the new name.
 */
export async function readNames(sources: Sources, decisions: Decisions, onPage: (rows: number) => void): Promise<Names> {
  const marks = { username: createNumberList(), email: createNumberList() }
  for await (const rows of namePages(sources)) {
    for (const row of rows) for (const field of fields) whenNamed(row, field, (text) => marks[field].add(markOf(fold(text))))
    onPage(rows.length)
  }
  const suspects = { username: marks.username.repeated(), email: marks.email.repeated() }
  const holders: Record<Field, Map<string, Holder[]>> = { username: new Map(), email: new Map() }
  const hasSuspects = fields.some((field) => suspects[field].size > 0)
  for await (const rows of hasSuspects ? namePages(sources) : []) {
    for (const row of rows) {
      for (const field of fields) {
        whenNamed(row, field, (text, holder) => {
          const folded = fold(text)
          if (!suspects[field].has(markOf(folded))) return
          const group = holders[field].get(folded)
          if (group) group.push(holder)
          else holders[field].set(folded, [holder])
        })
      }
    }
  }

  /** The name as it will be, of those who are not left out. */
  function whenNamed(row: SourceNames, field: Field, then: (text: string, holder: Holder) => void): void {
    const id = idOf(row.id)
    if (id === undefined) return
    const decided = decisions.get(id)
    if (decided?.decision === 'skip') return
    const text = nameOf(row, field)
    if (text) then(text, { id, text, isKept: decided?.decision === 'keep' })
  }

  function nameOf(row: SourceNames, field: Field): string | null {
    const decided = decisions.get(Number(row.id))
    return (decided?.decision === 'rename' ? decided[field] : undefined) ?? row[field]
  }

  return (row) => {
    const id = Number(row.id)
    if (decisions.get(id)?.decision === 'skip') return { left: true }
    const [username, email] = [nameOf(row, 'username'), nameOf(row, 'email')]
    const because: string[] = []
    if (!username) because.push('it has no username')
    if (!email) because.push('it has no e-mail address')
    for (const field of fields) {
      const group = holders[field].get(fold(nameOf(row, field) ?? '')) ?? []
      const kept = group.filter(({ isKept }) => isKept)
      if (group.length < 2 || (kept.length === 1 && kept[0]!.id === id)) continue
      const others = group.filter((other) => other.id !== id).map((other) => `user ${other.id}${other.isKept ? ', who keeps it' : ''}`)
      because.push(
        `its ${words[field]} is that of ${others.slice(0, othersMax).join(', ')}${others.length > othersMax ? ' and others' : ''}`,
      )
    }
    return because.length > 0 ? { because } : { username: username!, email: email! }
  }
}

const othersMax = 5

/** 48 bits, which a number holds. Two names that share them by chance are told apart later. */
function markOf(folded: string): number {
  return createHash('sha1').update(folded).digest().readUIntBE(0, 6)
}
