/** Writes the dashboards where Grafana is told to look for them. Files that are as they should be are left alone. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../packages.ts'
import { dashboards } from './dashboards.ts'

const folder = join(root, 'docker/monitoring/grafana/dashboards')

export function writeDashboards(): void {
  mkdirSync(folder, { recursive: true })
  const made = new Map(dashboards().map(({ name, json }) => [`${name}.json`, json()]))
  for (const name of readdirSync(folder)) if (!made.has(name)) rmSync(join(folder, name))
  for (const [name, text] of made) {
    const file = join(folder, name)
    if (!existsSync(file) || readFileSync(file, 'utf8') !== text) writeFileSync(file, text)
  }
}
