/**
 * The whole Compose set of this checkout, its packages built into the image, with the monitoring:
 *   npm run monitoring:up      writes it to .cache/set and starts it; needs Docker
 *   npm run monitoring:check   asks every part of the monitoring how it is, and Prometheus whether it reaches all it should
 *   npm run monitoring:down    stops it; its data stays
 *   npm run logs               follows the logs of all its parts; `npm run logs -- worker` those of one
 */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { packAll } from './pack.ts'
import { root } from './packages.ts'

const dir = join(root, '.cache/set')
const packed = join(root, '.cache/packed')
const answerMsMax = 5_000
const parts = {
  Prometheus: 'http://127.0.0.1:9090/-/ready',
  Grafana: 'http://127.0.0.1:3000/api/health',
  Loki: 'http://127.0.0.1:3100/ready',
  Tempo: 'http://127.0.0.1:3200/ready',
}

const [verb, ...rest] = process.argv.slice(2)
if (verb === 'up') process.exitCode = up()
else if (verb === 'check') process.exitCode = await check()
else if (verb === 'down') process.exitCode = compose('down')
else if (verb === 'logs') process.exitCode = compose('logs', '--follow', '--tail', '100', ...rest)
else {
  console.error('One of: set up, set check, set down, set logs.')
  process.exitCode = 2
}

function up(): number {
  rmSync(packed, { recursive: true, force: true })
  packAll(packed)
  const cli = join(root, 'packages/cli/bin/pinstack.js')
  const args = ['deploy', 'compose', '--directory', dir, '--packages', packed, '--with', 'monitoring', '--keep', '--yes', '--apply']
  return spawnSync(process.execPath, [cli, ...args], { stdio: 'inherit' }).status ?? 1
}

function compose(...args: string[]): number {
  const { status, error } = spawnSync('docker', ['compose', '--project-directory', dir, ...args], { stdio: 'inherit' })
  if (error) console.error(`docker: ${error.message}`)
  return status ?? 1
}

async function check(): Promise<number> {
  const found = await Promise.all(Object.entries(parts).map(async ([name, url]) => [name, await answerOf(url)] as const))
  const targets = await answerOf('http://127.0.0.1:9090/api/v1/targets?state=active', async (response) => {
    const { data } = (await response.json()) as { data: { activeTargets: { scrapeUrl: string; health: string; lastError: string }[] } }
    const down = data.activeTargets.filter(({ health }) => health !== 'up')
    if (down.length > 0) throw new Error(down.map(({ scrapeUrl, lastError }) => `${scrapeUrl}: ${lastError}`).join('; '))
    if (data.activeTargets.length === 0) throw new Error('it scrapes nothing')
  })
  const all = [...found, ['Targets', targets] as const]
  for (const [name, problem] of all) console.log(`${problem ? '✗' : '✓'} ${name.padEnd(11)}${problem}`)
  return all.every(([, problem]) => problem === '') ? 0 : 1
}

/** Empty for a good answer, else what is wrong. */
async function answerOf(url: string, look: (response: Response) => Promise<void> = async () => {}): Promise<string> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMsMax) })
    if (!response.ok) return `${url} answers ${response.status}`
    await look(response)
    return ''
  } catch (error) {
    const { message, cause } = error as Error
    return `${url}: ${(cause as Error | undefined)?.message || message}`
  }
}
