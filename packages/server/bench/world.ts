import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig, type Config, type FlagValue } from '../src/config.ts'

export const login = 'user1'
export const password = 'correct horse battery'

/** A data directory with room beside it, gone when the process ends. */
export function newDataDir(): string {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-bench-'))
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'seed')
}

/** The defaults of production, over `dir` and on free ports. */
export function benchConfig(dir: string, flags: Record<string, FlagValue> = {}): Config {
  return loadConfig({ flags: { 'data.dir': dir, 'http.port': 0, 'metrics.port': 0, ...flags } }).config
}
