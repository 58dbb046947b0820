import type { BusEvent, EventBus } from '../../ports/event-bus.ts'

export interface InProcessBusOptions {
  /** Committed events after `afterSeq`, in their order. */
  read(options: { afterSeq: number; limit: number }): Promise<(BusEvent & { seq: number })[]>
  lastSeq(): Promise<number>
  loadPosition(group: string): Promise<number>
  savePosition(group: string, seq: number): Promise<void>
  /** Resolves when there may be more to read. */
  wait(signal: AbortSignal): Promise<void>
  /** Runs `turn` until it is stopped, with pauses after failures. */
  start(turn: (signal: AbortSignal) => Promise<void>): { stop(): Promise<void> }
}

const batchMax = 100

/**
 * Needs no broker: each group reads the outbox from its own position. Several processes that serve one group do the same
 * work twice, and no harm, since consumers know the events that they have taken; a broker divides it between them.
 */
export function inProcessBus(options: InProcessBusOptions): EventBus {
  const loops: { stop(): Promise<void> }[] = []
  return {
    async subscribe(group, _types, handle) {
      let position: number | undefined
      const loop = options.start(async (signal) => {
        position ??= await options.loadPosition(group)
        const mayBeMore = options.wait(signal)
        const events = await options.read({ afterSeq: position, limit: batchMax })
        if (events.length === 0) return mayBeMore
        await handle(events)
        position = events.at(-1)!.seq
        await options.savePosition(group, position)
      })
      loops.push(loop)
    },
    async lag(group) {
      return (await options.lastSeq()) - (await options.loadPosition(group))
    },
    async close() {
      await Promise.all(loops.map((loop) => loop.stop()))
    },
  }
}
