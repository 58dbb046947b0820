/**
 * A whole server as a process of its own, for tests that kill it. Arguments: configuration keys as `key=value`. Says its URL when it serves.
 * With `--when-told` before them it loads its code and then waits for a message: the next server need not be waited for after a kill.
 */
import { once } from 'node:events'
import { loadConfig } from '../src/config.ts'
import { createServer } from '../src/server.ts'

const given = process.argv.slice(2)
if (given[0] === '--when-told') {
  given.shift()
  await once(process, 'message')
}
const flags = Object.fromEntries(given.map((argument) => argument.split(/=(.*)/s).slice(0, 2) as [string, string]))
const server = await createServer(loadConfig({ flags: { 'http.port': '0', 'metrics.port': '0', 'log.level': 'warn', ...flags } }).config, {
  loopDelayMsMax: Number.POSITIVE_INFINITY,
})
process.send!(await server.listen())
process.once('SIGTERM', async () => {
  await server.close()
  process.disconnect()
  setTimeout(() => process.exit(), 500).unref() // as `pinstack up` does: a client of a server that answers nothing may still try
})
