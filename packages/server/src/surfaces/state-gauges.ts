import { Gauge, type Registry } from 'prom-client'
import { within } from '../core/within.ts'

/** What is read from a database or a disk is kept this long: two who scrape cost no more than one. */
export const stateKeptMs = 1_000
const readMsMax = 1_000

export interface OutboxState {
  depth: number
  lagSeconds: number
}

type Read<T> = () => Promise<T> | T

/** Gauges of what is so, asked when they are scraped: for 1 s at most, once a second at most. A part that cannot say leaves its own out. */
export function stateGauges(registry: Registry, { prefix, keptMs = stateKeptMs }: { prefix: string; keptMs?: number | undefined }) {
  const gauge = <Label extends string = never>(name: string, help: string, labelNames: Label[] = []) => {
    const made = new Gauge({ name: prefix + name, help, labelNames, registers: [registry] })
    empty(made) // one without labels would say 0 where nobody asks: a certificate that has expired, a disk that is full
    return made
  }
  const outboxDepth = gauge('outbox_depth', 'Events that are not delivered yet; counted up to 100,000.')
  const outboxLag = gauge('outbox_lag_seconds', 'Age of the oldest event that is not delivered yet; 0 when there is none.')
  const consumerLag = gauge('consumer_lag_events', 'Events on the bus that a consumer has not taken yet.', ['consumer'])
  const deadLetters = gauge('dead_letters', 'Events given up that wait for an operator; counted up to 10,000.', ['consumer'])
  const diskFree = gauge('disk_free_bytes', 'Room for unprivileged users on the disk of the data directory.')
  const diskSize = gauge('disk_size_bytes', 'Size of the disk of the data directory.')
  const keyAge = gauge('signing_key_age_seconds', 'Age of the key that signs access tokens; none for a secret from the configuration.')
  const certificateEnd = gauge(
    'certificate_expiry_timestamp_seconds',
    'When the certificate of metrics.certificateFile expires, in Unix time.',
  )

  return {
    outbox(read: Read<OutboxState>): void {
      const state = kept(read, keptMs)
      readInto(outboxDepth, async () => outboxDepth.set((await state()).depth))
      readInto(outboxLag, async () => outboxLag.set((await state()).lagSeconds))
    },
    /** By consumer, as the bus knows it. */
    consumerLag(read: Read<Record<string, number>>): void {
      const state = kept(read, keptMs)
      readInto(consumerLag, async () => setEach(consumerLag, 'consumer', await state()))
    },
    /** By consumer. */
    deadLetters(read: Read<Record<string, number>>): void {
      const state = kept(read, keptMs)
      readInto(deadLetters, async () => setEach(deadLetters, 'consumer', await state()))
    },
    disk(read: Read<{ freeBytes: number; sizeBytes: number }>): void {
      const state = kept(read, keptMs)
      readInto(diskFree, async () => diskFree.set((await state()).freeBytes))
      readInto(diskSize, async () => diskSize.set((await state()).sizeBytes))
    },
    signingKey(ageMs: () => number): void {
      readInto(keyAge, () => keyAge.set(ageMs() / 1000))
    },
    certificate(expiryMs: Read<number>): void {
      const state = kept(expiryMs, keptMs)
      readInto(certificateEnd, async () => certificateEnd.set((await state()) / 1000))
    },
  }
}

/** Has `gauge` filled whenever it is scraped. A part that cannot be asked leaves its gauge out and the others alone. */
export function readInto(gauge: Gauge<any>, fill: () => Promise<void> | void): void {
  const collected = gauge as Gauge<any> & { collect: () => Promise<void> }
  collected.collect = async () => {
    try {
      await fill()
    } catch {
      empty(gauge)
    }
  }
}

export function setEach(gauge: Gauge<any>, label: string, values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) gauge.set({ [label]: name }, value)
}

/** @NOTE `reset` empties a gauge with labels, and sets one without to 0; `remove` without labels throws for a gauge that has some. */
function empty(gauge: Gauge<any>): void {
  const { labelNames } = gauge as unknown as { labelNames: string[] }
  gauge.reset()
  if (labelNames.length === 0) gauge.remove()
}

function kept<T>(read: Read<T>, keptMs: number): () => Promise<T> {
  let latest: { readAtMs: number; isOver: boolean; value: Promise<T> } | undefined
  return () => {
    if (latest && (!latest.isOver || performance.now() - latest.readAtMs < keptMs)) return latest.value
    const value = within(readMsMax, (async () => read())(), 'too slow')
    const reading = { readAtMs: performance.now(), isOver: false, value }
    latest = reading
    const settle = () => void (reading.isOver = true)
    value.then(settle, settle)
    return value
  }
}
