import type { AnyTRPCRouter } from '@trpc/server'
import type { Transaction } from 'kysely'
import type { App } from '../compose.ts'
import type { Events } from '../events.ts'
import type { NumberedMigration } from '../migrations/index.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { Route } from '../rest/route.ts'
import type { Tables } from '../schema.ts'
import type { Logger } from '../surfaces/logging.ts'
import type { Hooks } from './hooks.ts'

/** The transaction of a feature with tables of its own: it sees those and all of Pinstack's. */
export type FeatureTx<OwnTables> = Transaction<Tables & OwnTables>

/** An event as a consumer of a feature sees it: one of Pinstack's, or one of the feature's own. Its `type` says which. */
export type FeatureEvent<OwnEvents, Type extends keyof (Events & OwnEvents) = keyof (Events & OwnEvents)> = {
  [Each in Type]: { id: string; type: Each; key: number; payload: (Events & OwnEvents)[Each]; createdAt: string }
}[Type]

/**
 * Reacts to events. Each has its effect exactly once, whatever happens to the process or the bus: the mark that it was taken commits
 * with the effect. One that fails is tried again (after 0.1, 0.4, 1.6 and 6.4 s) and then is a dead letter, for `pinstack events`.
 */
export interface FeatureConsumer<OwnTables = any, OwnEvents = any, Type extends keyof (Events & OwnEvents) = any> {
  /** `<feature>.<what it does>`, for good: renamed, it would start again at the oldest event. */
  name: string
  types: readonly Type[]
  /**
   * Comes before the first of the events that are handled in one transaction, with all of them: takes the locks that they need, in one
   * order, by `dialect.lockRows`. Taken one by one they would follow the order of the events, and deadlock with others.
   */
  prepare?(tx: FeatureTx<OwnTables>, events: readonly FeatureEvent<OwnEvents, Type>[]): Promise<void>
  /** Writes the effect with `tx` and touches nothing else: it may run more than once, and only its last run is kept. */
  handle(tx: FeatureTx<OwnTables>, event: FeatureEvent<OwnEvents, Type>): Promise<void>
}

/** What a feature is given to work with. `OwnTables` and `OwnEvents` are its own, by name; Pinstack's are there, too. */
export interface FeatureContext<OwnTables = {}, OwnEvents = {}> {
  /** Never there: what `defineFeature` knows the two types by. */
  readonly $types?: { tables: OwnTables; events: OwnEvents }
  /** `db` to read, `transaction` to write, `dialect` for what the two engines do differently. */
  database: Database<Tables & OwnTables>
  clock: Clock
  /** Pinstack's own services: `app.posts.byId(id)`, `app.users.find(id)`. What hooks there are, they run here, too. */
  app: App
  /** Counts towards a limit of the feature's own, for all replicas: `limiter.consume({ name, max, windowMs }, key)` rejects with `limit.exceeded`. */
  limiter: RateLimiter
  /** Bears the feature's name, and the ids of the request or event that is being worked on. */
  logger: Logger
  /** Writes an event in the transaction of the change that it reports: it exists if and only if the change does. Emit last. `key` is the user whom it concerns. */
  emit<Type extends keyof OwnEvents & string>(
    tx: FeatureTx<OwnTables>,
    event: { type: Type; key: number; payload: OwnEvents[Type] },
  ): Promise<void>
  /**
   * Puts a notification with `origin: 'system'` into a user's feed, with its counters and its live event, in your transaction. Undefined
   * when an unread one of the same `source` is there, and for an account that is gone. It locks the recipient's row: where one
   * transaction tells several users, lock all of them first.
   */
  notify(
    tx: FeatureTx<OwnTables>,
    notification: { userId: number; type: string; payload?: unknown; source?: string },
  ): Promise<{ id: number } | undefined>
  /** Takes back what `notify` told of `source`, unless it was read. Says whether there was something. */
  withdraw(tx: FeatureTx<OwnTables>, source: string): Promise<boolean>
  /** Gives a consumer its types, and back unchanged. */
  consumer<Type extends keyof (Events & OwnEvents)>(
    definition: FeatureConsumer<OwnTables, OwnEvents, Type>,
  ): FeatureConsumer<OwnTables, OwnEvents, any>
}

/** What a feature adds. All of it is optional. */
export interface FeatureParts<Router extends AnyTRPCRouter | undefined = AnyTRPCRouter | undefined, Service = unknown> {
  /** Made of `router`, `open`, `authed` and `admin` of `@pinstack/server`. Its procedures are `<feature>.<procedure>`. */
  router?: Router
  /** REST routes, made by `route` or `eventRoute`: in the OpenAPI document, with the envelope, the limits and the kinds of authentication of all others. */
  routes?: readonly Route[]
  consumers?: readonly FeatureConsumer[]
  /**
   * Bounded batches of work that may wait, by name. Each is called again at once while it says that more is left, and else each minute;
   * on every process with the role `worker`, so one that must not run twice takes `dialect.tryLock` first.
   */
  jobs?: Readonly<Record<string, () => Promise<boolean>>>
  /**
   * Removes up to `rowsMax` rows that belong to a deleted user, and returns how many; 0 when none is left. Comes before the user's posts
   * and account are removed, so that your rows may refer to them.
   */
  purgeUser?(tx: Transaction<any>, userId: number, rowsMax: number): Promise<number>
  /** Run after those of `createServer`. */
  hooks?: Hooks
  /** What the program that starts the server gets as `server.features.<name>`. */
  service?: Service
  /** Called once, after the last request and the last event, before the database is closed. */
  close?(): Promise<void>
}

/** Something that Pinstack does not do, with tables, procedures, routes and events of its own. Made by `defineFeature`. */
export interface Feature<
  Name extends string = string,
  OwnTables = any,
  OwnEvents = any,
  Router extends AnyTRPCRouter | undefined = any,
  Service = any,
> {
  /**
   * Up to 32 letters, digits and `_`, all small: what is the feature's own begins with it. Event types (`reaction_added`), error codes
   * (`reaction.unknown`), names of routes and consumers (`reaction.add`), procedures and migrations do; tables should, too.
   */
  name: Name
  /** By name, `0001-what-it-does`, in the order of their numbers. Applied under the same lock and in the same transaction as Pinstack's. Append only. */
  migrations?: Readonly<Record<string, NumberedMigration>>
  /** The types of `OwnEvents`, all of them: `emit` takes no other. */
  events?: readonly string[]
  /** Where its events go on Kafka; `<feature>-events` unless stated. */
  topic?: string
  /** Called once, when the storage is open and migrated. */
  create(context: FeatureContext<OwnTables, OwnEvents>): FeatureParts<Router, Service> | Promise<FeatureParts<Router, Service>>
}

/**
 * Declares a feature. It checks nothing yet: `createServer` does, and rejects with a `StartError` that says what is wrong.
 *
 * @example
 * ```ts
 * import { authed, defineFeature, id, router, type FeatureContext } from '@pinstack/server'
 * import * as z from 'zod'
 *
 * interface Tables {
 *   bookmark: { userId: number; postId: number }
 * }
 *
 * export const bookmark = defineFeature({
 *   name: 'bookmark',
 *   migrations: {
 *     '0001-bookmarks': {
 *       up: (db) =>
 *         db.schema
 *           .createTable('bookmark')
 *           .addColumn('userId', 'bigint', (column) => column.notNull().references('user.id'))
 *           .addColumn('postId', 'bigint', (column) => column.notNull().references('post.id').onDelete('cascade'))
 *           .addPrimaryKeyConstraint('bookmark_once', ['userId', 'postId'])
 *           .execute(),
 *       down: (db) => db.schema.dropTable('bookmark').execute(),
 *     },
 *   },
 *   create: ({ database }: FeatureContext<Tables>) => ({
 *     router: router({
 *       add: authed.input(z.object({ postId: id })).mutation(({ ctx, input }) =>
 *         database.transaction(async (tx) => {
 *           const row = { userId: ctx.viewer.id, postId: input.postId }
 *           await tx.insertInto('bookmark').values(row).onConflict((conflict) => conflict.doNothing()).execute()
 *         }),
 *       ),
 *     }),
 *     purgeUser: async (tx, userId) => Number((await tx.deleteFrom('bookmark').where('userId', '=', userId).executeTakeFirst()).numDeletedRows),
 *   }),
 * })
 * ```
 */
export function defineFeature<
  const Name extends string,
  OwnTables = {},
  OwnEvents = {},
  Router extends AnyTRPCRouter | undefined = undefined,
  Service = undefined,
  const Declared extends string = never,
>(
  feature: Feature<Name, OwnTables, OwnEvents, Router, Service> & { events?: readonly Declared[] } & Declares<OwnEvents, Declared>,
): Feature<Name, OwnTables, OwnEvents, Router, Service> {
  return feature
}

/**
 * Nothing more, where the events that are declared are those of `OwnEvents`. @NOTE apart from the member's own type, which would settle
 * what `OwnEvents` is before `create` has said it.
 */
type Declares<OwnEvents, Declared> = string extends keyof OwnEvents
  ? unknown
  : [Declared, keyof OwnEvents] extends [keyof OwnEvents, Declared]
    ? unknown
    : { events: readonly (keyof OwnEvents)[] }

/** The services of features, by their names. */
export type ServicesOf<Features extends readonly Feature[]> = {
  readonly [Each in Features[number] as Each['name']]: Each extends Feature<any, any, any, any, infer Service> ? Service : never
}

/** The routers of features, by their names; of those that have one. */
export type RoutersOf<Features extends readonly Feature[]> = {
  readonly [Each in Features[number] as Each extends Feature<infer Name, any, any, AnyTRPCRouter, any>
    ? Name
    : never]: Each extends Feature<any, any, any, infer Router, any> ? Router : never
}
