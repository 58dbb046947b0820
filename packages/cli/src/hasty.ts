import type { Config } from '@pinstack/server/config'

/**
 * For a command that writes many rows, and that makes again what it misses. A power cut may take the last batches along, never the
 * file. Waiting for the disk after each took most of the time.
 */
export function hasty(config: Config): Config {
  return { ...config, database: { ...config.database, synchronous: 'normal' } }
}
