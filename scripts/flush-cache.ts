/** `npm run cache:flush`: empties the Redis that `redis.url` names, or that scripts/services.sh has started: caches and counts of limits. */
import { spawnSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { root } from './packages.ts'

const url = process.env.PINSTACK_REDIS_URL ?? process.env.REDIS_URL ?? ofServices()
if (!url) console.log('There is no Redis: the cache is in the memory of the server, and goes with its next start.')
else await flush(url)

function ofServices(): string | undefined {
  const { stdout } = spawnSync('bash', [join(root, 'scripts/services.sh'), 'status', 'redis'], { encoding: 'utf8' })
  return /^TEST_REDIS_URL=(.+)$/m.exec(stdout)?.[1]
}

async function flush(redisUrl: string): Promise<void> {
  const { Redis } = createRequire(join(root, 'packages/server/package.json'))('ioredis')
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: 0, retryStrategy: () => null, lazyConnect: true })
  redis.on('error', () => {}) // the command says it
  try {
    await redis.connect()
    const keys = await redis.dbsize()
    await redis.flushdb()
    console.log(`${keys} keys are gone.`)
  } catch (error) {
    console.error(`Redis cannot be emptied: ${(error as Error).message}`)
    process.exitCode = 1
  } finally {
    redis.disconnect()
  }
}
