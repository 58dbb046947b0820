import type { Database } from '../ports/database.ts'
import type { Doorbell } from '../ports/doorbell.ts'
import type { Tables } from '../schema.ts'
import { pauseFor, startLoop, type Loop } from './loop.ts'
import { sequencedAtOnce, sequenceEvents } from './sequence.ts'

/** While another process numbers. It may have begun before an event of ours was there, and then nobody else would come for it before the next look. */
const heldPauseMs = 10

interface RelayDeps {
  database: Database<Tables>
  /** Rung by whoever commits an event here. */
  committed: Doorbell
  /** Rung for those who read events. */
  sequenced: Doorbell
  /** How long an event of another process waits at the most. */
  pollMs: number
  /** How soon a turn that found something is followed by the next. */
  paceMs?: number
  onSequenced?: (eventType: string) => void
  onFailure: (error: unknown) => void
}

/** Gives committed events their public number as soon as they are there. Any number of processes may run one. */
export function startRelay({ database, committed, sequenced, pollMs, paceMs = 0, onSequenced, onFailure }: RelayDeps): Loop {
  return startLoop(async (signal) => {
    const rung = committed.wait(pollMs, signal)
    let isHeld = false
    const types = await sequenceEvents(database, { onHeld: () => void (isHeld = true) })
    if (types.length === 0) return isHeld ? pauseFor(heldPauseMs, signal) : rung
    sequenced.ring()
    for (const type of types) onSequenced?.(type)
    if (paceMs > 0 && types.length < sequencedAtOnce) await pauseFor(paceMs, signal)
  }, onFailure)
}
