import { isPlainEmail } from '../../core/account.ts'
import { fold } from '../../core/text.ts'
import type { Db } from '../../schema.ts'
import { selectAccountByEmail, selectAccountById, selectAccountByUsername, type Account } from './store.ts'

/** An account by its id, or by what one signs in with. */
export type AccountTarget = number | string

/** Whatever looks like an e-mail address is one, and no username: REST-V1 2.1, A2. One query. */
export function findAccount(db: Db, login: AccountTarget): Promise<Account | undefined> {
  if (typeof login === 'number') return selectAccountById.first(db, { userId: login })
  const select = isPlainEmail(login) ? selectAccountByEmail : selectAccountByUsername
  return select.first(db, { folded: fold(login) })
}
