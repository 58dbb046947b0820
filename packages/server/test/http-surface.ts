import { viewerErrors, type Authenticate, type Role } from '../src/core/viewer.ts'
import type { Route } from '../src/rest/route.ts'
import type { AppRouter } from '../src/router.ts'
import { router } from '../src/rpc/procedures.ts'
import { createHealth, type HealthCheck } from '../src/surfaces/health.ts'
import { createHttpSurface, type HttpDeps } from '../src/surfaces/http.ts'
import { createLogger } from '../src/surfaces/logging.ts'
import { createMetrics } from '../src/surfaces/metrics.ts'

/** The token is the user's id, perhaps with a role: `7`, `7:admin`. For tests of what stands above accounts. */
export const authenticateById: Authenticate = async (token) => {
  const [, id, role = 'user'] = /^(\d+)(?::(\w+))?$/.exec(token) ?? []
  if (!id) throw viewerErrors.invalid_token()
  return { id: Number(id), role: role as Role, sessionId: `s${id}` }
}

interface Options extends Partial<HttpDeps> {
  routes?: Route[]
  router?: unknown
  checks?: HealthCheck[]
  level?: string
}

/** The real surface over routes and procedures of a test; `lines` is its log. */
export async function openSurface({ routes = [], router: ofTest = router({}), checks = [], level = 'info', ...deps }: Options = {}) {
  const lines: any[] = []
  const log: string[] = []
  const destination = {
    write: (line: string) => {
      log.push(line)
      lines.push(JSON.parse(line))
    },
  }
  const metrics = createMetrics({ version: '1.2.3', process: false })
  const health = createHealth({ version: '1.2.3', checks })
  const surface = await createHttpSurface(
    { router: ofTest as AppRouter, routes },
    {
      authenticate: authenticateById,
      logger: createLogger({ level, destination }),
      metrics,
      health,
      version: '1.2.3',
      corsOrigins: ['*'],
      trustProxy: ['loopback'],
      ...deps,
      // A machine that runs other tests beside these is no reason to refuse.
      limits: { loopDelayMs: Number.POSITIVE_INFINITY, ...deps.limits },
    },
  )
  return { ...surface, metrics, health, lines, log }
}
