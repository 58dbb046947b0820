/**
 * `npm run dev:light`: a server on SQLite, alone. `npm run dev:full`: real Postgres, Redis and Kafka are started (they stay, for the next
 * time, until `npm run infra:down`), and a server on them. What follows two dashes goes to `pinstack up`.
 */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { root } from './packages.ts'

const [kind, ...options] = process.argv.slice(2)
/** As scripts/services.sh prints them, and as the server reads them. */
const names: Record<string, string> = {
  TEST_POSTGRES_URL: 'PINSTACK_DATABASE_URL',
  TEST_REDIS_URL: 'PINSTACK_REDIS_URL',
  TEST_KAFKA_BROKERS: 'PINSTACK_KAFKA_BROKERS',
}

if (kind === 'full') {
  const { status, stdout } = spawnSync('bash', [join(root, 'scripts/services.sh'), 'up'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  if (status !== 0) process.exit(status ?? 1)
  for (const line of stdout.split('\n')) {
    const [name, value] = line.split(/=(.*)/s)
    const variable = names[name!]
    if (variable && value) process.env[variable] ??= value
  }
} else if (kind !== 'light') {
  console.error('One of: dev full, dev light.')
  process.exit(2)
}
process.argv = [process.argv[0]!, join(root, 'packages/cli/bin/pinstack.js'), 'up', ...options]
await import(process.argv[1]!)
