import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { spawn } from 'node:child_process'
import pg from 'pg'
import { expect, test } from 'vitest'
import { startPostgres } from './postgres-server.ts'

const missing = process.env.TEST_POSTGRES_MISSING
const unless = missing ? ` — ${missing}` : ''

test.skipIf(missing)(`stopped and started, the server has the same address and the same data${unless}`, async () => {
  const server = await startPostgres()
  try {
    await query(server.url, 'create table kept (name text)')
    await server.stop()
    await expect(query(server.url, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    await server.start()
    expect(await query(server.url, 'select * from kept')).toEqual([])
  } finally {
    await server.remove()
  }
})

test.skipIf(missing)(`a test run that is killed leaves no server and no data behind${unless}`, async () => {
  const script = `
    import { startPostgres } from '${new URL('postgres-server.ts', import.meta.url).href}'
    console.log((await startPostgres()).url)
    setInterval(() => {}, 1_000)`
  const runner = spawn(process.execPath, ['--input-type=module-typescript', '--eval', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [url] = await once(runner.stdout, 'data').then(([chunk]) => String(chunk).trim().split('\n'))
  const [{ data_directory }] = await query(url!, 'show data_directory')
  expect(existsSync(data_directory)).toBe(true)

  runner.kill('SIGKILL')

  await expect.poll(() => existsSync(data_directory), { timeout: 10_000 }).toBe(false)
  await expect(query(url!, 'select 1')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

async function query(url: string, sql: string) {
  const client = new pg.Client(url)
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}
