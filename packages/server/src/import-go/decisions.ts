import { parse, stringify } from 'yaml'
import { isPlainEmail, isUsername } from '../core/account.ts'

// What a person decides of accounts that cannot stand beside each other here. JSON is YAML, so the file may be either.

export type Decision =
  | { decision: 'undecided' }
  | { decision: 'keep' }
  | { decision: 'skip' }
  | { decision: 'rename'; username?: string; email?: string }

export type Decisions = ReadonlyMap<number, Decision>

/** An account that waits, with what a person needs to know to decide. */
export interface Waiting {
  id: number
  username: string | null
  email: string | null
  because: string[]
}

/** The file says something that cannot be. The message is one sentence. */
export class DecisionsError extends Error {
  override name = 'DecisionsError'
}

const kinds = ['undecided', 'keep', 'rename', 'skip']

/** Reads what `printDecisions` wrote and a person has changed. Throws `DecisionsError`. */
export function parseDecisions(text: string): Decisions {
  let root: unknown
  try {
    root = parse(text)
  } catch (error) {
    throw new DecisionsError(`it is not YAML (${(error as Error).message.split('\n')[0]})`, { cause: error })
  }
  const decisions = new Map<number, Decision>()
  if (root === null || root === undefined) return decisions
  const { users = {}, ...others } = isRecord(root) ? root : { others: 1 }
  if (Object.keys(others).length > 0 || !isRecord(users ?? {}))
    throw new DecisionsError('it must have one key, users, with an entry an account')
  for (const [key, entry] of Object.entries((users ?? {}) as Record<string, unknown>)) {
    if (!/^[1-9]\d{0,15}$/.test(key)) throw new DecisionsError(`users.${key} is no id of an account`)
    decisions.set(Number(key), decisionOf(`users.${key}`, entry))
  }
  return decisions
}

function decisionOf(path: string, entry: unknown): Decision {
  if (!isRecord(entry)) throw new DecisionsError(`${path} must be an entry with a decision`)
  const { decision = 'undecided', username, email } = entry
  const unknown = Object.keys(entry).find((key) => !['decision', 'username', 'email', 'because'].includes(key))
  if (unknown) throw new DecisionsError(`${path}.${unknown} is not known: an entry has decision, username and email`)
  if (typeof decision !== 'string' || !kinds.includes(decision))
    throw new DecisionsError(`${path}.decision must be one of ${kinds.join(', ')}`)
  if (decision !== 'rename') return { decision } as Decision
  if (username == null && email == null) throw new DecisionsError(`${path} has a rename to nothing: it needs a username, an email or both`)
  if (username != null && !(typeof username === 'string' && isUsername(username)))
    throw new DecisionsError(`${path}.username must be 3 to 32 letters, digits, _, . and -`)
  if (email != null && !(typeof email === 'string' && isPlainEmail(email)))
    throw new DecisionsError(`${path}.email must be an e-mail address`)
  return { decision, ...(username != null && { username: username as string }), ...(email != null && { email: email as string }) }
}

const heading = ` Accounts that the import has left out until somebody decides. Write one of these as the decision of each, and run the same command again:
   keep    it has its name and address as they are; the others of its kind must go or be renamed
   rename  it gets the username and the email that stand here: change the one in question
   skip    it is left out for good, with its posts, follows and notifications
 What waits or is new is added below by each run. The file holds e-mail addresses: delete it when you are done.`

/** What was decided before, and below it what waits now. */
export function printDecisions(decisions: Decisions, waiting: readonly Waiting[], { json = false } = {}): string {
  const users: Record<string, unknown> = {}
  const still = new Set(waiting.map(({ id }) => id))
  for (const [id, decision] of decisions) if (decision.decision !== 'undecided' && !still.has(id)) users[id] = decision
  for (const { id, username, email, because } of waiting) {
    const before = decisions.get(id)
    users[id] = { decision: 'undecided', username, email, ...before, because: because.join('; ') }
  }
  if (json) return `${JSON.stringify({ users }, null, 2)}\n`
  return `${heading.replace(/^/gm, '#')}\n${stringify({ users }, { lineWidth: 0 })}`
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
