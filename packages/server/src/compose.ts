import { createRecordAudit, exportAudit, listAudit, type AuditFilter } from './audit/audit.ts'
import { createAuthority } from './audit/authority.ts'
import { createAdmin } from './features/admin/service.ts'
import { purgeAuthOf } from './features/auth/jobs.ts'
import type { Keyring } from './features/auth/keys.ts'
import type { Passwords } from './features/auth/passwords.ts'
import { createAuth } from './features/auth/service.ts'
import { suspensionOf } from './features/auth/suspension.ts'
import type { HubDeps } from './features/live/hub.ts'
import { createLive } from './features/live/service.ts'
import { createNotifications } from './features/notifications/service.ts'
import { fromCursor, postErrors, toCursor } from './features/posts/posts.ts'
import { createPosts } from './features/posts/service.ts'
import { createRelations } from './features/relations/service.ts'
import type { PurgeStep } from './features/users/purge.ts'
import { createUsers } from './features/users/service.ts'
import type { Consumer } from './outbox/consumers.ts'
import { createDeadLetters } from './outbox/dead-letters.ts'
import { createEmit } from './outbox/outbox.ts'
import type { Event } from './outbox/read.ts'
import type { Cache } from './ports/cache.ts'
import type { Clock } from './ports/clock.ts'
import type { Database } from './ports/database.ts'
import type { Doorbell } from './ports/doorbell.ts'
import type { RateLimiter } from './ports/rate-limiter.ts'
import type { Tables } from './schema.ts'
import type { Metrics } from './surfaces/metrics.ts'

export interface AppDeps {
  database: Database<Tables>
  clock: Clock
  cache: Cache
  limiter: RateLimiter
  passwords: Passwords
  keys: Keyring
  /** Rung after each commit that wrote an event. */
  committed: Doorbell
  settings: {
    createByUsers: boolean
    sendByUsers: boolean
    accessTtlMs: number
    refreshTtlMs: number
    issuer: string
    audience: string
  }
  live: HubDeps['limits']
  metrics?: Metrics
  warn(message: string, fields: Record<string, unknown>): void
}

export type App = ReturnType<typeof compose>

/** The one place that knows the features and wires them to each other. Nothing runs by itself: background.ts does that. */
export function compose(deps: AppDeps) {
  const { database, clock, cache, limiter, passwords, keys, settings, metrics, warn } = deps
  const emit = createEmit(deps)
  const recordAudit = createRecordAudit(clock)
  const authorise = createAuthority(deps)
  const users = createUsers({
    database,
    clock,
    emit,
    cache,
    limiter,
    recordAudit,
    authorise,
    passwords,
    // Not called before both are there: each takes part in transactions of the other.
    accounts: { open: (tx, account) => auth.accounts.open(tx, account), close: (tx, userId) => auth.accounts.close(tx, userId) },
    settings,
    ...(metrics && { record: { registration: metrics.registration, cache: metrics.cache } }),
  })
  const auth = createAuth({
    database,
    clock,
    emit,
    limiter,
    recordAudit,
    authorise,
    passwords,
    keys,
    warn,
    users: { createAccount: users.createAccount },
    settings,
    ...(metrics && { record: metrics }),
  })
  const posts = createPosts({
    database,
    clock,
    emit,
    cache,
    recordAudit,
    authorise,
    findAuthor: users.find,
    ...(metrics && { record: metrics }),
  })
  const relations = createRelations({ database, clock, emit, ...(metrics && { record: metrics }) })
  const notifications = createNotifications({ database, clock, emit, limiter, settings, ...(metrics && { record: metrics }) })
  const live = createLive({
    database,
    findNotifications: notifications.byIds,
    findPosts: posts.byIds,
    limits: deps.live,
    ...(metrics && { record: metrics }),
  })
  /** What is removed of a deleted user, in this order. */
  const purgeSteps: PurgeStep[] = [purgeAuthOf, posts.purgeOf, relations.purgeOf, notifications.purgeOf]
  const audit = {
    list: (filter?: AuditFilter) => listAudit(database.db, filter),
    export: (filter: AuditFilter) => exportAudit(database.db, filter),
  }
  const rules = { suspensionOf, toCursor, fromCursor, postNotFound: postErrors.not_found }
  const admin = createAdmin({ database, clock, users, auth, posts, audit, rules })
  return {
    users,
    auth,
    posts,
    relations,
    notifications,
    live,
    audit,
    admin,
    deadLetters: createDeadLetters({ database, clock }),
    /** Who reacts to events. Their names are the groups on the bus. */
    consumers: [...notifications.consumers] as Consumer<any>[],
    /** For the process's tail: what is remembered here goes when it changed, in this process or in another, and streams are told. */
    hear(event: Event): void {
      const { type, key, payload } = event
      if (type === 'user_updated' || type === 'user_deleted') void users.forget(key)
      if (type === 'post_updated' || type === 'post_deleted') void posts.forget(payload.post_id)
      live.hear(event) // last: whoever is told reads what is true by now
    },
    purgeSteps,
    /** Bounded batches of work that may wait. Each tells whether more is left. */
    jobs: {
      purgeDeletedUsers: () => users.purgeDeletedUsers(purgeSteps),
      purgeExpiredTokens: () => auth.purgeExpiredTokens(),
    },
  }
}
