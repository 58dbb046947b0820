import { onEachDatabase } from '../../../test/matrix.ts'
import { startLoop } from '../../outbox/loop.ts'
import { createEmit } from '../../outbox/outbox.ts'
import { savePosition, selectPosition } from '../../outbox/positions.ts'
import { readEvents, readLastSeq } from '../../outbox/read.ts'
import { sequenceEvents } from '../../outbox/sequence.ts'
import { eventBusContract } from '../../ports/event-bus.contract.ts'
import { localDoorbell } from '../doorbell/local.ts'
import { inProcessBus } from './in-process.ts'

onEachDatabase('in-process bus', (world, driver) => {
  const bell = localDoorbell()
  eventBusContract(`in process, ${driver}`, () => {
    const { database, clock } = world
    const emit = createEmit({ database, clock, committed: bell })
    return {
      reset: async () => {}, // the world is new for each test
      open: async () =>
        inProcessBus({
          read: (range) => readEvents(database.db, range),
          lastSeq: () => readLastSeq(database.db),
          loadPosition: async (name) => (await selectPosition.first(database.db, { name }))?.seq ?? 0,
          savePosition: async (name, seq) => void (await database.transaction((tx) => savePosition.run(tx, { name, seq }))),
          wait: (signal) => bell.wait(1_000, signal),
          start: (turn) => startLoop(turn, () => {}),
        }),
      async publish(keys) {
        const before = await readLastSeq(database.db)
        await database.transaction(async (tx) => {
          for (const key of keys) await emit(tx, { type: 'user_registered', key, payload: { user_id: key } })
        })
        await sequenceEvents(database)
        bell.ring()
        return (await readEvents(database.db, { afterSeq: before, limit: 1_000 })).map(({ id }) => id)
      },
    }
  })
})
