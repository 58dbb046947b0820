import { fork, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { drivers } from '../../packages/server/test/drivers.ts'
import { root } from '../packages.ts'
import { alertExpressions, dashboardExpressions, missingServer, type Expression } from './expressions.ts'
import { comePeople } from './people.ts'
import { startPrometheus, type Series } from './running-prometheus.ts'
import { prometheus, withTools } from './tools.ts'

/** A rate needs two looks at a series that is already there; some series begin late. */
const settleMsMax = 60_000
const betweenRoundsMs = 5_000

const live = withTools('on a Pinstack under load, by Prometheus', [prometheus])
describe.skipIf(live.skip)(live.title, () => {
  const folder = mkdtempSync(join(tmpdir(), 'pinstack-monitoring-'))
  const children: ChildProcess[] = []
  let watching: Awaited<ReturnType<typeof startPrometheus>>
  let people: Awaited<ReturnType<typeof comePeople>>[] = []
  let postgres: Awaited<ReturnType<(typeof drivers)['postgres']>>
  let isOver = false
  let load: Promise<void>
  let broken: unknown

  beforeAll(async () => {
    const certificateFile = join(folder, 'certificate.pem')
    makeCertificate(certificateFile)
    postgres = await drivers.postgres()
    const shared = [`metrics.certificateFile=${certificateFile}`, ...givenServers()]
    const onSqlite = await serve([`data.dir=${join(folder, 'sqlite')}`, ...shared])
    const onPostgres = await serve([
      `data.dir=${join(folder, 'postgres')}`,
      `database.url=${postgres.url}`,
      'rateLimits.enabled=false',
      ...shared,
    ])
    people = [await comePeople(onSqlite.apiUrl, { hasLimits: true }), await comePeople(onPostgres.apiUrl, { hasLimits: false })]
    watching = await startPrometheus(
      folder,
      [onSqlite, onPostgres].map(({ metricsUrl }) => new URL(metricsUrl).host),
    )
    load = (async () => {
      while (!isOver) {
        for (const { round } of people) await round()
        await sleep(betweenRoundsMs)
      }
    })()
    load.catch((error: unknown) => (broken = error))
  })

  afterAll(async () => {
    isOver = true
    await load?.catch(() => {})
    for (const { leave } of people) leave()
    await watching?.stop()
    for (const child of children) child.kill('SIGKILL')
    await postgres?.drop()
    rmSync(folder, { recursive: true, force: true })
  })

  async function serve(flags: readonly string[]): Promise<{ apiUrl: string; metricsUrl: string }> {
    const child = fork(join(root, 'packages/server/test/server-process.ts'), flags, { execArgv: ['--conditions=@pinstack/source'] })
    children.push(child)
    const ended = once(child, 'exit').then(() => {
      throw new Error('a server ended before it served')
    })
    const [addresses] = await Promise.race([once(child, 'message'), ended])
    ended.catch(() => {}) // it is meant to be killed later
    return addresses as { apiUrl: string; metricsUrl: string }
  }

  /** Asks until there is an answer with a number in it. */
  async function settled({ where, text }: Expression): Promise<Series[]> {
    const deadlineMs = performance.now() + settleMsMax
    for (;;) {
      if (broken) throw broken
      const found = await watching.query(text)
      if (found.some(({ value }) => !Number.isNaN(Number(value[1])))) return found
      if (performance.now() > deadlineMs) throw new Error(`${where} has no data: ${text}\n${JSON.stringify(found)}`)
      await sleep(1_000)
    }
  }

  async function settleAll(expressions: readonly Expression[]): Promise<void> {
    expect(expressions.length).toBeGreaterThan(0)
    const failures = (await Promise.allSettled(expressions.map(settled))).flatMap((one) =>
      one.status === 'rejected' ? [(one.reason as Error).message] : [],
    )
    expect(failures).toEqual([])
  }

  const [panels, alerts] = [dashboardExpressions(), alertExpressions()].map((all) => ({
    here: all.filter((one) => !missingServer(one)),
    elsewhere: all.filter(missingServer),
  })) as [Divided, Divided]

  it('every panel shows something', { timeout: settleMsMax * 2 }, () => settleAll(panels.here))

  it('every alert compares something', { timeout: settleMsMax * 2 }, () => settleAll(alerts.here))

  it('every rule can be evaluated, none fires that watches whether all is well, and the load goes on', async () => {
    await expect.poll(() => watching.brokenRules(), { timeout: 10_000 }).toEqual([])
    const firing = (await watching.query('ALERTS{alertstate="firing",severity="critical"}')).map(({ metric }) => metric.alertname)
    expect(firing).toEqual([])
    isOver = true
    await load
  })

  for (const expression of [...panels.elsewhere, ...alerts.elsewhere])
    it.skip(`${expression.where} — ${missingServer(expression)} is not set`, () => {})
})

interface Divided {
  here: Expression[]
  elsewhere: Expression[]
}

function givenServers(): string[] {
  const { TEST_REDIS_URL, TEST_KAFKA_BROKERS } = process.env
  return [
    ...(TEST_REDIS_URL ? [`redis.url=${TEST_REDIS_URL}`] : []),
    ...(TEST_KAFKA_BROKERS ? [`kafka.brokers=${TEST_KAFKA_BROKERS}`] : []),
  ]
}

function makeCertificate(file: string): void {
  const args = [
    'req',
    '-x509',
    '-newkey',
    'ed25519',
    '-nodes',
    '-keyout',
    '/dev/null',
    '-out',
    file,
    '-days',
    '90',
    '-subj',
    '/CN=localhost',
  ]
  const { status, stderr } = spawnSync('openssl', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`openssl could not make a certificate: ${stderr}`)
}
