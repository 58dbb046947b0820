'use strict'
// The way in for `npm start`, `npm test` and the rest, on a machine with nothing but some Node. It installs and builds what is
// missing, then hands over to the repository's own Node 24. Old Nodes have to be able to parse it, so the syntax is old too.

const childProcess = require('child_process')
const crypto = require('crypto')
const fs = require('fs')
const path = require('path')
const url = require('url')

const nodeMajorMin = 20
const lockPollMs = 500
const parentPollMs = 200
// One Ctrl-C arrives several times: from the terminal, from npm, from whoever signals the whole group. It is one wish.
const sameSignalMs = 400

const root = path.resolve(__dirname, '..')
const ownNode = path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
const node = process.env.TEST_NODE || ownNode // CI runs the tests on each Node that the packages support
const lockFile = path.join(root, '.cache', 'setup.lock')
const installedFile = path.join(root, 'node_modules', '.cache', 'installed')
const signalNumbers = { SIGINT: 2, SIGTERM: 15 }

const build = ['scripts/build.ts']
const commands = {
  up: { prepare: [build], run: ['packages/cli/bin/pinstack.js', 'up'] },
  pinstack: { prepare: [build], run: ['packages/cli/bin/pinstack.js'] },
  test: { prepare: [build], run: ['node_modules/vitest/vitest.mjs', 'run'] },
  'test:packed': { prepare: [build], run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/packed/vitest.config.ts'] },
  'test:services': {
    prepare: [build],
    run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'packages/server/test/services/vitest.config.ts'],
  },
  'test:full-size': {
    prepare: [build],
    run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'packages/server/test/full-size/vitest.config.ts'],
  },
  'test:sets': { prepare: [build], run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/sets/vitest.config.ts'] },
  'test:unit': { prepare: [build], run: ['node_modules/vitest/vitest.mjs', 'run', '/src/', '/scripts/'] },
  'test:integration': { prepare: [build], run: ['node_modules/vitest/vitest.mjs', 'run', '/test/'] },
  'test:browser': { prepare: [build], run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/browser/vitest.config.ts'] },
  'test:monitoring': {
    prepare: [build],
    run: ['node_modules/vitest/vitest.mjs', 'run', '--config', 'scripts/monitoring/vitest.config.ts'],
  },
  check: { prepare: [], run: ['scripts/check.ts'] },
  lint: { prepare: [], run: ['node_modules/oxlint/bin/oxlint', '--quiet'] },
  dev: { prepare: [build], run: ['scripts/dev.ts'] },
  set: { prepare: [build], run: ['scripts/dev-set.ts'] },
  'example:web': { prepare: [build], run: ['node_modules/vite/bin/vite.js', 'examples/web'] },
  'cache:flush': { prepare: [build], run: ['scripts/flush-cache.ts'] },
  build: { prepare: [], run: build },
  format: { prepare: [], run: ['node_modules/@biomejs/biome/bin/biome', 'format', '--write', '.'] },
  docs: { prepare: [], run: ['docs/site/dev.ts'] },
  'docs:build': { prepare: [], run: ['docs/site/build.ts'] },
  'release:baseline': { prepare: [], run: ['scripts/release/renew-baseline.ts'] },
  bench: { prepare: [build], run: ['packages/server/bench/main.ts'] },
}

let child = null
let lastSignalMs = 0
let locked = false

process.on('exit', unlock)
if (Number(process.versions.node.split('.')[0]) < nodeMajorMin) {
  fail(
    `Pinstack needs Node ${nodeMajorMin} or newer and this is ${process.version}: install a current one from https://nodejs.org and run the same command again.`,
  )
} else {
  Object.keys(signalNumbers).forEach(function (signal) {
    process.on(signal, function () {
      pass(signal)
    })
  })
  watchParent()
  main(process.argv[2], process.argv.slice(3))
}

function main(name, args) {
  const command = commands[name]
  if (!command) return fail('Unknown command ' + name + ': one of ' + Object.keys(commands).join(', ') + '.')
  lock(function () {
    install(function () {
      inOrder(command.prepare, function () {
        unlock()
        run(command.run.concat(args), function (code) {
          process.exitCode = code
        })
      })
    })
  })
}

function inOrder(steps, done) {
  if (steps.length === 0) return done()
  run(steps[0], function (code) {
    if (code !== 0) process.exitCode = code
    else inOrder(steps.slice(1), done)
  })
}

function install(done) {
  if (isInstalled()) return done()
  const startedMs = Date.now()
  const pnpm = JSON.parse(fs.readFileSync(path.join(root, 'package.json'), 'utf8')).packageManager
  process.stderr.write('Installing dependencies (a minute the first time) … ')
  const args = [
    '--yes',
    '--loglevel=error',
    pnpm,
    'install',
    '--frozen-lockfile',
    '--config.confirmModulesPurge=false',
    '--reporter=append-only',
  ]
  const environment = Object.assign({}, process.env, { npm_config_update_notifier: 'false' })
  child = childProcess.spawn('npx', args, {
    cwd: root,
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32',
  })
  let output = ''
  const keep = function (chunk) {
    output += chunk
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  settle(child, function (code) {
    if (code === 0 && !fs.existsSync(ownNode)) {
      code = 1
      output += '\nThe package `node` has brought no binary for ' + process.platform + ' ' + process.arch + '.\n'
    }
    process.stderr.write(code === 0 ? 'done in ' + Math.round((Date.now() - startedMs) / 1000) + ' s\n' : 'failed\n' + output)
    if (code !== 0) {
      process.exitCode = code
      return
    }
    fs.mkdirSync(path.dirname(installedFile), { recursive: true })
    fs.writeFileSync(installedFile, fingerprint())
    done()
  })
}

function isInstalled() {
  const linked = fs.readdirSync(path.join(root, 'packages')).every(function (name) {
    const dir = path.join(root, 'packages', name)
    return fs.existsSync(path.join(dir, 'node_modules')) || !fs.existsSync(path.join(dir, 'package.json'))
  })
  return linked && fs.existsSync(ownNode) && fs.existsSync(installedFile) && fs.readFileSync(installedFile, 'utf8') === fingerprint()
}

/** All that decides what is installed: who changes none of it waits for no installation. */
function fingerprint() {
  const packages = fs.readdirSync(path.join(root, 'packages')).map(function (name) {
    return path.join('packages', name, 'package.json')
  })
  const hash = crypto.createHash('sha256').update(process.platform + ' ' + process.arch)
  ;['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json'].concat(packages.sort()).forEach(function (file) {
    const full = path.join(root, file)
    hash.update(file + '\n').update(fs.existsSync(full) ? fs.readFileSync(full) : '')
  })
  return hash.digest('hex')
}

/**
 * Runs a script on Node 24 and tells its exit code. It leads a process group of its own, so that it hears of a signal once, from
 * here. Should this process be killed, the end of the channel between the two ends it.
 */
function run(args, done) {
  const tether = url.pathToFileURL(path.join(__dirname, 'tether.mjs')).href
  const binaries = path.dirname(node) + path.delimiter + process.env.PATH
  child = childProcess.spawn(
    node,
    ['--disable-warning=ExperimentalWarning', '--import', tether, path.join(root, args[0])].concat(args.slice(1)),
    {
      cwd: root,
      env: Object.assign({}, process.env, { PATH: binaries }),
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      detached: process.platform !== 'win32', // there it would open a window
    },
  )
  settle(child, done)
}

function settle(process_, done) {
  process_.once('error', function (error) {
    child = null
    fail(error.message)
  })
  process_.once('close', function (code, signal) {
    child = null
    done(code === null ? 128 + (signalNumbers[signal] || 9) : code)
  })
}

function pass(signal) {
  if (Date.now() - lastSignalMs < sameSignalMs) return
  lastSignalMs = Date.now()
  if (child) child.kill(signal)
  else process.exit(128 + signalNumbers[signal])
}

/** A shell between npm and this process may die of a signal that it does not hand on. One that was handed on is not repeated. */
function watchParent() {
  const parent = process.ppid
  if (!process.env.npm_lifecycle_event) return
  setInterval(function () {
    if (process.ppid !== parent && lastSignalMs === 0) pass('SIGTERM')
  }, parentPollMs).unref()
}

/** Two commands in one checkout (a start and a test run, say) take turns at installing and building. */
function lock(done) {
  let waiting = false
  attempt()
  function attempt() {
    try {
      fs.mkdirSync(path.dirname(lockFile), { recursive: true })
      fs.writeFileSync(lockFile, String(process.pid), { flag: 'wx' })
      locked = true
    } catch (error) {
      if (error.code !== 'EEXIST') return fail(error.message)
      const holder = lockHolder()
      if (!isRunning(holder)) {
        fs.rmSync(lockFile, { force: true })
        return attempt()
      }
      if (!waiting) process.stderr.write('Waiting for process ' + holder + ', which is installing or building …\n')
      waiting = true
      setTimeout(attempt, lockPollMs)
      return
    }
    done()
  }
}

function lockHolder() {
  try {
    return Number(fs.readFileSync(lockFile, 'utf8')) || process.pid // not written yet: look again
  } catch (error) {
    return 0 // gone
  }
}

function unlock() {
  if (locked) fs.rmSync(lockFile, { force: true })
  locked = false
}

function isRunning(pid) {
  if (!pid) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function fail(sentence) {
  process.stderr.write(sentence + '\n')
  process.exitCode = 1
}
