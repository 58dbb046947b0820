import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createMetrics } from './metrics.ts'

const documented = join(import.meta.dirname, '../../../../docs/metrics.md')

describe('metrics', () => {
  it('are those of docs/metrics.md, and docs/metrics.md has no others', async () => {
    const { registry } = createMetrics({ version: '1.2.3' })
    const registered = registry.getMetricsAsArray().map((metric) => {
      const { name, type, help, labelNames } = metric as unknown as { name: string; type: string; help: string; labelNames: string[] }
      return [name, String(type), labelNames.join(', '), help.replace(/\.$/, '')]
    })
    const rows = [...(await readFile(documented, 'utf8')).matchAll(/^\| `(pinstack_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$/gm)]
    const onLinuxAlone = /_process_(virtual_memory_bytes|heap_bytes|open_fds|max_fds)$/
    const listed = rows
      .filter(([, name]) => process.platform === 'linux' || !onLinuxAlone.test(name!))
      .map(([, name, type, labels, meaning]) => [name, type, labels!.replaceAll('`', ''), meaning!.replace(/\.$/, '')])
    expect(listed.length).toBeGreaterThan(20)
    expect(listed.toSorted()).toEqual(registered.toSorted())
    for (const [name] of registered) expect(name).toMatch(/^pinstack_/)
  })

  it('say what was recorded', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false })
    metrics.httpRequest('GET', '/a', 200, 0.003)
    metrics.httpRequest('GET', '/a', 200, 0.005)
    metrics.httpRequest('GET', '/a', 500, 60)
    metrics.authorization('forbidden')
    metrics.authentication('login', 'failure')
    metrics.sessionStarted()
    metrics.sessionEnded('reuse')
    metrics.passwordQueue(() => ({ running: 2, waiting: 5 }))
    metrics.databaseQuery('select', 0.003, true)
    metrics.databaseQuery('insert', 0.003, false)
    metrics.transaction('retry')
    metrics.databasePool(() => ({ total: 4, idle: 1, waiting: 0 }))
    metrics.cache('user', 'hit')
    metrics.outbox(async () => ({ depth: 3, lagSeconds: 1.5 }))
    metrics.event('published', 'outbox', 'user_registered')
    metrics.event('dead', 'feed', 'follow_created')
    metrics.breaker('redis', 'half_open')
    metrics.dependencyFailure('redis', 'timeout')
    metrics.rateLimited('login')
    metrics.registration()
    metrics.login()
    metrics.post()
    metrics.follow()
    metrics.notification('system')
    const text = await metrics.registry.metrics()
    for (const line of [
      'pinstack_http_requests_total{method="GET",route="/a",status="200"} 2',
      'pinstack_http_requests_total{method="GET",route="/a",status="500"} 1',
      'pinstack_http_request_duration_seconds_bucket{le="0.0025",method="GET",route="/a"} 0',
      'pinstack_http_request_duration_seconds_bucket{le="0.005",method="GET",route="/a"} 2',
      'pinstack_http_request_duration_seconds_bucket{le="10",method="GET",route="/a"} 2',
      'pinstack_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="/a"} 3',
      'pinstack_http_request_duration_seconds_sum{method="GET",route="/a"} 60.008',
      'pinstack_http_request_duration_seconds_count{method="GET",route="/a"} 3',
      'pinstack_authorizations_total{outcome="forbidden"} 1',
      'pinstack_authentications_total{operation="login",outcome="failure"} 1',
      'pinstack_sessions_started_total 1',
      'pinstack_sessions_ended_total{reason="reuse"} 1',
      'pinstack_password_hashes{state="waiting"} 5',
      'pinstack_database_queries_total{kind="select",outcome="success"} 1',
      'pinstack_database_queries_total{kind="insert",outcome="failure"} 1',
      'pinstack_database_query_duration_seconds_bucket{le="0.005",kind="select"} 1',
      'pinstack_database_transactions_total{outcome="retry"} 1',
      'pinstack_database_pool_connections{state="total"} 4',
      'pinstack_cache_requests_total{cache="user",result="hit"} 1',
      'pinstack_outbox_depth 3',
      'pinstack_outbox_lag_seconds 1.5',
      'pinstack_events_published_total{bus="outbox",type="user_registered"} 1',
      'pinstack_events_dead_total{consumer="feed",type="follow_created"} 1',
      'pinstack_breaker_state{dependency="redis"} 1',
      'pinstack_dependency_failures_total{dependency="redis",reason="timeout"} 1',
      'pinstack_rate_limited_total{limit="login"} 1',
      'pinstack_registrations_total 1',
      'pinstack_logins_total 1',
      'pinstack_posts_created_total 1',
      'pinstack_follows_created_total 1',
      'pinstack_notifications_created_total{origin="system"} 1',
    ])
      expect(text).toContain(line)
  })

  it('ask the outbox once a scrape, and leave out what it cannot say', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false })
    let asked = 0
    let isAway = false
    metrics.outbox(async () => {
      asked++
      if (isAway) throw new Error('away')
      return { depth: 0, lagSeconds: 0 }
    })
    expect(await metrics.registry.metrics()).toContain('pinstack_outbox_depth 0')
    expect(asked).toBe(1)
    isAway = true
    const text = await metrics.registry.metrics()
    expect(text).not.toMatch(/^pinstack_outbox_(depth|lag_seconds) /m)
    expect(text).toContain('pinstack_build_info')
    isAway = false
    expect(await metrics.registry.metrics()).toContain('pinstack_outbox_lag_seconds 0')
  })

  it('have the lag of each consumer, and all else when it cannot be known', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false })
    let isAway = false
    metrics.consumerLag(async () => {
      if (isAway) throw new Error('away')
      return { feed: 7 }
    })
    let leads = true
    metrics.relayLeads(() => leads)
    const early = await metrics.registry.metrics()
    expect(early).toContain('pinstack_consumer_lag_events{consumer="feed"} 7')
    expect(early).toContain('pinstack_relay_leader 1')
    isAway = true
    leads = false
    const late = await metrics.registry.metrics()
    expect(late).not.toMatch(/^pinstack_consumer_lag_events\{/m)
    expect(late).toContain('pinstack_relay_leader 0')
  })

  it('do not wait for a part that hangs', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false })
    metrics.outbox(() => new Promise(() => {}))
    const startMs = performance.now()
    expect(await metrics.registry.metrics()).not.toMatch(/^pinstack_outbox_depth /m)
    expect(performance.now() - startMs).toBeLessThan(1_500)
  })

  it('of one server are not those of another', async () => {
    const [one, other] = [createMetrics({ version: '1', process: false }), createMetrics({ version: '1', process: false })]
    one.registration()
    expect([await one.registry.metrics(), await other.registry.metrics()]).toEqual([
      expect.stringContaining('registrations_total 1'),
      expect.stringContaining('registrations_total 0'),
    ])
  })
})
