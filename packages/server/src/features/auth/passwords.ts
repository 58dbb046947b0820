import { availableParallelism } from 'node:os'
import * as argon2 from '@node-rs/argon2'
import { bulkhead, BulkheadRejectedError } from 'cockatiel'
import { authErrors } from './auth.ts'

/** OWASP's choice for argon2id. A hash with less is made anew at its owner's next login. */
const cost = { memoryCost: 19_456, timeCost: 2, parallelism: 1 } // KiB, passes, lanes
/** About 2.5 s of work for two cores. Whoever comes later is told to come back instead of waiting past their patience. */
const queueMax = 256
const retryAfterMs = 2_000

/** Stands in for the hash of an account that does not exist. It is nobody's: the bytes are random, and no password is known for them. */
export const nobodysHash = '$argon2id$v=19$m=19456,t=2,p=1$7KFfBffyHX5TD8aTVehNzg$7wxqLm0d3m0KX0bJ2rGm8cRkXv2fQz1uTzS4yqB1n5M'

export interface Passwords {
  /** Rejects with `auth.busy` when too many wait already; so does `verify`. */
  hash(password: string): Promise<string>
  /** Without a hash (there is no such account) it costs the same and is wrong. `outdated` is right, and should be hashed anew. */
  verify(hash: string | undefined, password: string): Promise<'wrong' | 'right' | 'outdated'>
  /** How many are being computed, and how many wait their turn. */
  load(): { running: number; waiting: number }
}

/** argon2id on libuv's thread pool. bcrypt hashes, of accounts that were imported, verify as well. */
export function createPasswords(): Passwords {
  const runningMax = parallelHashes()
  const queue = bulkhead(runningMax, queueMax)
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await queue.execute(work)
    } catch (error) {
      if (error instanceof BulkheadRejectedError) throw authErrors.busy({ retryAfterMs, cause: error })
      throw error
    }
  }
  return {
    hash: (password) => inTurn(() => argon2.hash(password, cost)),
    async verify(hash = nobodysHash, password) {
      if (isBcrypt(hash)) return (await inTurn(() => verifyBcrypt(hash, password))) ? 'outdated' : 'wrong'
      const matches = await inTurn(() => argon2.verify(hash, password))
      if (!matches || hash === nobodysHash) return 'wrong'
      return isWeak(hash) ? 'outdated' : 'right'
    },
    load: () => ({ running: runningMax - queue.executionSlots, waiting: queueMax - queue.queueSlots }),
  }
}

/**
 * Two for each core: so one takes over while the event loop waits for the disk. More are no faster, and fill 19 MiB each.
 * @NOTE one thread of the pool stays free: signatures of tokens, files and name look-ups run on it too, and would wait behind the hashes.
 */
function parallelHashes(): number {
  const threads = Number(process.env.UV_THREADPOOL_SIZE) || 4 // libuv's default
  return Math.max(1, Math.min(2 * availableParallelism(), threads - 1))
}

function isBcrypt(hash: string): boolean {
  return /^\$2[abxy]\$/.test(hash)
}

async function verifyBcrypt(hash: string, password: string): Promise<boolean> {
  const bcrypt = await import('@node-rs/bcrypt') // only where there are such accounts
  return bcrypt.verify(password, hash)
}

function isWeak(hash: string): boolean {
  const { memoryCost, timeCost } = argon2.parseOptions(hash)
  return memoryCost < cost.memoryCost || timeCost < cost.timeCost
}
