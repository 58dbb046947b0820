import { setImmediate as othersTurn } from 'node:timers/promises'

/** Keys that one look-up takes. */
const keysMax = 100

/**
 * Look-ups of many streams that an event, or a burst of them, wakes in the same moment become one: those who ask for the same
 * thing share its answer. Undefined for what is not found.
 */
export function inBatches<Value>(load: (keys: number[]) => Promise<Map<number, Value>>): (key: number) => Promise<Value | undefined> {
  let gathering: { keys: Set<number>; found: Promise<Map<number, Value>> } | undefined

  async function gather(keys: Set<number>): Promise<Map<number, Value>> {
    await othersTurn()
    if (gathering?.keys === keys) gathering = undefined // whoever asks from now on wants what is there from now on
    return load([...keys])
  }

  return async (key) => {
    if (!gathering || (gathering.keys.size >= keysMax && !gathering.keys.has(key))) {
      const keys = new Set<number>()
      gathering = { keys, found: gather(keys) }
    }
    const { keys, found } = gathering
    keys.add(key)
    return (await found).get(key)
  }
}
