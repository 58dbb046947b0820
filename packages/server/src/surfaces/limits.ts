import type { Socket } from 'node:net'
import type { FastifyContextConfig, FastifyReply, FastifyRequest } from 'fastify'
import { networkOf } from '../core/network.ts'
import type { Viewer } from '../core/viewer.ts'
import type { Allowance, RateLimit, RateLimiter } from '../ports/rate-limiter.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** How many calls a request stands for; one, where absent. */
    callsOf?: (request: FastifyRequest) => number
  }
  interface FastifyRequest {
    /** Null where nothing is limited. */
    limited: Limited | null
  }
}

/** What is known of a request's limits while it is answered. */
interface Limited {
  reply: FastifyReply
  points: number
  /** The limit that is nearest to its end. */
  nearest: Allowance | undefined
  /** Settled once for a request, however often it asks who sends it. */
  account: Promise<void> | undefined
}

export interface RequestLimitsOptions {
  limiter: RateLimiter
  /** Requests a minute. */
  maxima: { readsPerAddress: number; readsPerAccount: number; writesPerAddress: number; writesPerAccount: number }
}

const minuteMs = 60_000

/**
 * One rule for all surfaces. A request counts for its address before anything else is done for it, and for its account as soon as that is
 * known; what only reads (GET, HEAD) and what may write are counted apart. Each call of a batch counts.
 */
export function createRequestLimits({ limiter, maxima }: RequestLimitsOptions) {
  const limit = (name: string, max: number): RateLimit => ({ name, max, windowMs: minuteMs })
  const limits = {
    read: { address: limit('read_address', maxima.readsPerAddress), account: limit('read_account', maxima.readsPerAccount) },
    write: { address: limit('write_address', maxima.writesPerAddress), account: limit('write_account', maxima.writesPerAccount) },
  }
  const limitsOf = ({ raw }: FastifyRequest) => (raw.method === 'GET' || raw.method === 'HEAD' ? limits.read : limits.write)

  const { consumeNow } = limiter
  function allowed(limited: Limited, left: Allowance | undefined): void {
    if (left && (!limited.nearest || shareOf(left) < shareOf(limited.nearest))) tell(limited, left)
  }
  function refused(limited: Limited, limit: RateLimit, error: unknown): never {
    tell(limited, { limit, remaining: 0, resetMs: (error as { retryAfterMs?: number }).retryAfterMs ?? minuteMs })
    throw error
  }
  /** Undefined when it is done already. @NOTE a promise for each request would cost more than the rest of this. */
  function count(limited: Limited, limit: RateLimit, key: string): Promise<void> | undefined {
    if (consumeNow) {
      try {
        allowed(limited, consumeNow(limit, key, limited.points))
      } catch (error) {
        refused(limited, limit, error)
      }
      return undefined
    }
    return limiter.consume(limit, key, limited.points).then(
      (left) => allowed(limited, left),
      (error) => refused(limited, limit, error),
    )
  }
  async function countAccount(request: FastifyRequest, { id }: Viewer): Promise<void> {
    const { limited } = request
    if (limited) await (limited.account ??= (async () => count(limited, limitsOf(request).account, String(id)))())
  }

  return {
    /**
     * Counts a request for its address, but for those that machines ask for. Undefined when it is done already; throws or rejects
     * with `limit.exceeded`. @NOTE it is given what its route says, which `request.routeOptions` would put together anew.
     */
    countAddress(request: FastifyRequest, reply: FastifyReply, { isProbe, callsOf }: FastifyContextConfig): Promise<void> | undefined {
      if (isProbe) return undefined
      const limited = (request.limited = { reply, points: callsOf?.(request) ?? 1, nearest: undefined, account: undefined })
      return count(limited, limitsOf(request).address, networkOfRequest(request))
    },
    /** Rejects with `limit.exceeded`. */
    countAccount,
  }
}

const network = Symbol('network')

/** @NOTE `request.ip` asks the list of trusted proxies each time (2 µs); without its header that can only be the connection's own address. */
function networkOfRequest(request: FastifyRequest): string {
  const { headers } = request.raw
  if (headers['x-forwarded-for'] !== undefined) return networkOf(request.ip ?? '')
  const socket: Socket & { [network]?: string } = request.raw.socket
  return (socket[network] ??= networkOf(socket.remoteAddress ?? ''))
}

function shareOf({ limit, remaining }: Allowance): number {
  return remaining / limit.max
}

/** @NOTE draft-ietf-httpapi-ratelimit-headers up to 06 has these three, and clients know them; later drafts have one that few do. */
function tell(limited: Limited, left: Allowance): void {
  limited.nearest = left
  limited.reply
    .header('ratelimit-limit', String(left.limit.max))
    .header('ratelimit-remaining', String(left.remaining))
    .header('ratelimit-reset', String(Math.ceil(left.resetMs / 1000)))
}
