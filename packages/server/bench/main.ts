/**
 * `npm run bench [reads|posts|growth|logins|follows|live|kafka|observability|scale|process]`: the measures that Pinstack holds itself to, as ratios of one run on one machine.
 * A bar that is missed is marked, and fails the command.
 */
import './thread-pool.ts'
import { openApp } from '../src/open-app.ts'
import { followRows } from './follows.ts'
import { growthRows } from './growth.ts'
import { kafkaRows } from './kafka.ts'
import { liveRows } from './live.ts'
import { loginRows } from './logins.ts'
import { observabilityRows } from './observability.ts'
import { postRows } from './posts.ts'
import { processRows } from './process.ts'
import { readRows } from './reads.ts'
import { scaleRows } from './scale.ts'
import { benchConfig, login, newDataDir, password } from './world.ts'

export interface Row {
  what: string
  value: number
  unit: string
  bar: number | undefined
  better: 'more' | 'less'
  note: string
}

const parts = {
  reads: readRows,
  posts: postRows,
  growth: growthRows,
  logins: loginRows,
  follows: followRows,
  live: liveRows,
  kafka: kafkaRows,
  observability: observabilityRows,
  scale: scaleRows,
  process: processRows,
}

async function seed(dir: string): Promise<void> {
  const opened = await openApp(benchConfig(dir, { 'rateLimits.enabled': false }), { migrate: true })
  const client = { address: '127.0.0.1', device: 'bench' }
  await opened.app.auth.register(
    { username: login, email: `${login}@example.com`, password, fullName: 'User Number 1', bio: 'I am one of many users here.' },
    client,
  )
  await opened.close()
}

function isMet({ value, bar, better }: Row): boolean {
  return bar === undefined || (better === 'more' ? value >= bar : value < bar)
}

function show(rows: Row[]): void {
  const widest = Math.max(...rows.map(({ what }) => what.length))
  for (const row of rows) {
    const { what, value, unit, bar, better, note } = row
    const wanted = bar === undefined ? '' : `${better === 'more' ? '≥' : '<'} ${bar} ${unit}`
    console.log(
      `${isMet(row) ? ' ' : '✗'} ${what.padEnd(widest)}  ${value.toFixed(2).padStart(7)} ${unit.padEnd(3)}  ${wanted.padEnd(9)}  ${note}`,
    )
  }
}

const wanted = process.argv.slice(2)
const dir = newDataDir()
await seed(dir)
const rows: Row[] = []
for (const [name, run] of Object.entries(parts)) {
  if (wanted.length > 0 && !wanted.includes(name)) continue
  process.stderr.write(`${name} …\n`)
  rows.push(...(await run(dir)))
}
show(rows)
process.exit(rows.every(isMet) ? 0 : 1)
