#!/usr/bin/env node
// @NOTE old Nodes have to be able to parse this file, to be told that they are too old: no newer syntax, no import but the last.
var numbers = process.versions.node.split('.').map(Number)
var major = numbers[0]
var minor = numbers[1]
if ((major === 22 && minor >= 22) || (major === 24 && minor >= 6) || major > 24) {
  // Passwords are hashed on Node's thread pool, two at once for each core. The pool is made when it is first used, of this size.
  if (!process.env.UV_THREADPOOL_SIZE) process.env.UV_THREADPOOL_SIZE = String(Math.max(4, 2 * navigator.hardwareConcurrency + 2))
  import('../dist/main.js')
} else {
  console.error(
    'pinstack needs Node 22.22 or newer, or 24.6 or newer, and this is ' +
      process.version +
      ': install a current one from https://nodejs.org and run the same command again.',
  )
  process.exit(1)
}
