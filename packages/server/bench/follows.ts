import { mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { localDoorbell } from '../src/adapters/doorbell/local.ts'
import { startBackground } from '../src/background.ts'
import { openApp } from '../src/open-app.ts'
import type { App } from '../src/compose.ts'
import type { Row } from './main.ts'
import { addUsers, benchConfig } from './world.ts'

const warmUps = 100
const samples = 600
/** Between two follows: the server is idle each time, so that what is measured is the way of one, and not a queue. */
const restMs = 3
const storm = 40
const storms = 25

/** From the answer to a follow to the notification in the followee's feed, through the outbox, the relay, the bus and the consumer; SQLite, in process. */
export async function followRows(dir: string): Promise<Row[]> {
  const opened = await openApp(benchConfig(mkdtempSync(join(dir, 'follows-')), { 'rateLimits.enabled': false }), { migrate: true })
  const { app, database, clock, committed } = opened
  const background = await startBackground({
    app: { consumers: app.consumers, jobs: {} as App['jobs'], hear() {} },
    database,
    clock,
    committed,
    sequenced: localDoorbell(),
    settings: { pollMs: 500, retentionMs: 86_400_000 },
    warn: (message, fields) => console.error(message, fields),
  })
  const [star, ...followers] = await addUsers(database, warmUps + samples + storm * storms + 1)
  const viewer = { id: star, role: 'user', sessionId: '' } as const

  /** As a client sees it who asks again and again. */
  async function arrival(expected: number): Promise<number> {
    const startMs = performance.now()
    while ((await app.notifications.unreadCount(viewer)).count < expected) await new Promise((resolve) => setImmediate(resolve))
    return performance.now() - startMs
  }

  let expected = 0
  const oneMs: number[] = []
  for (let i = 0; i < warmUps + samples; i++) {
    await app.relations.follow(followers.pop()!, star)
    const ms = await arrival(++expected)
    if (i >= warmUps) oneMs.push(ms)
    await sleep(restMs)
  }
  const stormMs: number[] = []
  for (let i = 0; i < storms; i++) {
    const startMs = performance.now()
    await Promise.all(Array.from({ length: storm }, () => app.relations.follow(followers.pop()!, star)))
    expected += storm
    await arrival(expected)
    stormMs.push(performance.now() - startMs)
  }
  await background.close()
  await opened.close()
  const at = (values: number[], part: number) =>
    values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * part))]!
  const note = `median ${at(oneMs, 0.5).toFixed(2)} ms, slowest of ${samples}: ${at(oneMs, 1).toFixed(1)} ms`
  return [
    { what: 'from a follow to its notification in the feed, p99', value: at(oneMs, 0.99), unit: 'ms', bar: 50, better: 'less', note },
    {
      what: `${storm} follows of one user at once, until all are told of, p95`,
      value: at(stormMs, 0.95),
      unit: 'ms',
      bar: undefined,
      better: 'less',
      note: `median ${at(stormMs, 0.5).toFixed(1)} ms`,
    },
  ]
}
