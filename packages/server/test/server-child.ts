import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'
import type { Addresses } from '../src/server.ts'

const script = fileURLToPath(new URL('./server-process.ts', import.meta.url))

export interface ServerChild {
  /** Its API, once it serves. Rejects when it ends before that. */
  serve(): Promise<string>
  /** The same, with where its metrics are; for a worker, which has no API. */
  listen(): Promise<Addresses>
  /** An orderly end: resolves when the process has gone, with its exit code. */
  stop(): Promise<number | null>
  /** `kill -9`. */
  kill(): Promise<void>
}

/** Servers as processes of their own, none of which outlives its test. */
export function useServerChildren(): { load(flags: readonly string[]): ServerChild } {
  const children = new Set<ChildProcess>()
  afterEach(() => {
    for (const child of children) child.kill('SIGKILL')
  })
  return {
    /** It has its code in memory before `serve` is called, so that the next server need not be waited for after a kill. */
    load(flags) {
      const child = fork(script, ['--when-told', ...flags], { execArgv: [] })
      children.add(child)
      const ended = once(child, 'exit').then(() => void children.delete(child))
      async function listen(): Promise<Addresses> {
        child.send('serve')
        const early = ended.then(() => {
          throw new Error('the server ended before it served')
        })
        const [addresses] = (await Promise.race([once(child, 'message'), early])) as [Addresses]
        early.catch(() => {}) // it is meant to be killed later
        return addresses
      }
      return {
        listen,
        serve: async () => (await listen()).apiUrl,
        async stop() {
          child.kill('SIGTERM')
          await ended
          return child.exitCode
        },
        async kill() {
          child.kill('SIGKILL')
          await ended
        },
      }
    },
  }
}
