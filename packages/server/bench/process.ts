import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { median } from './load.ts'
import type { Row } from './main.ts'

const bin = join(import.meta.dirname, '../../cli/bin/pinstack.js')
const starts = 7
const idleMs = 20_000
const lookMs = 5

/** The built command as a user starts it: how long until it is ready over data that exists, and how much memory it has when nothing happens. */
export async function processRows(dir: string): Promise<Row[]> {
  const startsMs: number[] = []
  for (let i = 0; i < starts; i++) {
    const { child, ms } = await start(dir)
    startsMs.push(ms)
    child.kill()
    await once(child, 'exit')
  }
  const { child } = await start(dir)
  await sleep(idleMs)
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(child.pid)], { encoding: 'utf8' })
  child.kill()
  await once(child, 'exit')
  return [
    {
      what: 'from the start of the process to the first 200 of /readyz',
      value: median(startsMs) / 1000,
      unit: 's',
      bar: 1.5,
      better: 'less',
      note: `slowest of ${starts}: ${(Math.max(...startsMs) / 1000).toFixed(2)} s`,
    },
    {
      what: 'resident memory, idle',
      value: Number(stdout) / 1024,
      unit: 'MiB',
      bar: 120,
      better: 'less',
      note: `after ${idleMs / 1000} s`,
    },
  ]
}

async function start(dir: string): Promise<{ child: ChildProcess; ms: number }> {
  const port = await freePort()
  const startMs = performance.now()
  const child = spawn(process.execPath, [bin, 'up', '--data', dir, '--port', String(port), '--metrics-port', '0'], {
    stdio: ['ignore', 'ignore', 'ignore'],
    cwd: dir,
  })
  while (!(await isReady(port))) {
    if (child.exitCode !== null) throw new Error(`pinstack up ended with ${child.exitCode}`)
    await sleep(lookMs)
  }
  return { child, ms: performance.now() - startMs }
}

async function isReady(port: number): Promise<boolean> {
  return await fetch(`http://127.0.0.1:${port}/readyz`).then(
    ({ status }) => status === 200,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}
