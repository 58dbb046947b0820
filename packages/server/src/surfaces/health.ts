import type { FastifyInstance } from 'fastify'
import { within } from '../core/within.ts'
import { sendText } from './envelope.ts'

export interface HealthCheck {
  name: string
  /** Whether the server cannot serve without it. What is not required is reported, and degrades. */
  required: boolean
  /** Rejects when the part is down. What it resolves to is shown with it: short, and nothing private. */
  check(): Promise<Record<string, string | number | null> | void>
  /** Shown with the part whether it is up or down. */
  about?(): Record<string, string | number | null>
}

interface PartReport {
  status: 'up' | 'down'
  latency_ms: number
  [detail: string]: string | number | null
}

export interface HealthReport {
  status: 'up' | 'degraded' | 'down' | 'closing'
  version: string
  uptime_seconds: number
  parts: Record<string, PartReport>
}

export type Health = ReturnType<typeof createHealth>

const checkMsMax = 1_000
const keptMs = 1_000 // so that however often one asks, each part is asked once a second

/** Knows how each part is doing. Every check is bounded to 1 s; a report is kept for 1 s and made once for all who ask meanwhile. */
export function createHealth({ version, checks }: { version: string; checks: readonly HealthCheck[] }) {
  let isClosing = false
  let latest: { atMs: number; parts: Promise<Record<string, PartReport>> } | undefined

  function parts(): Promise<Record<string, PartReport>> {
    const nowMs = performance.now()
    if (!latest || nowMs - latest.atMs > keptMs) latest = { atMs: nowMs, parts: runAll(checks) }
    return latest.parts
  }

  return {
    /** From now on the server is not ready, whatever its parts say. */
    close(): void {
      isClosing = true
    },
    async report(): Promise<HealthReport> {
      const found = await parts()
      const down = checks.filter(({ name }) => found[name]!.status === 'down')
      const status = isClosing ? 'closing' : down.some(({ required }) => required) ? 'down' : down.length > 0 ? 'degraded' : 'up'
      return { status, version, uptime_seconds: Math.round(process.uptime()), parts: found }
    },
  }
}

async function runAll(checks: readonly HealthCheck[]): Promise<Record<string, PartReport>> {
  return Object.fromEntries(await Promise.all(checks.map(async (check) => [check.name, await run(check)] as const)))
}

async function run({ check, about }: HealthCheck): Promise<PartReport> {
  const startMs = performance.now()
  const report = (status: 'up' | 'down', details: object | void): PartReport => ({
    status,
    latency_ms: Math.round(performance.now() - startMs),
    ...about?.(),
    ...details,
  })
  try {
    return report('up', await within(checkMsMax, check(), 'too slow'))
  } catch {
    return report('down', undefined) // @NOTE not the error: anyone may ask. The part that failed has logged it.
  }
}

/** `/livez`: the process turns. `/readyz`: send requests here. `/healthz`: how each part is doing. */
export function mountHealth(server: FastifyInstance, health: Health): void {
  const config = { isProbe: true }
  server.get('/livez', { config }, (_request, reply) => sendText(reply.header('cache-control', 'no-store'), '{"status":"up"}\n'))
  server.get('/readyz', { config }, async (_request, reply) => {
    const { status } = await health.report()
    const isReady = status === 'up' || status === 'degraded'
    reply.code(isReady ? 200 : 503).header('cache-control', 'no-store')
    return sendText(reply, `${JSON.stringify({ status: isReady ? 'ready' : status })}\n`)
  })
  server.get('/healthz', { config }, async (_request, reply) => {
    const report = await health.report()
    reply.code(report.status === 'up' || report.status === 'degraded' ? 200 : 503).header('cache-control', 'no-store')
    return sendText(reply, `${JSON.stringify(report)}\n`)
  })
}
