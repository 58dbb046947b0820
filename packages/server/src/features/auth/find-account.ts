import { isPlainEmail } from '../../core/account.ts'
import { fold } from '../../core/text.ts'
import type { Db } from '../../schema.ts'
import { selectAccountByEmail, selectAccountByUsername, type Account } from './store.ts'

/** Whatever looks like an e-mail address is one, and no username: REST-V1 2.1, A2. One query. */
export function findAccount(db: Db, login: string): Promise<Account | undefined> {
  const select = isPlainEmail(login) ? selectAccountByEmail : selectAccountByUsername
  return select.first(db, { folded: fold(login) })
}
