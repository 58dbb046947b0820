import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { migrateUp } from '../../src/migrations/index.ts'
import type { Tables } from '../../src/schema.ts'
import { onEachDriver, useDatabase } from '../drivers.ts'

const script = fileURLToPath(new URL('../outbox-process.ts', import.meta.url))

onEachDriver('outbox over several processes', (driver) => {
  const opened = useDatabase<Tables>(driver)
  const children = new Set<ChildProcess>()
  beforeAll(async () => {
    await migrateUp(opened.database)
    await sql`create table effect (id ${sql.raw(driver === 'sqlite' ? 'integer' : 'bigint generated always as identity')} primary key, name bigint not null, key bigint not null)`.execute(
      opened.database.db,
    )
  })
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })

  function start(...args: string[]): ChildProcess {
    const child = fork(script, [opened.url, ...args], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'], execArgv: [] })
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }
  const effects = async () =>
    (await sql<{ name: number; key: number }>`select name, key from effect order by id`.execute(opened.database.db)).rows
  const written = async () =>
    (await opened.database.db.selectFrom('outbox').orderBy('seq').select(['payload', 'key']).execute()).map(({ payload, key }) => ({
      name: (JSON.parse(payload) as { user_id: number }).user_id,
      key,
    }))

  it('loses and doubles nothing while writers and consumers are killed', async () => {
    const acknowledged: number[] = []
    const listenTo = (writer: ChildProcess) => writer.on('message', (name) => acknowledged.push(name as number))
    const writers = [start('write', '400'), start('write', '400')].map(listenTo)
    let consumers = [start('consume'), start('consume')]
    await Promise.all(consumers.map((consumer) => once(consumer, 'message')))
    for (let round = 0; round < 6; round++) {
      await sleep(30 + 40 * round) // somewhere else in its work each time
      const victim = consumers.shift()!
      victim.kill('SIGKILL')
      await once(victim, 'exit')
      if (round === 2 && writers[0]!.connected) {
        writers[0]!.kill('SIGKILL')
        writers.push(listenTo(start('write', '200')))
      }
      const next = start('consume')
      await once(next, 'message')
      consumers = [...consumers, next]
    }
    await Promise.all(
      writers.filter((writer) => writer.exitCode === null && writer.signalCode === null).map((writer) => once(writer, 'exit')),
    )

    const total = (await written()).length
    await expect.poll(async () => (await effects()).length, { timeout: 10_000, interval: 50 }).toBeGreaterThanOrEqual(total)
    await sleep(200) // a double would come now
    const [all, done] = [await written(), await effects()]
    expect(all.length).toBeGreaterThanOrEqual(acknowledged.length)
    expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(acknowledged))
    expect(done.map(({ name }) => name).sort()).toEqual(all.map(({ name }) => name).sort())
    for (let key = 0; key < 5; key++) {
      const of = (rows: { name: number; key: number }[]) => rows.filter((row) => row.key === key).map(({ name }) => name)
      expect(of(done)).toEqual(of(all)) // in the public order
    }
    for (const consumer of consumers) consumer.kill('SIGKILL')
  }, 60_000)
})
