import { createDashboard, type Dashboard } from './dashboard.ts'
import { of, quantile, quantiles, rate, share, shared } from './promql.ts'

const published = 'events_published_total'
const byType = (types: string) => rate(published, { by: 'type', where: `type=~"${types}",bus="outbox"` })

/** What people do, one dashboard each: what is made, what becomes of it, and what its requests take. */
export function areaDashboards(): Dashboard[] {
  return [accounts(), posts(), relations(), notifications()]
}

/** Requests and latency of the routes of a feature. */
function withRequests(dashboard: Dashboard, { rest, rpc }: { rest: string; rpc: string }): Dashboard {
  const where = `route=~"/api/v1/(${rest})(/.*)?|/trpc/(${rpc})[.].*"`
  const durations = 'http_request_duration_seconds'
  return dashboard
    .row('Requests')
    .timeSeries({
      title: 'Requests by route',
      about: 'How often each route is called.',
      queries: [[rate('http_requests_total', { by: 'method, route', where }), '{{method}} {{route}}']],
      unit: 'reqps',
      width: 12,
    })
    .timeSeries({
      title: 'p95 by route',
      about: '95 of 100 requests are answered within this time.',
      queries: [[quantile(0.95, durations, { by: 'route', where }), '{{route}}']],
      unit: 's',
      width: 12,
    })
    .timeSeries({
      title: 'Answers by status',
      about: '4xx are refusals that clients caused, 5xx are ours.',
      queries: [[rate('http_requests_total', { by: 'status', where }), '{{status}}']],
      unit: 'reqps',
      width: 12,
    })
    .timeSeries({
      title: 'Latency',
      about: 'Median, p95 and p99 of all of them.',
      queries: quantiles(durations, { where }),
      unit: 's',
      width: 12,
    })
}

function accounts(): Dashboard {
  const authentications = 'authentications_total'
  const login = 'operation="login"'
  const failed = share(rate(authentications, { where: `${login},outcome="failure"` }), rate(authentications, { where: login }))
  const dashboard = createDashboard({ name: 'accounts', title: 'accounts', about: 'Registrations, logins, sessions, passwords and keys.' })
    .row('Coming and going')
    .timeSeries({
      title: 'Registrations and logins',
      about: 'Those that succeeded, a second.',
      queries: [
        [rate('registrations_total'), 'registrations'],
        [rate('logins_total'), 'logins'],
      ],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Sessions',
      about: 'Started and ended, a second.',
      queries: [
        [rate('sessions_started_total'), 'started'],
        [rate('sessions_ended_total'), 'ended'],
      ],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Ends of sessions',
      about: 'By reason; reuse is a stolen refresh token.',
      queries: [[rate('sessions_ended_total', { by: 'reason' }), '{{reason}}']],
      unit: 'ops',
    })
    .row('Who is let in')
    .timeSeries({
      title: 'Authentications',
      about: 'By what was asked for and how it went.',
      queries: [[rate(authentications, { by: 'operation, outcome' }), '{{operation}} {{outcome}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Share of failed logins',
      about: 'A rise is someone who guesses passwords, or a client that is broken.',
      queries: [[failed, 'failed']],
      unit: 'percentunit',
      max: 1,
    })
    .timeSeries({
      title: 'Passwords being hashed',
      about: 'Running and waiting, over all processes.',
      queries: [[`sum by (state) (${of('password_hashes')})`, '{{state}}']],
    })
    .row('Keys')
    .stat({
      title: 'Age of the signing key',
      about: 'pinstack keys rotate makes a new one; no age for a secret from the configuration.',
      expr: `max(${of('signing_key_age_seconds')})`,
      unit: 's',
      width: 12,
      steps: [
        ['green', null],
        ['orange', 180 * 86_400],
      ],
    })
    .stat({
      title: 'Certificate ends in',
      about: 'Of the certificate that metrics.certificateFile names.',
      expr: `min(${of('certificate_expiry_timestamp_seconds')}) - time()`,
      unit: 's',
      width: 12,
      steps: [
        ['red', null],
        ['orange', 3 * 86_400],
        ['green', 14 * 86_400],
      ],
    })
  return withRequests(dashboard, { rest: 'auth|users', rpc: 'auth|users' })
}

function posts(): Dashboard {
  const lookups = 'cache_requests_total'
  const cached = 'cache="posts"'
  const hits = share(rate(lookups, { where: `${cached},result="hit"` }), rate(lookups, { where: cached }))
  const dashboard = createDashboard({ name: 'posts', title: 'posts', about: 'Posts, and what reading and writing them takes.' })
    .row('Made')
    .timeSeries({ title: 'Posts made', about: 'A second.', queries: [[rate('posts_created_total'), 'posts']], unit: 'ops' })
    .timeSeries({
      title: 'Events of posts',
      about: 'As numbered for all who listen.',
      queries: [[byType('post_.*'), '{{type}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Hits of the cache',
      about: 'Share of look-ups of a post that the cache answered.',
      queries: [[hits, 'hits']],
      unit: 'percentunit',
      max: 1,
    })
  return withRequests(dashboard, { rest: 'posts', rpc: 'posts' })
}

function relations(): Dashboard {
  const consumer = 'consumer="follow-notifications"'
  const dashboard = createDashboard({ name: 'relations', title: 'relations', about: 'Follows, and what becomes of them.' })
    .row('Made')
    .timeSeries({ title: 'Follows made', about: 'A second.', queries: [[rate('follows_created_total'), 'follows']], unit: 'ops' })
    .timeSeries({
      title: 'Events of follows',
      about: 'As numbered for all who listen.',
      queries: [[byType('follow_.*'), '{{type}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Follows that became notifications',
      about: 'Taken by the consumer, a second, and how many events wait for it.',
      queries: [
        [rate('events_consumed_total', { by: 'type', where: consumer }), '{{type}}/s'],
        [shared('consumer_lag_events', { where: consumer }), 'waiting'],
      ],
    })
  return withRequests(dashboard, { rest: 'relation', rpc: 'relations' })
}

function notifications(): Dashboard {
  const about = 'Notifications, and the streams that tell of them.'
  const dashboard = createDashboard({ name: 'notifications', title: 'notifications', about })
    .row('Made')
    .timeSeries({
      title: 'Notifications made',
      about: 'By the system (a new follower) or by a user, a second.',
      queries: [[rate('notifications_created_total', { by: 'origin' }), '{{origin}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Events of notifications',
      about: 'As numbered for all who listen.',
      queries: [[byType('notification_.*'), '{{type}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Failed on the way',
      about: 'Events that a consumer tries again, or has given up.',
      queries: [
        [rate('events_retried_total', { by: 'consumer' }), '{{consumer}} tried again'],
        [rate('events_dead_total', { by: 'consumer' }), '{{consumer}} given up'],
      ],
      unit: 'ops',
    })
    .row('Live')
    .timeSeries({
      title: 'Open streams',
      about: 'By topic.',
      queries: [[`sum by (topic) (${of('live_streams')})`, '{{topic}}']],
      width: 12,
    })
    .timeSeries({
      title: 'Ends of streams',
      about: 'left by the client, revoked with the session, closing with the server, aged after an hour: the client comes back.',
      queries: [[rate('live_streams_ended_total', { by: 'reason' }), '{{reason}}']],
      unit: 'ops',
      width: 12,
    })
  return withRequests(dashboard, { rest: 'notification|notifications', rpc: 'notifications|live' })
}
