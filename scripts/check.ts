/** `npm run check`: everything that can be held against the code without running it. All steps run; one that fails fails the whole. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { root } from './packages.ts'
import { skippedCode } from './skipped-code.ts'

const atOnce = 2

const steps: Record<string, string[]> = {
  'packed packages': ['scripts/check-packages.ts'],
  types: ['node_modules/typescript-7/bin/tsc', '-p', '.'],
  'types of web pages': ['node_modules/typescript-7/bin/tsc', '-p', 'tsconfig.web.json'],
  'unused code': ['node_modules/knip/bin/knip.js', '--no-progress', '--treat-config-hints-as-errors'],
  'dependency rules': ['scripts/dependency-rules.ts'],
  lint: ['node_modules/oxlint/bin/oxlint', '--quiet', '--format=unix'],
  format: ['node_modules/@biomejs/biome/bin/biome', 'format', '--reporter=summary', '.'],
  docs: ['docs/site/build.ts'],
  workflows: ['scripts/check-workflows.ts'],
  'last release': ['scripts/release/check-surface.ts'],
}

const waiting = Object.entries(steps)
let passed = 0
let failed = 0
let skipped = 0
await Promise.all(Array.from({ length: atOnce }, work))
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
process.exitCode = failed > 0 ? 1 : 0

async function work(): Promise<void> {
  for (let step = waiting.shift(); step; step = waiting.shift()) {
    const [name, command] = step
    const startedMs = performance.now()
    const { code, output } = await run(command)
    if (code === 0) passed++
    else if (code === skippedCode) skipped++
    else failed++
    const sign = code === 0 ? '✓' : code === skippedCode ? '-' : '✗'
    console.log(`${sign} ${name} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`)
    if (code !== 0) console.log(output.trimEnd())
  }
}

function run([script, ...args]: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [join(root, script!), ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
  let output = ''
  const keep = (chunk: Buffer) => {
    output += chunk
  }
  child.stdout.on('data', keep)
  child.stderr.on('data', keep)
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: null, output: error.message }))
    child.once('close', (code) => resolve({ code, output }))
  })
}
