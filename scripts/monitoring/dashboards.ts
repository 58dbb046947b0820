import { createDashboard, type Dashboard } from './dashboard.ts'
import { areaDashboards } from './dashboards-areas.ts'
import { systemDashboards } from './dashboards-system.ts'
import { of, quantile, quantiles, rate, share, shared } from './promql.ts'

const requests = 'http_requests_total'
const durations = 'http_request_duration_seconds'
const errors = share(`(${rate(requests, { where: 'status=~"5.."' })} or vector(0))`, rate(requests))
const byInstance = '{{instance}}'

/** All that are provisioned, by the name of their file. */
export function dashboards(): Dashboard[] {
  return [overview(), http(), ...areaDashboards(), ...systemDashboards()]
}

function overview(): Dashboard {
  const isWell = [
    ['green', null],
    ['red', 1],
  ] as const
  return createDashboard({ name: 'overview', title: 'overview', about: 'Is it healthy, how fast is it, how far is it behind.' })
    .row('Is it healthy')
    .stat({
      title: 'Processes up',
      about: 'Processes that Prometheus can scrape.',
      expr: 'sum(up{job="pinstack"})',
      steps: [
        ['red', null],
        ['green', 1],
      ],
    })
    .stat({
      title: 'Processes down',
      about: 'Processes that are configured and do not answer.',
      expr: 'sum(up{job="pinstack"} == bool 0)',
      steps: isWell,
    })
    .stat({
      title: 'Alerts firing',
      about: 'Prometheus, at /alerts, says which; docs/operations.md what to do.',
      expr: 'count(ALERTS{alertstate="firing"}) or vector(0)',
      steps: [
        ['green', null],
        ['orange', 1],
      ],
    })
    .stat({
      title: 'Errors',
      about: 'Share of requests that were answered with 5xx.',
      expr: errors,
      unit: 'percentunit',
      steps: [
        ['green', null],
        ['orange', 0.005],
        ['red', 0.02],
      ],
    })
    .stat({
      title: 'Dead letters',
      about: 'Events that were given up and wait for an operator: pinstack events dead.',
      expr: `sum(${shared('dead_letters', { by: 'consumer' })})`,
      steps: isWell,
    })
    .stat({
      title: 'Disk free',
      about: 'Smallest share that is free on the disk of a data directory.',
      expr: `min(${share(of('disk_free_bytes'), of('disk_size_bytes'))})`,
      unit: 'percentunit',
      steps: [
        ['red', null],
        ['orange', 0.1],
        ['green', 0.2],
      ],
    })
    .row('How fast')
    .timeSeries({
      title: 'Requests',
      about: 'By status; 499 is a client that left before it had its answer.',
      queries: [[rate(requests, { by: 'status' }), '{{status}}']],
      unit: 'reqps',
      isStacked: true,
    })
    .timeSeries({
      title: 'Latency',
      about: 'From a request to the end of its answer; streams are left out.',
      queries: quantiles(durations),
      unit: 's',
    })
    .timeSeries({
      title: 'Database and event loop',
      about: 'p99 of a statement, and of the delay of the event loop in the slowest process; 50 ms of that are the measure’s own.',
      queries: [
        [quantile(0.99, 'database_query_duration_seconds'), 'statement p99'],
        [`max(${of('nodejs_eventloop_lag_p99_seconds')})`, 'event loop p99'],
      ],
      unit: 's',
    })
    .row('How far behind')
    .timeSeries({
      title: 'Outbox lag',
      about: 'Age of the oldest event that is not delivered yet.',
      queries: [[shared('outbox_lag_seconds'), 'outbox']],
      unit: 's',
    })
    .timeSeries({ title: 'Outbox depth', about: 'Events that are not delivered yet.', queries: [[shared('outbox_depth'), 'outbox']] })
    .timeSeries({
      title: 'Consumer lag',
      about: 'Events that a consumer has not taken yet.',
      queries: [[shared('consumer_lag_events', { by: 'consumer' }), '{{consumer}}']],
    })
    .row('What people do')
    .timeSeries({
      title: 'Made',
      about: 'Accounts, posts, follows and notifications, a second.',
      queries: [
        [rate('registrations_total'), 'registrations'],
        [rate('posts_created_total'), 'posts'],
        [rate('follows_created_total'), 'follows'],
        [rate('notifications_created_total'), 'notifications'],
      ],
      unit: 'ops',
      width: 12,
    })
    .timeSeries({
      title: 'Logins and open streams',
      about: 'Logins a second, and streams of live events that are open.',
      queries: [
        [rate('logins_total'), 'logins/s'],
        [`sum(${of('live_streams')})`, 'streams'],
      ],
      width: 12,
    })
}

function http(): Dashboard {
  return createDashboard({ name: 'http', title: 'HTTP', about: 'Requests of all surfaces: REST v1, tRPC, probes.' })
    .row('Traffic')
    .timeSeries({
      title: 'Requests by route',
      about: 'The busiest twenty.',
      queries: [[`topk(20, ${rate(requests, { by: 'method, route' })})`, '{{method}} {{route}}']],
      unit: 'reqps',
      width: 12,
    })
    .timeSeries({
      title: 'Requests by status',
      about: '499 is a client that left before it had its answer.',
      queries: [[rate(requests, { by: 'status' }), '{{status}}']],
      unit: 'reqps',
      width: 12,
      isStacked: true,
    })
    .timeSeries({
      title: 'In flight',
      about: 'Requests and streams that are under way, by process.',
      queries: [[`sum by (instance) (${of('http_requests_in_flight')})`, byInstance]],
    })
    .timeSeries({
      title: 'Requests by process',
      about: 'An uneven share points at the proxy.',
      queries: [[rate(requests, { by: 'instance' }), byInstance]],
      unit: 'reqps',
    })
    .timeSeries({ title: 'Share of errors', about: '5xx of all answers.', queries: [[errors, '5xx']], unit: 'percentunit', max: 1 })
    .row('Latency')
    .timeSeries({ title: 'Latency', about: 'Median, p95 and p99 of all routes.', queries: quantiles(durations), unit: 's' })
    .timeSeries({
      title: 'p95 of the slowest routes',
      about: 'The slowest ten.',
      queries: [[`topk(10, ${quantile(0.95, durations, { by: 'method, route' })})`, '{{method}} {{route}}']],
      unit: 's',
    })
    .timeSeries({
      title: 'p95 of all routes',
      about: 'By method.',
      queries: [[quantile(0.95, durations, { by: 'method' }), '{{method}}']],
      unit: 's',
    })
    .row('Refused')
    .timeSeries({
      title: 'Refusals',
      about: 'Answers 4xx and 5xx: the twenty most frequent.',
      queries: [[`topk(20, ${rate(requests, { by: 'route, status', where: 'status=~"[45].."' })})`, '{{status}} {{route}}']],
      unit: 'reqps',
    })
    .timeSeries({
      title: 'Rate limited',
      about: 'Requests that a limit refused, by limit.',
      queries: [[rate('rate_limited_total', { by: 'limit' }), '{{limit}}']],
      unit: 'reqps',
    })
    .timeSeries({
      title: 'Access tokens',
      about: 'Checks where a route asks for a token.',
      queries: [[rate('authorizations_total', { by: 'outcome' }), '{{outcome}}']],
      unit: 'reqps',
    })
}
