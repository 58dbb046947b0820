import { accountErrors } from '../../core/account.ts'
import type { Client } from '../../core/client.ts'
import { networkOf } from '../../core/network.ts'
import { fold } from '../../core/text.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Database } from '../../ports/database.ts'
import type { RateLimiter } from '../../ports/rate-limiter.ts'
import type { Tables, Tx } from '../../schema.ts'
import { authErrors, type TokenPair } from './auth.ts'
import { findAccount } from './find-account.ts'
import type { Guessing } from './guessing.ts'
import { limits } from './limits.ts'
import type { Passwords } from './passwords.ts'
import type { Sessions } from './sessions.ts'
import { lockCredential, type Account } from './store.ts'
import { assertNotSuspended } from './suspension.ts'

/** Someone may change a password while it is being checked: then the new one is looked at, so often at most. */
const attemptsMax = 3

export interface Credentials {
  /** Username or e-mail address. */
  login: string
  password: string
}

export interface SignInDeps {
  database: Database<Tables>
  clock: Clock
  limiter: RateLimiter
  passwords: Passwords
  guessing: Guessing
  sessions: Sessions
  onSignIn(): void
}

/** Sign-in by password. What is returned also does `also`, in the transaction that begins the session. */
export function createSignIn({ database, clock, limiter, passwords, guessing, sessions, onSignIn }: SignInDeps) {
  return async function signIn(
    { login, password }: Credentials,
    client: Client,
    also?: (tx: Tx, userId: number) => Promise<void>,
  ): Promise<TokenPair> {
    const network = networkOf(client.address)
    await limiter.consume(limits.loginPerAddress, network)
    const first = await findAccount(database.db, login)
    const name = first ? `user ${first.id}` : `login ${fold(login)}` // one account has two logins, and one count
    const points = [
      [limits.loginPerAddressAndAccount, `${network} ${name}`],
      [limits.loginPerAccount, name],
    ] as const
    const grant = await guessing(points, async () => {
      let account = first
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const newHash = await checkedHashOf(passwords, account, password)
        assertNotSuspended(account!, clock.nowMs()) // after the password: nobody else is told
        const begun = await database.transaction(async (tx) => {
          const locked = await lockCredential.first(tx, { userId: account!.id, checkedHash: account!.passwordHash, newHash })
          if (!locked) return undefined
          const started = await sessions.start(tx, account!.id, { client, sessionCount: locked.sessionCount! })
          await also?.(tx, account!.id)
          return started
        })
        if (begun) return begun
        account = await findAccount(database.db, login)
      }
      throw authErrors.invalid_credentials()
    })
    onSignIn()
    return sessions.pairOf(grant)
  }
}

/** The hash to keep from now on. @NOTE an account that does not exist takes the same time to refuse as a wrong password. */
async function checkedHashOf(passwords: Passwords, account: Account | undefined, password: string): Promise<string> {
  const outcome = await passwords.verify(account?.passwordHash, password)
  if (!account) throw accountErrors.not_found()
  if (outcome === 'wrong') throw authErrors.invalid_credentials()
  return outcome === 'outdated' ? passwords.hash(password) : account.passwordHash
}
