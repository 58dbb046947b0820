import type { AnyTRPCRouter } from '@trpc/server'
import type { App } from '../compose.ts'
import { StartError } from '../core/start-error.ts'
import type { Consumer } from '../outbox/consumers.ts'
import type { Emit } from '../outbox/outbox.ts'
import type { Clock } from '../ports/clock.ts'
import type { Database } from '../ports/database.ts'
import type { RateLimiter } from '../ports/rate-limiter.ts'
import type { Route } from '../rest/route.ts'
import { isOwnRouter } from '../rpc/procedures.ts'
import type { Tables } from '../schema.ts'
import type { Logger } from '../surfaces/logging.ts'
import { faultOfRoutes } from './feature-routes.ts'
import type { Feature, FeatureContext, FeatureParts } from './feature.ts'
import type { Hooks } from './hooks.ts'

export interface FeatureDeps {
  app: App
  database: Database<Tables>
  clock: Clock
  limiter: RateLimiter
  emit: Emit
  logger: Logger
}

export interface OpenedFeatures {
  /** By the feature's name. */
  services: Record<string, unknown>
  routers: Record<string, AnyTRPCRouter>
  routes: Route[]
  hooks: Hooks[]
  close(): Promise<void>
}

/**
 * Creates the features, and adds their consumers, jobs and purges to those of `app`. What they add to the surfaces is returned.
 *
 * @throws {StartError} for parts of a shape that nothing could be done with, and for names that collide.
 */
export async function openFeatures(features: readonly Feature[], ownRoutes: readonly Route[], deps: FeatureDeps): Promise<OpenedFeatures> {
  const opened: OpenedFeatures = { services: {}, routers: {}, routes: [], hooks: [], close: closeAll }
  const closings: (() => Promise<void>)[] = []
  async function closeAll(): Promise<void> {
    for (const close of closings.splice(0).reverse()) {
      await close().catch((error: unknown) => deps.logger.error({ err: error }, 'a feature could not be closed'))
    }
  }

  for (const feature of features) {
    const parts: FeatureParts = await feature.create(contextOf(feature, deps))
    if (typeof parts?.close === 'function') closings.push(async () => parts.close!())
    try {
      add(feature, parts, { opened, taken: [...ownRoutes, ...opened.routes], app: deps.app })
    } catch (error) {
      await closeAll()
      throw error
    }
  }
  return opened
}

interface Into {
  opened: OpenedFeatures
  taken: readonly Route[]
  app: App
}

const members = ['router', 'routes', 'consumers', 'jobs', 'purgeUser', 'hooks', 'service', 'close']

function add({ name }: Feature, parts: FeatureParts, { opened, taken, app }: Into): void {
  const refuse = (what: string) => new StartError(`The feature ${name} ${what}.`)
  if (typeof parts !== 'object' || parts === null) throw refuse('creates nothing: create must return an object of parts')
  const unknown = Object.keys(parts).find((member) => !members.includes(member))
  if (unknown !== undefined) throw refuse(`creates ${unknown}, which is none of ${members.join(', ')}`)
  const { router, routes = [], consumers = [], jobs = {}, purgeUser, hooks, service } = parts

  if (router !== undefined && !isOwnRouter(router)) throw refuse('has a router that was not made by the router of @pinstack/server')
  if (router) opened.routers[name] = router
  const fault = faultOfRoutes(name, routes, taken)
  if (fault !== undefined) throw refuse(fault)
  opened.routes.push(...routes)

  for (const consumer of consumers) {
    if (!consumer.name.startsWith(`${name}.`)) throw refuse(`has a consumer ${consumer.name}, which does not begin with ${name}.`)
    if (app.consumers.some((one) => one.name === consumer.name)) throw refuse(`has two consumers ${consumer.name}`)
    if (!Array.isArray(consumer.types) || typeof consumer.handle !== 'function')
      throw refuse(`has a consumer ${consumer.name} without types or without a function handle`)
    app.consumers.push(consumer as unknown as Consumer<any>)
  }
  for (const [job, batch] of Object.entries(jobs)) {
    if (typeof batch !== 'function') throw refuse(`has a job ${job} that is no function`)
    Object.assign(app.jobs, { [`${name}.${job}`]: batch })
  }
  if (purgeUser) app.purgeSteps.unshift(purgeUser) // what refers to posts goes before them
  if (hooks !== undefined) opened.hooks.push(hooks)
  opened.services[name] = service
}

function contextOf({ name, events = [] }: Feature, deps: FeatureDeps): FeatureContext<any, any> {
  const { app, database, clock, limiter, emit, logger } = deps
  const types = new Set<string>(events as readonly string[])
  return {
    database: database as Database<any>,
    clock,
    app,
    limiter,
    logger: logger.child({ feature: name }),
    async emit(tx, event) {
      if (!types.has(event.type)) throw new TypeError(`the feature ${name} does not declare the event ${event.type}`)
      await emit(tx, event as never)
    },
    async notify(tx, { source, ...notification }) {
      const id = await app.notifications.report(tx, { ...notification, sourceKey: source === undefined ? null : `${name}:${source}` })
      return id === undefined ? undefined : { id }
    },
    withdraw: (tx, source) => app.notifications.withdraw(tx, `${name}:${source}`),
    consumer: (definition) => definition,
  }
}
