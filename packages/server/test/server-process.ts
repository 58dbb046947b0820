/** A whole server as a process of its own, for tests that kill it. Arguments: configuration keys as `key=value`. Says its URL when it serves. */
import { loadConfig } from '../src/config.ts'
import { createServer } from '../src/server.ts'

const flags = Object.fromEntries(process.argv.slice(2).map((argument) => argument.split(/=(.*)/s).slice(0, 2) as [string, string]))
const server = await createServer(loadConfig({ flags: { 'http.port': '0', 'metrics.port': '0', 'log.level': 'warn', ...flags } }).config)
process.send!(await server.listen())
process.once('SIGTERM', () => void server.close().then(() => process.disconnect()))
