import { randomBytes } from 'node:crypto'
import { accountLimits, isAvatarUrl, isPassword, isPlainEmail, isUsername } from '../core/account.ts'
import { codePointLength, fold } from '../core/text.ts'
import { isWebUrl } from '../core/web-url.ts'
import type { Passwords } from '../features/auth/passwords.ts'
import { insertCredentials } from '../seed/store.ts'
import type { Ground, Place, Work } from './ground.ts'
import type { Names } from './names.ts'
import { idOf, noTime, timeOf, type SourceUser } from './sources.ts'
import { selectByEmail, selectByUsername, selectUsers, type UserRow } from './store.ts'
import { skipped, type Outcome } from './tally.ts'

const reasons = {
  id: 'its id is none that Pinstack has',
  waits: 'it waits for a decision',
  left: 'it is left out by decision',
  taken: 'its id is another user’s here',
} as const

/** What its posts, follows and notifications are skipped for. */
const reasonsOfOthers: Record<string, string> = {
  [reasons.waits]: 'its user waits for a decision',
  [reasons.left]: 'its user is left out by decision',
  [reasons.taken]: 'its user’s id is another user’s here',
}

/** Passwords that are hashed at once; the rest of a page waits. */
const hashesAtOnce = 32

export function userWork(ground: Ground, { names, passwords }: { names: Names; passwords: Passwords }): Work<SourceUser> {
  let hashes = new Map<string, string>()
  let nobodys: string | undefined
  /** Of the page that is written. */
  let becauseOf = new Map<string, string[]>()
  let rowOf = new Map<string, SourceUser>()

  return {
    /** @NOTE hashes only what goes in, and outside of the transaction: a page of clear text takes seconds. */
    async prepare(rows, { db }) {
      hashes = new Map()
      const there = new Set((db ? await selectUsers.all(db, ids(rows), {}) : []).map(({ id }) => id))
      const clear = rows.filter(({ id, password }) => !there.has(Number(id)) && password && !isBcryptHash(password))
      for (let from = 0; from < clear.length && !ground.dryRun; from += hashesAtOnce) {
        const part = clear.slice(from, from + hashesAtOnce)
        await Promise.all(part.map(async ({ id, password }) => hashes.set(id, await passwords.hash(password!))))
      }
      if (!ground.dryRun) nobodys ??= await passwords.hash(randomBytes(32).toString('base64'))
    },

    async write(place, rows) {
      becauseOf = new Map()
      rowOf = new Map(rows.map((row) => [row.id, row]))
      const { tx, db } = place
      const there = new Map((db ? await selectUsers.all(db, ids(rows), {}) : []).map((user) => [user.id, user]))
      const fates = new Map(rows.map((row) => [row.id, names(row)]))
      const named = [...fates.values()].filter((fate) => 'username' in fate)
      const taken = await takenNames(place, named)
      const fresh: UserRow[] = []
      const outcomes = rows.map((row): Outcome => {
        const id = idOf(row.id)
        if (id === undefined) return skipped(row.id, reasons.id)
        const { createdAt, updatedAt, notes } = timesOf(row)
        const known = there.get(id)
        if (known) return known.createdAt === createdAt ? { id: row.id, became: 'there' } : skipped(row.id, reasons.taken)
        const fate = fates.get(row.id)!
        if ('left' in fate) return skipped(row.id, reasons.left)
        const because = 'because' in fate ? fate.because : taken(fate)
        if (because.length > 0) {
          becauseOf.set(row.id, because)
          return skipped(row.id, reasons.waits)
        }
        const { username, email } = fate as { username: string; email: string }
        const avatarUrl = row.avatar_url && isWebUrl(row.avatar_url) ? row.avatar_url : null
        fresh.push({
          id,
          username,
          usernameFolded: fold(username),
          email,
          emailFolded: fold(email),
          fullName: row.full_name,
          fullNameFolded: row.full_name === null ? null : fold(row.full_name),
          bio: row.bio,
          avatarUrl,
          createdAt,
          updatedAt,
        })
        return { id: row.id, became: 'imported', notes: [...notes, ...notesOf(row, { username, email, avatarUrl })] }
      })
      if (!tx) return outcomes
      const made = new Set((await ground.store.insertUsers(tx, fresh)).map(({ id }) => id))
      await insertCredentials(
        tx,
        fresh
          .filter(({ id }) => made.has(id))
          .map(({ id, createdAt }) => ({ userId: id, passwordHash: hashOf(rowOf.get(String(id))!), changedAt: createdAt })),
      )
      return outcomes.map((outcome) => {
        if (outcome.became !== 'imported' || made.has(Number(outcome.id))) return outcome
        becauseOf.set(outcome.id, ['somebody has taken its name in Pinstack in this very moment'])
        return skipped(outcome.id, reasons.waits)
      })
    },

    done(outcomes) {
      for (const outcome of outcomes) {
        const id = Number(outcome.id)
        if (outcome.became === 'imported' && ground.dryRun) ground.would.users.add(id)
        if (outcome.became !== 'skipped') continue
        ground.absent.set(id, reasonsOfOthers[outcome.reason] ?? 'its user is gone')
        const { username, email } = rowOf.get(outcome.id)!
        const because = becauseOf.get(outcome.id)
        if (because) ground.waiting.set(id, { id, username, email, because })
      }
    },
  }

  function hashOf({ id, password }: SourceUser): string {
    if (password && isBcryptHash(password)) return password
    return hashes.get(id) ?? nobodys!
  }
}

const ids = (rows: readonly SourceUser[]) => rows.map(({ id }) => idOf(id)).filter((id) => id !== undefined)

/** What goes against an account: its names are those of accounts that are here and are not it. */
async function takenNames({ db }: Place, named: readonly { username: string; email: string }[]) {
  const usernames = new Map<string | null, number>()
  const emails = new Map<string | null, number>()
  if (db) {
    for (const { id, folded } of await selectByUsername.all(
      db,
      named.map(({ username }) => fold(username)),
      {},
    ))
      usernames.set(folded, id)
    for (const { id, folded } of await selectByEmail.all(
      db,
      named.map(({ email }) => fold(email)),
      {},
    ))
      emails.set(folded, id)
  }
  return ({ username, email }: { username: string; email: string }): string[] => {
    const [byName, byEmail] = [usernames.get(fold(username)), emails.get(fold(email))]
    return [
      ...(byName === undefined ? [] : [`its username is that of user ${byName}, who is in Pinstack`]),
      ...(byEmail === undefined ? [] : [`its e-mail address is that of user ${byEmail}, who is in Pinstack`]),
    ]
  }
}

export function timesOf(row: { created: string | null; updated?: string | null }): {
  createdAt: string
  updatedAt: string
  notes: string[]
} {
  const createdAt = timeOf(row.created)
  const updatedAt = timeOf(row.updated ?? null) ?? createdAt ?? noTime
  return { createdAt: createdAt ?? noTime, updatedAt, notes: createdAt ? [] : ['without a time: it has the first day of 1970'] }
}

function notesOf(row: SourceUser, { username, email, avatarUrl }: { username: string; email: string; avatarUrl: string | null }): string[] {
  const { full_name: fullName, bio, avatar_url: avatar, password } = row
  return [
    isUsername(username) ? '' : 'username kept that nobody may take here',
    isPlainEmail(email) ? '' : 'e-mail address kept that nobody may take here',
    fullName !== null && codePointLength(fullName) > accountLimits.fullName.max ? 'full name kept beyond the limit' : '',
    bio !== null && codePointLength(bio) > accountLimits.bio.max ? 'bio kept beyond the limit' : '',
    avatar && avatarUrl === null ? 'avatar left out: no http or https URL' : '',
    avatarUrl !== null && !isAvatarUrl(avatarUrl) ? 'avatar kept beyond the limit' : '',
    password ? '' : 'without a password: it needs a new one',
    password && !isBcryptHash(password) ? 'password was clear text: hashed' : '',
    password && !isBcryptHash(password) && !isPassword(password) ? 'password cannot be typed here: it needs a new one' : '',
  ].filter((note) => note !== '')
}

const bcryptCostMax = 15

/**
 * All else is a text that the Go system should have hashed. @NOTE so is a hash whose cost would keep a core busy for longer than
 * seconds at each login: Go's own is 10, and who could store clear text could store such a one.
 */
export function isBcryptHash(text: string): boolean {
  const [, cost] = /^\$2[abxy]\$(\d\d)\$[./A-Za-z0-9]{53}$/.exec(text) ?? []
  return cost !== undefined && Number(cost) >= 4 && Number(cost) <= bcryptCostMax
}
