import { ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, type Context, type Span as OtelSpan } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { traceIdOf, type Span, type SpanAttributes, type SpanOptions, type Tracer } from '../../core/correlation.ts'
import { within } from '../../core/within.ts'

/** A stream of live events is one request for an hour: its trace ends to grow here. */
const childrenMax = 200
const sendEveryMs = 2_000
/** Of one batch, with all of its attempts. */
const sendMsMax = 2_000
const closeMsMax = 3_000

export interface OpenTelemetryOptions {
  /** The receiver of OTLP over HTTP: `http://127.0.0.1:4318`. Spans go to `/v1/traces` there. */
  endpoint: string
  /** 1 to 100: of how many traces out of a hundred something is recorded. The id of the trace decides, alike in all processes. */
  samplePercent: number
  version: string
  /** Hears of spans that could not be sent, once a series. */
  onFailure(error: unknown): void
}

/**
 * Traces by OpenTelemetry, over OTLP/HTTP as JSON. The receiver is never waited for: spans that it does not take are dropped.
 * `OTEL_SERVICE_NAME`, `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_EXPORTER_OTLP_HEADERS` are read as everywhere.
 */
export function openTelemetryTracer({ endpoint, samplePercent, version, onFailure }: OpenTelemetryOptions): Tracer {
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/+$/, '')}/v1/traces`, timeoutMillis: sendMsMax })
  const send = exporter.export.bind(exporter)
  let isFailing = false
  const tell = (error: unknown) => {
    if (!isFailing) onFailure(error)
    isFailing = true
  }
  exporter.export = (spans, done) =>
    send(spans, (result) => {
      if (result.error) tell(result.error)
      else isFailing = false
      done(result)
    })
  const ratio = new TraceIdRatioBasedSampler(samplePercent / 100)
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'pinstack', 'service.version': version }))
      .merge(detectResources({ detectors: [envDetector] })),
    // Who calls may say that a trace is not to be recorded; that it must be, is not for anyone in the internet to say.
    sampler: new ParentBasedSampler({ root: ratio, remoteParentSampled: ratio, remoteParentNotSampled: new AlwaysOffSampler() }),
    spanProcessors: [new BatchSpanProcessor({ exporter, scheduledDelayMillis: sendEveryMs })],
  })
  const tracer = provider.getTracer('pinstack', version)

  function begin(name: string, parent: Context, { kind = 'internal', attributes = {} }: SpanOptions): Span {
    return spanOf(tracer.startSpan(name, { kind: kinds[kind], attributes }, parent))
  }

  function spanOf(inner: OtelSpan): Span {
    const { traceId, spanId, traceFlags } = inner.spanContext()
    const within = trace.setSpan(ROOT_CONTEXT, inner)
    let children = 0
    return {
      traceparent: `00-${traceId}-${spanId}-0${traceFlags & 1}`,
      child: (name, options = {}) => (inner.isRecording() && children++ < childrenMax ? begin(name, within, options) : undefined),
      end({ name, failed, attributes }: { name?: string; failed?: boolean; attributes?: SpanAttributes } = {}) {
        if (name) inner.updateName(name)
        if (attributes) inner.setAttributes(attributes)
        if (failed) inner.setStatus({ code: SpanStatusCode.ERROR })
        inner.end()
      },
    }
  }

  return {
    start: (name, { traceparent, ...options } = {}) => begin(name, traceparent ? remote(traceparent) : ROOT_CONTEXT, options),
    async close() {
      await within(closeMsMax, provider.shutdown().catch(tell), 'the receiver of traces does not answer').catch(() => {})
    },
  }
}

const kinds = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
}

function remote(traceparent: string): Context {
  const traceFlags = Number.parseInt(traceparent.slice(53), 16)
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(traceparent),
    spanId: traceparent.slice(36, 52),
    traceFlags,
    isRemote: true,
  })
}
