import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { correlated } from '../core/correlation.ts'
import type { BusEvent, EventBus } from './event-bus.ts'

export interface BusUnderTest {
  /** Opens the bus anew: what a restarted process, or another one, has. */
  open(): Promise<EventBus>
  /** Commits events by `emit`, one for each key given, and hands them to the bus; returns their ids. */
  publish(keys: readonly number[]): Promise<string[]>
  /** Forgets everything, before each test. */
  reset(): Promise<void>
}

const types = ['user_registered']
/** A broker takes its time to divide the work of a group that is new. */
const soon = { timeout: 12_000, interval: 20 }

/** What every driver must do. */
export function eventBusContract(driver: string, given: () => BusUnderTest): void {
  describe(`event bus port [${driver}]`, () => {
    let bus: EventBus
    const opened: EventBus[] = []
    const open = async () => {
      const another = await given().open()
      opened.push(another)
      return another
    }
    beforeEach(async () => {
      await given().reset()
      bus = await open()
    })
    afterEach(async () => {
      await Promise.all(opened.splice(0).map((one) => one.close()))
    })

    const collect = () => {
      const got: BusEvent[] = []
      return { got, ids: () => got.map(({ id }) => id), handle: async (events: BusEvent[]) => void got.push(...events) }
    }

    it('hands over each event, those of before and those of after the subscription, with all of its parts', async () => {
      const before = await given().publish([1, 2])
      const { got, ids, handle } = collect()
      await bus.subscribe('group', types, handle)
      const after = await given().publish([1])
      await expect.poll(() => ids().sort(), soon).toEqual([...before, ...after].sort())
      expect(got.filter(({ key }) => key === 1).map(({ id }) => id)).toEqual([before[0], after[0]])
      expect(got.find(({ id }) => id === before[0])).toMatchObject({
        type: 'user_registered',
        key: 1,
        payload: { user_id: 1 },
        createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      })
    })

    it('hands over the trace that caused an event', async () => {
      const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
      const { got, handle } = collect()
      await bus.subscribe('group', types, handle)
      await correlated({ traceparent }, () => given().publish([1]))
      await given().publish([1])
      await expect.poll(() => got.map((event) => event.traceparent ?? null), soon).toEqual([traceparent, null])
    })

    it('keeps the order of each key', async () => {
      const { got, handle } = collect()
      await bus.subscribe('group', types, handle)
      const keys = Array.from({ length: 300 }, (_, i) => i % 7)
      const published = await given().publish(keys)
      await expect.poll(() => got.length, soon).toBe(keys.length)
      for (const key of new Set(keys)) {
        expect(got.filter((event) => event.key === key).map(({ id }) => id)).toEqual(published.filter((_, i) => keys[i] === key))
      }
    })

    it('gives every group all events', async () => {
      const [a, b] = [collect(), collect()]
      await bus.subscribe('a', types, a.handle)
      await bus.subscribe('b', types, b.handle)
      const published = await given().publish([1, 2, 3])
      await expect.poll(() => [a.ids().sort(), b.ids().sort()], soon).toEqual([published.sort(), published])
    })

    it('goes on where the group stopped, in another opening', async () => {
      const first = collect()
      await bus.subscribe('group', types, first.handle)
      const early = await given().publish([1, 2])
      await expect.poll(() => first.ids().sort(), soon).toEqual(early.sort())
      await bus.close()
      const late = await given().publish([1, 2])
      const second = collect()
      await (await open()).subscribe('group', types, second.handle)
      await expect.poll(() => second.ids().sort(), soon).toEqual(late.sort())
    })

    it('hands over again what was not taken, in the same order', async () => {
      let failures = 2
      const { ids, handle } = collect()
      await bus.subscribe('group', types, async (events) => {
        if (failures-- > 0) throw new Error('not yet')
        await handle(events)
      })
      const published = await given().publish([1, 1, 1])
      await expect.poll(ids, soon).toEqual(published)
    })

    it('knows how far behind a group is', async () => {
      const gate = Promise.withResolvers<void>()
      await bus.subscribe('group', types, () => gate.promise)
      await given().publish([1, 2, 3])
      await expect.poll(() => bus.lag('group'), soon).toBe(3)
      gate.resolve()
      await expect.poll(() => bus.lag('group'), soon).toBe(0)
    })

    it('waits for a running batch when it closes, and hands over no more', async () => {
      const [begun, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const { ids, handle } = collect()
      await bus.subscribe('group', types, async (events) => {
        begun.resolve()
        await gate.promise
        await handle(events)
      })
      const published = await given().publish([1])
      await begun.promise
      const closing = bus.close()
      expect(await Promise.race([closing.then(() => 'closed'), sleep(50).then(() => 'waits')])).toBe('waits')
      gate.resolve()
      await closing
      await given().publish([1])
      await sleep(100) // long enough for a bus that still listens
      expect(ids()).toEqual(published)
    })
  })
}
