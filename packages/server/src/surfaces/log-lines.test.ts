import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const run = promisify(execFile)
const logging = JSON.stringify(join(import.meta.dirname, 'logging.ts'))

/** What a process that does `work` with a logger leaves on its standard output. */
async function outputOf(work: string): Promise<string[]> {
  const source = `import { createLogger } from ${logging}\nconst logger = createLogger({ level: 'info' })\n${work}`
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', source], { maxBuffer: 64 * 1024 * 1024 }).catch(
    (error: { stdout: string }) => error,
  )
  return stdout.split('\n').filter((line) => line !== '')
}
const messages = (lines: string[]) => lines.map((line) => JSON.parse(line).msg)

describe('lines', () => {
  it('come within moments, while the process goes on', async () => {
    const lines = await outputOf(`logger.info('one'); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 1_000)`)
    expect(messages(lines)).toEqual(['one'])
  })

  it.each([
    ['at its end', ''],
    ['when it is told to exit', 'process.exit(3)'],
    ['when it crashes', `throw new Error('crash')`],
  ])('are all there when a process ends %s, in their order', async (_name, end) => {
    const lines = await outputOf(`for (let i = 0; i < 5_000; i++) logger.info(String(i))\n${end}`)
    expect(messages(lines)).toEqual(Array.from({ length: 5_000 }, (_, i) => String(i)))
  })

  it('may be longer than all that is gathered, and hold any letter', async () => {
    const lines = await outputOf(`logger.info('before'); logger.info('й😀'.repeat(50_000)); logger.info('after')`)
    expect(messages(lines).map((text) => [text.length, text.slice(-3)])).toEqual([
      [6, 'ore'],
      [150_000, 'й😀'],
      [5, 'ter'],
    ])
  })

  /** A process whose standard output is a pipe of this `reader`; `before` may change how it writes to it. */
  const piped = (reader: string, before: string) => {
    const work = `for (let i = 0; i < 5_000; i++) logger.info(String(i)); setTimeout(() => console.error('done'), 200)`
    const source = `${before}\nimport { createLogger } from ${logging}\nconst logger = createLogger({ level: 'info' })\n${work}`
    return run('sh', ['-c', `"$0" --input-type=module --eval "$1" | ${reader}`, process.execPath, source])
  }
  it.each([
    ['', ''],
    [', through a pipe that does not block', 'process.stdout.writable'],
  ])('wait for a reader that is slow%s', async (_name, before) => {
    expect((await piped('(sleep 0.5; wc -l)', before)).stdout.trim()).toBe('5000')
  })

  it('do not wait for a reader that has left', async () => {
    expect((await piped('true', '')).stderr).toContain('done')
  })

  it('that nobody wants cost nothing: no line, no listener', async () => {
    const lines = await outputOf(
      `const { createLogger: again } = await import(${logging}); for (let i = 0; i < 20; i++) again({ level: 'silent' }).fatal('x'); console.log(process.listenerCount('exit'))`,
    )
    expect(lines).toEqual(['0'])
  })
})
