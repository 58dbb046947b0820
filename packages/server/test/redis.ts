import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, describe } from 'vitest'
import { openRedis, type RedisConnection } from '../src/adapters/redis/connection.ts'

const redisUrl = process.env.TEST_REDIS_URL

/** Declares a suite on the Redis that scripts/services.sh or CI started. Without one it is skipped loudly, and fails in CI. */
export function onRedis(title: string, suite: (url: string) => void): void {
  if (redisUrl) describe(`${title} [redis]`, () => suite(redisUrl))
  else if (process.env.CI) throw new Error('TEST_REDIS_URL is required in CI: scripts/services.sh up')
  else describe.skip(`${title} [redis] — TEST_REDIS_URL is not set`, () => suite(''))
}

/** Keys and channels that no other test has. */
export const newPrefix = () => `test-${randomBytes(6).toString('hex')}:`

/** Connections for a whole suite, and what stands before calls in it: nothing. */
export function useRedis(url: string): RedisConnection {
  const connection = {} as RedisConnection
  beforeAll(async () => void Object.assign(connection, await openRedis({ url })))
  afterAll(() => connection.close?.())
  return connection
}

export const unguarded = {
  run: <T>(call: () => Promise<T>) => call(),
  again: <T>(call: () => Promise<T>) => call(),
}
