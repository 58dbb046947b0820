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
    metrics.databasePool(() => ({ total: 4, idle: 1, waiting: 0, max: 10 }))
    metrics.databasePool(() => ({ total: 2, idle: 2, waiting: 0, max: 10 }))
    metrics.cache('users', 'hit', 0.0002)
    metrics.outbox(async () => ({ depth: 3, lagSeconds: 1.5 }))
    metrics.event('published', 'outbox', 'user_registered')
    metrics.event('dead', 'feed', 'follow_created')
    metrics.breaker('redis', 'half_open')
    metrics.dependencyFailure('redis', 'timeout')
    metrics.knownConsumer('inbox', ['follow_created'])
    metrics.consumerLag(async () => ({ feed: 7 }))
    metrics.deadLetters(async () => ({ feed: 2 }))
    metrics.backgroundFailure('relay')
    metrics.disk(() => ({ freeBytes: 5, sizeBytes: 9 }))
    metrics.signingKey(() => 86_400_000)
    metrics.certificate(() => 1_800_000_000_000)
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
      'pinstack_database_pool_connections{state="total"} 6',
      'pinstack_database_pool_connections{state="max"} 20',
      'pinstack_cache_requests_total{cache="users",result="hit"} 1',
      'pinstack_cache_request_duration_seconds_bucket{le="0.0001",cache="users"} 0',
      'pinstack_cache_request_duration_seconds_bucket{le="0.0005",cache="users"} 1',
      'pinstack_cache_request_duration_seconds_count{cache="users"} 1',
      'pinstack_consumer_lag_events{consumer="feed"} 7',
      'pinstack_dead_letters{consumer="feed"} 2',
      'pinstack_events_dead_total{consumer="inbox",type="follow_created"} 0',
      'pinstack_background_failures_total{part="relay"} 1',
      'pinstack_disk_free_bytes 5',
      'pinstack_disk_size_bytes 9',
      'pinstack_signing_key_age_seconds 86400',
      'pinstack_certificate_expiry_timestamp_seconds 1800000000',
      'pinstack_authentications_total{operation="refresh",outcome="failure"} 0',
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
    const metrics = createMetrics({ version: '1.2.3', process: false, stateKeptMs: 0 })
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

  it('ask what costs a look into the database once a second at most, however often they are scraped', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false, stateKeptMs: 60_000 })
    let asked = 0
    metrics.consumerLag(async () => ({ feed: ++asked }))
    for (let scrape = 0; scrape < 5; scrape++)
      expect(await metrics.registry.metrics()).toContain('pinstack_consumer_lag_events{consumer="feed"} 1')
    expect(asked).toBe(1)
  })

  it('say which process hands events to Kafka', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false })
    let leads = true
    metrics.relayLeads(() => leads)
    expect(await metrics.registry.metrics()).toContain('pinstack_relay_leader 1')
    leads = false
    expect(await metrics.registry.metrics()).toContain('pinstack_relay_leader 0')
  })

  it('say nothing of what is not watched: no certificate is not one that ended in 1970', async () => {
    const text = await createMetrics({ version: '1.2.3', process: false }).registry.metrics()
    expect(text).toContain('# TYPE pinstack_certificate_expiry_timestamp_seconds gauge')
    expect(text).not.toMatch(/^pinstack_(certificate_expiry_timestamp_seconds|disk_free_bytes|signing_key_age_seconds|outbox_depth)/m)
  })

  it('forget the values of a part that can no longer say them', async () => {
    const metrics = createMetrics({ version: '1.2.3', process: false, stateKeptMs: 0 })
    let isAway = false
    metrics.consumerLag(() => {
      if (isAway) throw new Error('away')
      return { feed: 1 }
    })
    expect(await metrics.registry.metrics()).toContain('pinstack_consumer_lag_events{consumer="feed"} 1')
    isAway = true
    expect(await metrics.registry.metrics()).not.toMatch(/^pinstack_consumer_lag_events\{/m)
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
