import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { WebStorage } from '../src/client.ts'

/** Something like `localStorage` that processes share, as tabs share theirs. */
export function fileStorage(dir: string): WebStorage {
  const file = (key: string) => join(dir, key)
  return {
    getItem(key) {
      try {
        return readFileSync(file(key), 'utf8')
      } catch {
        return null
      }
    },
    setItem(key, value) {
      writeFileSync(`${file(key)}.${process.pid}`, value)
      renameSync(`${file(key)}.${process.pid}`, file(key))
    },
    removeItem: (key) => rmSync(file(key), { force: true }),
  }
}
