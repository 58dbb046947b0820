/** Runs a command that goes on until it is stopped, and stops it, as Ctrl-C does, once it has printed what matches the first argument. */
import { spawn } from 'node:child_process'

const [pattern, command, ...args] = process.argv.slice(2)
const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] })
let said = ''
let enough = false
child.stdout.on('data', (chunk) => {
  said += chunk
  process.stdout.write(chunk)
  if (enough || !new RegExp(pattern).test(said)) return
  enough = true
  child.kill('SIGINT')
})
child.once('close', (code, signal) => {
  process.exitCode = enough && (code === 0 || signal === 'SIGINT') ? 0 : code || 1
})
