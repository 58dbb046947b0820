import { createDashboard, type Dashboard } from './dashboard.ts'
import { of, quantile, quantiles, rate, share, shared } from './promql.ts'

const statements = 'database_query_duration_seconds'
const byInstance = '{{instance}}'

/** What the product stands on: events, database, cache, the processes themselves. */
export function systemDashboards(): Dashboard[] {
  return [events(), database(), cache(), processes()]
}

function events(): Dashboard {
  const byTypeAndConsumer = { by: 'consumer, type' }
  const legend = '{{consumer}} {{type}}'
  const about = 'From the transaction through the outbox and the bus to the consumers.'
  return createDashboard({ name: 'events', title: 'events and Kafka', about })
    .row('Outbox')
    .timeSeries({
      title: 'Lag of the outbox',
      about: 'Age of the oldest event that is not delivered yet.',
      queries: [[shared('outbox_lag_seconds'), 'outbox']],
      unit: 's',
    })
    .timeSeries({
      title: 'Depth of the outbox',
      about: 'Events that are not delivered yet; counted up to 100,000.',
      queries: [[shared('outbox_depth'), 'outbox']],
    })
    .timeSeries({
      title: 'Handed on',
      about: 'By bus: the outbox numbers each event, Kafka gets a copy where it is configured.',
      queries: [[rate('events_published_total', { by: 'bus' }), '{{bus}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Handed on by type',
      about: 'Events as the outbox numbers them.',
      queries: [[rate('events_published_total', { by: 'type', where: 'bus="outbox"' }), '{{type}}']],
      unit: 'ops',
      width: 12,
      isStacked: true,
    })
    .timeSeries({
      title: 'Failures in the background',
      about: 'Of the relay, the tail, consumers, jobs and the publisher to Kafka. Each is tried again.',
      queries: [[rate('background_failures_total', { by: 'part' }), '{{part}}']],
      unit: 'ops',
      width: 12,
    })
    .row('Consumers')
    .timeSeries({
      title: 'Consumer lag',
      about: 'Events that a consumer has not taken yet.',
      queries: [[shared('consumer_lag_events', { by: 'consumer' }), '{{consumer}}']],
    })
    .timeSeries({
      title: 'Taken',
      about: 'Events whose effect is committed.',
      queries: [[rate('events_consumed_total', byTypeAndConsumer), legend]],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Tried again',
      about: 'Events that failed and will be tried again.',
      queries: [[rate('events_retried_total', byTypeAndConsumer), legend]],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Given up',
      about: 'Events that became dead letters.',
      queries: [[rate('events_dead_total', byTypeAndConsumer), legend]],
      unit: 'ops',
      width: 12,
    })
    .timeSeries({
      title: 'Dead letters',
      about: 'Those that wait for an operator: pinstack events dead, replay, drop.',
      queries: [[shared('dead_letters', { by: 'consumer' }), '{{consumer}}']],
      width: 12,
    })
    .row('Kafka')
    .timeSeries({
      title: 'Sent to Kafka',
      about: 'By type of event; empty without Kafka.',
      queries: [[rate('events_published_total', { by: 'type', where: 'bus="kafka"' }), '{{type}}']],
      unit: 'ops',
      width: 12,
    })
    .timeSeries({
      title: 'Who sends to Kafka',
      about: '1 in the process that leads; another takes over when it dies.',
      queries: [[shared('relay_leader', { by: 'instance' }), byInstance]],
      width: 12,
      max: 1,
    })
}

function database(): Dashboard {
  const queries = 'database_queries_total'
  const transactions = 'database_transactions_total'
  const free = share(of('disk_free_bytes'), of('disk_size_bytes'))
  return createDashboard({ name: 'database', title: 'database', about: 'Statements, transactions, connections and the disk.' })
    .row('Statements')
    .timeSeries({
      title: 'Statements',
      about: 'By kind.',
      queries: [[rate(queries, { by: 'kind' }), '{{kind}}']],
      unit: 'ops',
      isStacked: true,
    })
    .timeSeries({
      title: 'Failed statements',
      about: 'By kind.',
      queries: [[rate(queries, { by: 'kind', where: 'outcome="failure"' }), '{{kind}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Statements a request',
      about: 'Should stay the same whatever the load.',
      queries: [[share(rate(queries), rate('http_requests_total')), 'statements']],
    })
    .timeSeries({ title: 'Time of a statement', about: 'Median, p95 and p99.', queries: quantiles(statements), unit: 's', width: 12 })
    .timeSeries({
      title: 'p99 by kind',
      about: 'Of a statement.',
      queries: [[quantile(0.99, statements, { by: 'kind' }), '{{kind}}']],
      unit: 's',
      width: 12,
    })
    .row('Transactions and connections')
    .timeSeries({
      title: 'Transactions',
      about: 'A retry was in the way of another and ran again.',
      queries: [[rate(transactions, { by: 'outcome' }), '{{outcome}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Retries to commits',
      about: 'A rise says that many want the same rows.',
      queries: [[share(rate(transactions, { where: 'outcome="retry"' }), rate(transactions, { where: 'outcome="commit"' })), 'retries']],
      unit: 'percentunit',
    })
    .timeSeries({
      title: 'Connections',
      about: 'Of the pools of all processes, and requests that wait for one. Postgres only.',
      queries: [[`sum by (state) (${of('database_pool_connections')})`, '{{state}}']],
    })
    .row('Disk')
    .timeSeries({
      title: 'Free share',
      about: 'Of the disk of the data directory, by process.',
      queries: [[`min by (instance) (${free})`, byInstance]],
      unit: 'percentunit',
      width: 12,
      max: 1,
    })
    .timeSeries({
      title: 'Free bytes',
      about: 'On the disk of the data directory, by process.',
      queries: [[`min by (instance) (${of('disk_free_bytes')})`, byInstance]],
      unit: 'bytes',
      width: 12,
    })
}

function cache(): Dashboard {
  const lookups = 'cache_requests_total'
  const durations = 'cache_request_duration_seconds'
  const hits = share(rate(lookups, { by: 'cache', where: 'result="hit"' }), rate(lookups, { by: 'cache' }))
  return createDashboard({ name: 'cache', title: 'cache', about: 'Look-ups, hits, and the servers behind them.' })
    .row('Look-ups')
    .timeSeries({
      title: 'Look-ups',
      about: 'By cache and what came of them.',
      queries: [[rate(lookups, { by: 'cache, result' }), '{{cache}} {{result}}']],
      unit: 'ops',
    })
    .timeSeries({
      title: 'Hits',
      about: 'Share of the look-ups of each cache.',
      queries: [[hits, '{{cache}}']],
      unit: 'percentunit',
      max: 1,
    })
    .timeSeries({
      title: 'Time of a look-up',
      about: 'p50 and p99, without the reading that a miss costs.',
      queries: [
        [quantile(0.5, durations, { by: 'cache' }), '{{cache}} p50'],
        [quantile(0.99, durations, { by: 'cache' }), '{{cache}} p99'],
      ],
      unit: 's',
    })
    .row('Redis and other servers')
    .timeSeries({
      title: 'Breakers',
      about: '0 lets all calls through, 1 tries one, 2 lets none through.',
      queries: [[`max by (dependency, instance) (${of('breaker_state')})`, '{{dependency}} {{instance}}']],
      width: 12,
      max: 2,
    })
    .timeSeries({
      title: 'Failed calls',
      about: 'By the server that was called, and the reason.',
      queries: [[rate('dependency_failures_total', { by: 'dependency, reason' }), '{{dependency}} {{reason}}']],
      unit: 'ops',
      width: 12,
    })
}

function processes(): Dashboard {
  const most = (gauge: string) => `max by (instance) (${of(gauge)})`
  const about = 'What each process takes: processor, memory, event loop, files.'
  return createDashboard({ name: 'process', title: 'process', about })
    .row('Processor and memory')
    .timeSeries({
      title: 'Processor',
      about: 'Cores that a process keeps busy.',
      queries: [[rate('process_cpu_seconds_total', { by: 'instance' }), byInstance]],
    })
    .timeSeries({
      title: 'Resident memory',
      about: 'By process.',
      queries: [[most('process_resident_memory_bytes'), byInstance]],
      unit: 'bytes',
    })
    .timeSeries({
      title: 'Heap',
      about: 'Used, by process.',
      queries: [[most('nodejs_heap_size_used_bytes'), byInstance]],
      unit: 'bytes',
    })
    .row('Event loop')
    .timeSeries({
      title: 'Delay, p99',
      about: '50 ms of it are the measure’s own. Requests are refused when they would wait for more than 250 ms.',
      queries: [[most('nodejs_eventloop_lag_p99_seconds'), byInstance]],
      unit: 's',
    })
    .timeSeries({
      title: 'Delay, mean',
      about: 'By process; 50 ms of it are the measure’s own.',
      queries: [[most('nodejs_eventloop_lag_mean_seconds'), byInstance]],
      unit: 's',
    })
    .timeSeries({
      title: 'Garbage collection',
      about: 'Share of time that it takes, by kind.',
      queries: [[rate('nodejs_gc_duration_seconds_sum', { by: 'kind' }), '{{kind}}']],
      unit: 'percentunit',
    })
    .row('Files and versions')
    .timeSeries({
      title: 'Open files',
      about: 'Sockets are files, too.',
      queries: [
        [most('process_open_fds'), byInstance],
        [`min(${of('process_max_fds')})`, 'maximum'],
      ],
    })
    .timeSeries({
      title: 'Handles',
      about: 'What keeps the event loops busy, by kind.',
      queries: [[`sum by (type) (${of('nodejs_active_handles')})`, '{{type}}']],
    })
    .timeSeries({
      title: 'Uptime',
      about: 'By process.',
      queries: [[`time() - ${most('process_start_time_seconds')}`, byInstance]],
      unit: 's',
    })
    .table({
      title: 'Versions',
      about: 'What runs where.',
      expr: `max by (instance, version, node) (${of('build_info')})`,
      names: { instance: 'Process', version: 'Pinstack', node: 'Node', Value: 'Runs' },
    })
}
