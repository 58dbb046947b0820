import type { Config } from './config.ts'
import type { Tracer } from './core/correlation.ts'
import { version } from './version.ts'

/** Undefined while tracing is off, which is the default: then nothing of it is even loaded. */
export async function openTracing(
  { tracing: { endpoint, samplePercent } }: Config,
  warn: (message: string, fields: Record<string, unknown>) => void,
): Promise<Tracer | undefined> {
  if (endpoint === undefined) return undefined
  const { openTelemetryTracer } = await import('./adapters/tracing/opentelemetry.ts')
  return openTelemetryTracer({
    endpoint,
    samplePercent,
    version,
    onFailure: (error) => warn('traces cannot be sent, and are dropped', { err: error }),
  })
}
