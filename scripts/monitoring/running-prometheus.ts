import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse, stringify } from 'yaml'
import { root } from '../packages.ts'
import { freePort } from '../packed/project.ts'

const startMsMax = 30_000

export interface Series {
  metric: Record<string, string>
  value: [number, string]
}

/**
 * A real Prometheus with our own configuration and rules, but for the addresses that it scrapes, and how often: `processes` are the
 * targets of the job `pinstack`.
 */
export async function startPrometheus(folder: string, processes: readonly string[]) {
  const port = await freePort()
  const own = join(root, 'docker/monitoring/prometheus')
  const config = parse(readFileSync(join(own, 'prometheus.yml'), 'utf8')) as Configuration
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' }
  for (const job of config.scrape_configs) {
    const targets = { pinstack: processes, prometheus: [`127.0.0.1:${port}`] }[job.job_name]
    if (targets) job.static_configs = [{ targets: [...targets] }]
  }
  config.scrape_configs = config.scrape_configs.filter(({ job_name }) => ['pinstack', 'prometheus'].includes(job_name))
  cpSync(join(own, 'rules'), join(folder, 'rules'), { recursive: true })
  writeFileSync(join(folder, 'prometheus.yml'), stringify(config))
  const args = [
    `--config.file=${join(folder, 'prometheus.yml')}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
  ]
  const child = spawn('prometheus', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk: Buffer) => void (log += chunk))
  const url = `http://127.0.0.1:${port}`
  const deadlineMs = performance.now() + startMsMax
  while (!(await isReady(url))) {
    if (child.exitCode !== null || performance.now() > deadlineMs) throw new Error(`Prometheus did not start\n${log}`)
    await sleep(100)
  }

  async function ask(path: string, query: Record<string, string> = {}): Promise<any> {
    const response = await fetch(`${url}/api/v1/${path}?${new URLSearchParams(query)}`)
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: unknown }
    if (status !== 'success') throw new Error(`${query.query}: ${error}`)
    return data
  }
  return {
    query: async (query: string): Promise<Series[]> => (await ask('query', { query })).result,
    /** Rules that Prometheus could not evaluate, with the reason. */
    async brokenRules(): Promise<{ name: string; lastError?: string }[]> {
      const { groups } = (await ask('rules')) as { groups: { rules: { name: string; health: string; lastError?: string }[] }[] }
      return groups.flatMap(({ rules }) => rules).filter(({ health }) => health !== 'ok')
    },
    async stop() {
      if (child.exitCode !== null) return
      child.kill()
      await once(child, 'exit')
    },
  }
}

interface Configuration {
  global: object
  scrape_configs: { job_name: string; static_configs: { targets: string[] }[] }[]
}

async function isReady(url: string): Promise<boolean> {
  return fetch(`${url}/-/ready`).then(
    ({ ok }) => ok,
    () => false,
  )
}
