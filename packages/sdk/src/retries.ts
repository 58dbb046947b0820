import { isPinstackError, PinstackError } from './errors.ts'
import type { Procedures } from './procedures.ts'
import { sleep } from './sleep.ts'
import type { Request, Send } from './transport.ts'

/** Changes that the server takes a second time for what they are, and then does nothing, and tells nobody of anything. */
const repeatable: ReadonlySet<string> = new Set<keyof Procedures>([
  'auth.logout',
  'auth.sessions.revoke',
  'auth.sessions.revokeOthers',
  'relations.follow',
  'relations.unfollow',
  'notifications.read',
  'notifications.readAll',
  'notifications.remove',
  'admin.users.suspend',
  'admin.users.restore',
  'admin.users.setRole',
  'admin.users.revokeSession',
  'admin.users.revokeSessions',
  'admin.posts.remove',
  'admin.posts.restore',
])

/** Refused before the call ran, so that it may be sent again, whatever it does. */
const refusals = ['http.overloaded', 'limit.exceeded', 'auth.busy'] as const

const firstWaitMs = 200
/** A server that asks for more than this is not waited for: whoever called is told, and how long. */
const waitMsMax = 5_000

/**
 * Sends again what may be sent again: queries and `repeatable` changes after a failure that may pass, all others only when the server
 * has said that they did not run. Tries and waits together take no longer than `timeoutMs`.
 */
export function createRetries(send: Send, ofClient: { timeoutMs: number; retries: number }): Send {
  return async ({ timeoutMs = ofClient.timeoutMs, retries = ofClient.retries, ...request }) => {
    const endMs = performance.now() + timeoutMs
    for (let failures = 0; ; failures++) {
      try {
        return await send({ ...request, timeoutMs: failures === 0 ? timeoutMs : Math.max(1, Math.round(endMs - performance.now())) })
      } catch (error) {
        const waitMs = failures < retries && mayRepeat(request, error) ? waitBefore(failures, error) : Infinity
        if (waitMs > waitMsMax || performance.now() + waitMs >= endMs) throw error
        await sleep(waitMs, request.signal)
        if (request.signal?.aborted) throw new PinstackError('aborted', `${request.path} was aborted`, { cause: request.signal.reason })
      }
    }
  }
}

function mayRepeat({ kind, path }: Request, error: unknown): boolean {
  if (isPinstackError(error, ...refusals)) return true
  if (kind !== 'query' && !repeatable.has(path)) return false
  return isPinstackError(error) && (error.code === 'network' || [408, 429, 502, 503, 504].includes(error.status))
}

/** Doubles, and is spread, so that clients that failed together do not come back together. */
function waitBefore(failures: number, error: unknown): number {
  const waitMs = firstWaitMs * 2 ** failures
  const askedMs = (isPinstackError(error) && error.retryAfterMs) || 0
  return askedMs + waitMs * (askedMs > 0 ? Math.random() : 0.5 + Math.random() / 2)
}
