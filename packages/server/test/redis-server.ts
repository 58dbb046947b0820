import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { afterEach, describe } from 'vitest'
import { freePort } from './free-port.ts'

const isInstalled = spawnSync('redis-server', ['--version']).status === 0

/** Declares a suite that starts Redis servers of its own, to break them. */
export function withRedisServers(title: string, suite: () => void): void {
  if (isInstalled) describe(title, suite)
  else if (process.env.CI) throw new Error('redis-server is required in CI: scripts/services.sh installs it')
  else describe.skip(`${title} — redis-server is not installed`, suite)
}

export interface RedisServer {
  port: number
  url: string
  /** `kill -9`: what it held is gone, but for what `save` has kept. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Writes what it holds to disk, where the next start finds it. */
  save(): Promise<void>
  keys(pattern: string): Promise<string[]>
}

/** Servers on free ports of 127.0.0.1, none of which outlives its test. */
export function useRedisServers(): { start(): Promise<RedisServer> } {
  const cleanUps: (() => Promise<void> | void)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
  })
  return {
    async start() {
      const dir = mkdtempSync(join(tmpdir(), 'pinstack-redis-'))
      cleanUps.push(() => rmSync(dir, { recursive: true, force: true }))
      const port = await freePort()
      let child: ChildProcess | undefined
      async function kill(): Promise<void> {
        if (!child || child.exitCode !== null || child.signalCode !== null) return
        const gone = once(child, 'exit')
        child.kill('SIGKILL')
        await gone
      }
      async function start(): Promise<void> {
        const flags = ['--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--appendonly', 'no', '--save', '']
        const own = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'inherit'] })
        child = own
        let log = ''
        for await (const chunk of own.stdout) {
          log += chunk
          if (log.includes('Ready to accept connections')) break
        }
        if (own.exitCode !== null) throw new Error(`Redis does not start: ${log}`)
      }
      cleanUps.push(kill)
      await start()
      const url = `redis://127.0.0.1:${port}`
      async function ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
        const client = new Redis(url)
        try {
          return await question(client)
        } finally {
          client.disconnect()
        }
      }
      return {
        port,
        url,
        kill,
        start,
        save: () => ask(async (client) => void (await client.save())),
        keys: (pattern) => ask((client) => client.keys(pattern)),
      }
    },
  }
}
