import { collectDefaultMetrics, Counter, Gauge, Registry } from 'prom-client'
import { requestTallies } from './request-tallies.ts'
import { readInto, setEach, stateGauges } from './state-gauges.ts'
import { countTally, durationTally } from './tallies.ts'

const prefix = 'pinstack_'
/** Of each delay of the event loop that is reported, this much is the timer's own. At its usual 10 ms it was a third of what an idle process costs. */
export const loopResolutionMs = 50
const cacheBuckets = [0.000025, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1]
const databaseBuckets = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]

const queryKinds = ['select', 'insert', 'update', 'delete', 'other'] as const
const authOperations = ['register', 'login', 'refresh', 'logout', 'change_password'] as const
const sessionEnds = ['logout', 'revoked', 'reuse', 'password', 'pruned', 'deleted', 'expired'] as const

export type QueryKind = (typeof queryKinds)[number]
export type AuthOperation = (typeof authOperations)[number]
export type SessionEnd = (typeof sessionEnds)[number]

interface PoolConnections {
  total: number
  idle: number
  waiting: number
  /** As many as there may be. */
  max: number
}

export type Metrics = ReturnType<typeof createMetrics>

/**
 * One registry, and a plain function for each thing that is counted, to be handed to whoever counts it. docs/metrics.md lists
 * the families. A label is a route pattern or one of a few words; never an id, a name or an address.
 *
 * `process: false` leaves out memory, event loop and garbage collection: these watch the whole process, for good.
 */
export function createMetrics({
  version,
  process: ofProcess = true,
  stateKeptMs,
}: {
  version: string
  process?: boolean
  stateKeptMs?: number
}) {
  const registry = new Registry()
  const registers = [registry]
  const counter = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name: prefix + name, help, labelNames, registers })
  /** Is asked when it is scraped, by the function that is registered for it; has no value before. */
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge({ name: prefix + name, help, labelNames, registers })

  if (ofProcess) collectDefaultMetrics({ register: registry, prefix, eventLoopMonitoringPrecision: loopResolutionMs })
  gauge('build_info', 'Always 1; the labels say what runs.', ['version', 'node']).set({ version, node: process.versions.node }, 1)

  const httpRequest = requestTallies(registry, prefix)
  const inFlight = gauge('http_requests_in_flight', 'HTTP requests and streams that are under way.')
  const authorizations = counter('authorizations_total', 'Checks of an access token where a route asks for one.', ['outcome'])
  const authentications = counter('authentications_total', 'Registrations, logins, refreshes, logouts and password changes.', [
    'operation',
    'outcome',
  ])
  const sessionsStarted = counter('sessions_started_total', 'Sessions started.')
  const sessionsEnded = counter('sessions_ended_total', 'Sessions ended, by reason.', ['reason'])
  const passwordHashes = gauge('password_hashes', 'Passwords being hashed, and waiting for it.', ['state'])
  const queries = countTally<QueryKind, 'success' | 'failure'>(registry, {
    name: `${prefix}database_queries_total`,
    help: 'Database statements.',
    labels: ['kind', 'outcome'],
  })
  const querySeconds = durationTally(registry, {
    name: `${prefix}database_query_duration_seconds`,
    help: 'Time of a database statement.',
    label: 'kind',
    buckets: databaseBuckets,
  })
  const transactions = counter(
    'database_transactions_total',
    'Transactions; a retry is one that was in the way of another and ran again.',
    ['outcome'],
  )
  const pool = gauge('database_pool_connections', 'Connections to the database, and requests waiting for one.', ['state'])
  const pools: (() => PoolConnections)[] = []
  const cacheRequests = countTally<string, 'hit' | 'miss'>(registry, {
    name: `${prefix}cache_requests_total`,
    help: 'Look-ups in a cache.',
    labels: ['cache', 'result'],
  })
  const cacheSeconds = durationTally(registry, {
    name: `${prefix}cache_request_duration_seconds`,
    help: 'Time of a look-up in a cache, not of the reading that a miss costs.',
    label: 'cache',
    buckets: cacheBuckets,
  })
  const state = stateGauges(registry, { prefix, keptMs: stateKeptMs })
  const backgroundFailures = counter(
    'background_failures_total',
    'Failures of the relay, the tail, a consumer, a job or the publisher to Kafka: one a series, and one a minute while it goes on.',
    ['part'],
  )
  const relayLeader = gauge('relay_leader', '1 in the process that hands events to Kafka, 0 in those that would take over.')
  const events = {
    published: counter('events_published_total', 'Events handed to a bus.', ['bus', 'type']),
    consumed: counter('events_consumed_total', 'Events whose effect a consumer has committed.', ['consumer', 'type']),
    retried: counter('events_retried_total', 'Events that failed and will be tried again.', ['consumer', 'type']),
    dead: counter('events_dead_total', 'Events given up: dead letters.', ['consumer', 'type']),
  }
  const breakerState = gauge('breaker_state', 'Whether calls to a dependency are let through: 0 all, 1 one to try, 2 none.', ['dependency'])
  const dependencyFailures = counter('dependency_failures_total', 'Calls to a dependency that failed, were too slow, or were not made.', [
    'dependency',
    'reason',
  ])
  const rateLimited = counter('rate_limited_total', 'Requests refused by a rate limit.', ['limit'])
  const registrations = counter('registrations_total', 'Accounts made.')
  const logins = counter('logins_total', 'Logins that succeeded.')
  const posts = counter('posts_created_total', 'Posts made.')
  const follows = counter('follows_created_total', 'Follows made.')
  const notifications = counter('notifications_created_total', 'Notifications put into feeds, by the system or by a user.', ['origin'])

  const liveStreams = gauge('live_streams', 'Streams of live events that are open.', ['topic'])
  const liveStreamsEnded = counter(
    'live_streams_ended_total',
    'Streams of live events that ended: left by the client, or why the server ended them.',
    ['reason'],
  )

  // What is there from the start counts from 0: the first failure is an increase, and a panel of none shows a line.
  for (const outcome of ['success', 'failure'] as const) {
    for (const operation of authOperations) authentications.inc({ operation, outcome }, 0)
    for (const kind of queryKinds) queries(kind, outcome, 0)
  }
  for (const outcome of ['allowed', 'unauthenticated', 'forbidden']) authorizations.inc({ outcome }, 0)
  for (const outcome of ['commit', 'rollback', 'retry']) transactions.inc({ outcome }, 0)
  for (const reason of sessionEnds) sessionsEnded.inc({ reason }, 0)
  for (const origin of ['system', 'user']) notifications.inc({ origin }, 0)
  for (const reason of ['left', 'revoked', 'suspended', 'closing', 'aged']) liveStreamsEnded.inc({ reason }, 0)

  return {
    registry,
    httpRequest,
    httpInFlight: (read: () => number): void => readInto(inFlight, () => inFlight.set(read())),
    authorization: (outcome: 'allowed' | 'unauthenticated' | 'forbidden'): void => authorizations.inc({ outcome }),
    authentication: (operation: AuthOperation, outcome: 'success' | 'failure'): void => authentications.inc({ operation, outcome }),
    sessionStarted: (): void => sessionsStarted.inc(),
    sessionEnded: (reason: SessionEnd): void => sessionsEnded.inc({ reason }),
    passwordQueue: (read: () => { running: number; waiting: number }): void =>
      readInto(passwordHashes, () => setEach(passwordHashes, 'state', read())),
    databaseQuery(kind: QueryKind, seconds: number, ok: boolean): void {
      queries(kind, ok ? 'success' : 'failure')
      querySeconds(kind, seconds)
    },
    transaction: (outcome: 'commit' | 'rollback' | 'retry'): void => transactions.inc({ outcome }),
    /** Called for each pool that there is. */
    databasePool(read: () => PoolConnections): void {
      pools.push(read)
      readInto(pool, () => {
        for (const name of ['total', 'idle', 'waiting', 'max'] as const)
          pool.set(
            { state: name },
            pools.reduce((sum, one) => sum + one()[name], 0),
          )
      })
    },
    relayLeads: (read: () => boolean): void => readInto(relayLeader, () => relayLeader.set(read() ? 1 : 0)),
    cache(cache: string, result: 'hit' | 'miss', seconds: number): void {
      cacheRequests(cache, result)
      cacheSeconds(cache, seconds)
    },
    /** Once a consumer is there: its counters begin at 0. */
    knownConsumer(consumer: string, types: readonly string[]): void {
      for (const type of types) for (const stage of ['consumed', 'retried', 'dead'] as const) events[stage].inc({ consumer, type }, 0)
    },
    backgroundFailure: (part: string): void => backgroundFailures.inc({ part }),
    knownParts(parts: readonly string[]): void {
      for (const part of parts) backgroundFailures.inc({ part }, 0)
    },
    ...state,
    event(stage: keyof typeof events, by: string, type: string): void {
      if (stage === 'published') events.published.inc({ bus: by, type })
      else events[stage].inc({ consumer: by, type })
    },
    breaker(dependency: string, state: 'closed' | 'half_open' | 'open'): void {
      breakerState.set({ dependency }, { closed: 0, half_open: 1, open: 2 }[state])
      for (const reason of ['timeout', 'error', 'rejected'] as const) dependencyFailures.inc({ dependency, reason }, 0)
    },
    dependencyFailure: (dependency: string, reason: 'timeout' | 'error' | 'rejected'): void =>
      dependencyFailures.inc({ dependency, reason }),
    rateLimited: (limit: string): void => rateLimited.inc({ limit }),
    registration: (): void => registrations.inc(),
    login: (): void => logins.inc(),
    post: (): void => posts.inc(),
    follow: (): void => follows.inc(),
    notification: (origin: 'system' | 'user'): void => notifications.inc({ origin }),
    liveStreams: (read: () => Record<string, number>): void => readInto(liveStreams, () => setEach(liveStreams, 'topic', read())),
    liveStreamEnded: (reason: 'left' | 'revoked' | 'suspended' | 'closing' | 'aged'): void => liveStreamsEnded.inc({ reason }),
    /** Lets go of whatever the gauges ask. */
    close: (): void => registry.clear(),
  }
}
