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
    expect(messages(lines)).toEqual(['before', 'й😀'.repeat(50_000), 'after'])
  })

  it('that nobody wants cost nothing: no line, no listener', async () => {
    const lines = await outputOf(
      `const { createLogger: again } = await import(${logging}); for (let i = 0; i < 20; i++) again({ level: 'silent' }).fatal('x'); console.log(process.listenerCount('exit'))`,
    )
    expect(lines).toEqual(['0'])
  })
})
