import { globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import extractTSConfig from 'dependency-cruiser/config-utl/extract-ts-config'
import { root } from './packages.ts'

export interface Finding {
  rule: string
  from: string
  to: string
}

const config = createRequire(import.meta.url)('../.dependency-cruiser.cjs')

/** The names of all rules. */
export const ruleNames: string[] = config.forbidden.map((rule: { name: string }) => rule.name)

/** Holds the packages below `dir` to the dependency rules. Throws when it saw none of a package: what sees nothing finds nothing. */
export async function checkDependencies(dir: string): Promise<Finding[]> {
  const { options, forbidden } = config
  const sources = ['packages/server', 'packages/sdk', 'packages/cli', 'packages/admin-tui'].map((name) => `${name}/src`)
  const { output } = await cruise(
    [...sources, ...globSync('packages/*/test', { cwd: dir })],
    { ...options, ruleSet: { forbidden }, validate: true, baseDir: dir },
    undefined,
    { tsConfig: extractTSConfig(join(root, options.tsConfig.fileName)) },
  )
  const { modules, summary } = output as ICruiseResult
  for (const source of sources) {
    if (!modules.some((module) => module.source.startsWith(`${source}/`)))
      throw new Error(`the dependency rules saw no module of ${source}`)
  }
  return summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }))
}

if (import.meta.main) {
  const findings = await checkDependencies(root)
  for (const { rule, from, to } of findings) console.error(`${rule}: ${from} → ${to}`)
  process.exitCode = findings.length > 0 ? 1 : 0
}
