import { existsSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'

/** @NOTE not mkdir's own `recursive`: below /proc and its like, where nothing can be made, Node tries without end. */
export function makeFolders(path: string): void {
  if (existsSync(path)) return
  makeFolders(dirname(path))
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error // another process was faster
  }
}
