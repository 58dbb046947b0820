import { closeSync, openSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { createServer as createTcpServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { join } from 'node:path'
import SqliteClient from 'better-sqlite3'
import { expect, it } from 'vitest'
import type { Config } from '../src/config.ts'
import { StartError } from '../src/core/start-error.ts'
import { createServer } from '../src/server.ts'
import { newDataDir, register, quietly, testConfig } from './serve.ts'

const start = (config: Config) => createServer(config, quietly)

/** The sentence that the operator reads. One, without a stack, of what is wrong and what to do. */
async function complaint(config: Config): Promise<string> {
  const server = await start(config).catch((error: unknown) => error)
  const error =
    server instanceof Error
      ? server
      : await (server as Awaited<ReturnType<typeof start>>).listen().then(
          () => 'it starts',
          (error: unknown) => error,
        )
  if (!(server instanceof Error)) await (server as Awaited<ReturnType<typeof start>>).close()
  expect(error).toBeInstanceOf(StartError)
  const { message } = error as StartError
  expect(message).not.toContain('\n')
  return message
}

const pathIn = (folder: string) => join(folder, 'pinstack.db')

/** A folder that a server has used, with some users in it. */
async function usedFolder(): Promise<string> {
  const folder = newDataDir()
  const server = await start(testConfig({ 'data.dir': folder }))
  const { apiUrl } = await server.listen()
  for (const name of ['ann', 'bob', 'cyd']) expect((await register(apiUrl, name)).status).toBe(201)
  await server.close()
  return folder
}

it('names a port that is taken', async () => {
  const other = createTcpServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  expect(await complaint(testConfig({ 'http.port': port }))).toBe(
    `Port ${port} on 127.0.0.1 is taken: stop the program that uses it, or choose another with --port (http.port).`,
  )
  expect(await complaint(testConfig({ 'metrics.port': port }))).toContain('choose another with --metrics-port (metrics.port)')
  other.close()
  expect(await complaint(testConfig({ 'http.host': '203.0.113.7' }))).toBe(
    '203.0.113.7 is not an address of this machine: correct http.host or metrics.host.',
  )
})

it('names a data directory that cannot be written', async () => {
  const file = join(newDataDir(), 'file')
  writeFileSync(file, '')
  for (const [dir, code] of [
    [file, 'ENOTDIR'],
    [join(file, 'below'), 'ENOTDIR'],
    ['/proc/pinstack', 'ENOENT'],
  ] as const) {
    const message = await complaint(testConfig({ 'data.dir': dir }))
    expect(message).toMatch(`The data directory ${dir} cannot be written (`)
    expect([code, 'EEXIST', 'EACCES']).toContain(/\((E\w+)\)/.exec(message)![1])
  }
})

it('names a database file that another process holds', async () => {
  const folder = await usedFolder()
  const holder = new SqliteClient(pathIn(folder))
  holder.pragma('locking_mode = exclusive')
  holder.exec('begin exclusive')
  expect(await complaint(testConfig({ 'data.dir': folder, 'database.startTimeoutMs': 50 }))).toMatch(
    /pinstack\.db is locked by another process/,
  )
  holder.close()
  const server = await start(testConfig({ 'data.dir': folder }))
  await server.close()
})

it('refuses a second server on one file, and none after the first has ended', async () => {
  const folder = newDataDir()
  const first = await start(testConfig({ 'data.dir': folder }))
  expect(await complaint(testConfig({ 'data.dir': folder }))).toMatch(/^Another Pinstack server is running on .*pinstack\.db: /)
  await first.close()
  await (await start(testConfig({ 'data.dir': folder }))).close()
})

it('names a file that is no database, and one that is damaged, and changes neither', async () => {
  const folder = newDataDir()
  writeFileSync(pathIn(folder), 'this was a shopping list\n'.repeat(100))
  expect(await complaint(testConfig({ 'data.dir': folder }))).toMatch(/is damaged or is no SQLite database \(file is not a database\)/)
  expect(statSync(pathIn(folder)).size).toBe(2_500)

  const used = await usedFolder()
  const file = openSync(pathIn(used), 'r+')
  const { size } = statSync(pathIn(used))
  for (let page = 2; page * 4096 < size; page += 3) writeSync(file, Buffer.alloc(2048, 0x5a), 0, 2048, page * 4096)
  closeSync(file)
  expect(await complaint(testConfig({ 'data.dir': used }))).toMatch(/is damaged or is no SQLite database/)
})

it('refuses a database that a newer version made, and leaves it as it is', async () => {
  const folder = await usedFolder()
  const client = new SqliteClient(pathIn(folder))
  client.prepare(`insert into migration (name, timestamp) values ('9999-future', '2030-01-01T00:00:00.000Z')`).run()
  expect(await complaint(testConfig({ 'data.dir': folder }))).toMatch(
    /^The database is newer than this version of Pinstack: it has the migration 9999-future/,
  )
  expect(client.prepare('select count(*) from user').pluck().get()).toBe(3)
  client.close()
})

it('names a Postgres that is away, without its password', async () => {
  const closed = createTcpServer().listen(0, '127.0.0.1')
  await once(closed, 'listening')
  const { port } = closed.address() as AddressInfo
  closed.close()
  const message = await complaint(
    testConfig({ 'database.url': `postgres://me:hunter2@127.0.0.1:${port}/app`, 'database.startTimeoutMs': 300 }),
  )
  expect(message).toMatch(
    /^Postgres at postgres:\/\/me:\S*@127\.0\.0\.1:\d+\/app cannot be used \(.*ECONNREFUSED.*\): start it, or correct database\.url\.$/,
  )
  expect(message).not.toContain('hunter2')
})
