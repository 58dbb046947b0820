import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { StartError } from '../core/start-error.ts'
import { failureOf, failureText, jsonType, loadErrors } from './envelope.ts'
import type { HttpSurface } from './http.ts'
import { requestMsMax } from './requests.ts'

/** What is used of a Fastify application; whatever version 5 made it, and whatever its logger and types are. */
export interface Host {
  readonly version: string
  readonly initialConfig: { readonly http2?: boolean; readonly requestTimeout?: number; readonly connectionTimeout?: number }
  register(plugin: (scope: any) => Promise<void>): unknown
}

export interface MountOptions {
  /**
   * What all paths begin with, such as `/social`: everything below it is Pinstack's. Without it Pinstack takes the paths that it has at
   * an address of its own (`/api`, `/trpc`, `/docs`, `/swagger`, `/setup`, `/livez`, `/readyz`, `/healthz`) and leaves all others alone.
   */
  prefix?: string
}

interface MountDeps {
  prefix: string
  open(basePath: string): Promise<HttpSurface>
  /** Rejects when the host must not start. */
  onReady(): Promise<void>
  /** Answers what is under way and takes no more. */
  closeSurface(): Promise<void>
  close(): Promise<void>
  warn(message: string, fields: Record<string, unknown>): void
}

const prefixForm = /^(\/[\w.~-]+)+$/
const startedCodes = ['FST_ERR_INSTANCE_ALREADY_LISTENING', 'AVV_ERR_ROOT_PLG_BOOTED']
const sweepEveryMs = 100
const versionForm = /^5[.]/

/**
 * Hands the requests for Pinstack's paths over to its own surface as they came in, before the host has read anything of them: bodies,
 * limits, errors and addresses are what they are on a server of its own, whatever the host does with its other requests.
 *
 * @throws {StartError}
 */
export async function mountOn(host: Host, deps: MountDeps): Promise<void> {
  const { prefix } = deps
  if (!versionForm.test(host?.version ?? '') || typeof host.register !== 'function')
    throw new StartError(`Pinstack can be mounted on an application of Fastify 5, which ${host?.version ?? 'this'} is not.`)
  if (prefix !== '' && !prefixForm.test(prefix))
    throw new StartError(`The prefix ${JSON.stringify(prefix)} must be like /social: a slash in front of each part, and none at the end.`)
  const { http2, requestTimeout = 0, connectionTimeout = 0 } = host.initialConfig
  if (http2) throw new StartError('Pinstack cannot be mounted on an application with http2: let a proxy in front speak it.')
  if (requestTimeout === 0)
    deps.warn('the application has no requestTimeout: who sends headers slowly keeps a connection', { wantedMs: requestMsMax })
  if (connectionTimeout > 0) deps.warn('the application has a connectionTimeout: live streams end when it is over', { connectionTimeout })

  const surface = await deps.open(prefix)
  const mount = async (scope: FastifyInstance): Promise<void> => {
    scope.addHook('onRequest', forwardTo(surface, prefix))
    scope.addHook('onReady', deps.onReady)
    let sweep: NodeJS.Timeout | undefined
    scope.addHook('preClose', async () => {
      // A connection that is busy when the host closes is idle afterwards, and Fastify would wait for its keep-alive to end: 72 s.
      sweep = setInterval(() => scope.server.closeIdleConnections(), sweepEveryMs).unref()
      await deps.closeSurface() // the host goes on with its own requests meanwhile, and they have the database
    })
    scope.addHook('onClose', async () => {
      clearInterval(sweep)
      await deps.close()
    })
    for (const url of pathsOf(surface, prefix)) {
      scope.route({ method: scope.supportedMethods, url, exposeHeadRoute: false, handler: neverCalled })
    }
  }
  try {
    host.register(mount)
  } catch (error) {
    await surface.close()
    if (startedCodes.includes((error as { code?: string }).code ?? ''))
      throw new StartError('The application has started already: mount Pinstack before listen() and ready().', { cause: error })
    throw error
  }
}

function pathsOf({ roots }: HttpSurface, prefix: string): string[] {
  return prefix === '' ? roots.flatMap((root) => [`/${root}`, `/${root}/*`]) : [prefix, `${prefix}/*`]
}

/** @NOTE as a hook, since the host reads bodies after it; and it never calls `done`: the answer is the surface's from here on. */
function forwardTo(surface: HttpSurface, prefix: string) {
  return ({ id, raw }: FastifyRequest, reply: FastifyReply, _done: () => void): void => {
    reply.hijack()
    if (surface.isClosed()) {
      reply.raw.writeHead(503, { 'content-type': jsonType, 'retry-after': '1', connection: 'close' })
      return void reply.raw.end(failureText(failureOf(loadErrors.overloaded())!, id))
    }
    const rest = raw.url!.slice(prefix.length)
    raw.url = rest.startsWith('/') ? rest : `/${rest}`
    surface.app.routing(raw, reply.raw)
  }
}

function neverCalled(): never {
  throw new Error('the hook has answered')
}
