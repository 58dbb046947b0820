import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach } from 'vitest'

const script = fileURLToPath(new URL('./server-process.ts', import.meta.url))

export interface ServerChild {
  /** Its API, once it serves. Rejects when it ends before that. */
  serve(): Promise<string>
  /** Known once it serves. */
  readonly metricsUrl: string | undefined
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
      let metricsUrl: string | undefined
      return {
        get metricsUrl() {
          return metricsUrl
        },
        async serve() {
          child.send('serve')
          const early = ended.then(() => {
            throw new Error('the server ended before it served')
          })
          const [addresses] = (await Promise.race([once(child, 'message'), early])) as [{ apiUrl: string; metricsUrl: string }]
          metricsUrl = addresses.metricsUrl
          early.catch(() => {}) // it is meant to be killed later
          return addresses.apiUrl
        },
        async kill() {
          child.kill('SIGKILL')
          await ended
        },
      }
    },
  }
}
