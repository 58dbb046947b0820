import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import SqliteClient from 'better-sqlite3'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { createServer, type Server } from '../src/server.ts'
import { startPostgres } from './postgres-server.ts'
import { call, login, newDataDir, register, quietly, testConfig } from './serve.ts'

const cleanUps: (() => Promise<unknown> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

it('waits for Postgres at the start, answers 503 while it is away, and goes on by itself when it is back', async () => {
  const postgres = await startPostgres()
  cleanUps.push(() => postgres.remove())
  await postgres.stop()
  const config = testConfig({ 'database.url': postgres.url, 'database.startTimeoutMs': 20_000 })
  const starting = createServer(config, quietly)
  await sleep(400) // it has been refused by now
  await postgres.start()
  const server: Server = await starting
  cleanUps.push(() => server.close())
  const { apiUrl } = await server.listen()
  const { body } = await register(apiUrl, 'ann')
  const token = body.data.access_token as string
  const ready = async () => (await call(apiUrl, 'GET', '/readyz')).status
  expect(await ready()).toBe(200)

  await postgres.stop()
  const acknowledged: string[] = []
  for (const name of ['bob', 'cyd']) {
    const answer = await register(apiUrl, name)
    if (answer.status === 201) acknowledged.push(name)
    expect([answer.status, answer.body.message, answer.headers.get('retry-after')]).toEqual([503, 'service unavailable', '1'])
  }
  expect((await call(apiUrl, 'GET', '/api/v1/auth/sessions', { token })).status).toBe(503)
  await expect.poll(ready, { timeout: 5_000 }).toBe(503)
  expect((await call(apiUrl, 'GET', '/livez')).status).toBe(200)

  await postgres.start()
  await expect.poll(ready, { timeout: 10_000 }).toBe(200)
  expect((await login(apiUrl, 'ann')).status).toBe(200)
  expect((await register(apiUrl, 'bob')).status).toBe(201)
  expect((await login(apiUrl, 'cyd')).status).toBe(404) // what was refused was not half done
  expect(acknowledged).toEqual([])
}, 60_000)

it('keeps every account that it acknowledged, with one event each, when it is killed again and again', async () => {
  const folder = newDataDir()
  const acknowledged: string[] = []
  for (let round = 0; round < 4; round++) {
    const child = fork(fileURLToPath(new URL('./server-process.ts', import.meta.url)), [`data.dir=${folder}`, 'rateLimits.enabled=false'], {
      execArgv: [],
    })
    cleanUps.push(() => void child.kill('SIGKILL'))
    const [{ apiUrl }] = (await once(child, 'message')) as [{ apiUrl: string }]
    for (const name of acknowledged.slice(-3)) expect((await login(apiUrl, name)).status).toBe(200)
    let going = true
    const clients = Array.from({ length: 4 }, async (_, client) => {
      for (let i = 0; going; i++) {
        const name = `user-${round}-${client}-${i}`
        const answer = await register(apiUrl, name).catch(() => undefined) // cut off: it may or may not have happened
        if (answer?.status === 201) acknowledged.push(name)
      }
    })
    // Somewhere in the middle of its work, however fast the machine is.
    const enough = acknowledged.length + 8 + round
    while (acknowledged.length < enough) await sleep(5)
    child.kill('SIGKILL')
    await once(child, 'exit')
    going = false
    await Promise.all(clients)
  }
  const client = new SqliteClient(join(folder, 'pinstack.db'))
  const users = client.prepare('select id, username from user order by id').all() as { id: number; username: string }[]
  const events = client.prepare(`select key from outbox where type = 'user_registered' order by key`).pluck().all()
  client.close()
  expect(acknowledged.length).toBeGreaterThan(20)
  expect(users.map(({ username }) => username)).toEqual(expect.arrayContaining(acknowledged))
  expect(events).toEqual(users.map(({ id }) => id))
}, 60_000)
