import { existsSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { good, warning, wrong, type Finding } from './finding.ts'

const freeBytesWrong = 200e6
const freeBytesWarning = 1e9
const freePartWarning = 0.05

/** Room where the data is, or would be. */
export async function diagnoseDisk(dir: string): Promise<Finding> {
  const folder = nearest(dir)
  const { bavail, blocks, bsize } = await statfs(folder)
  const [freeBytes, allBytes] = [bavail * bsize, blocks * bsize]
  const found = `${(freeBytes / 1e9).toFixed(1)} of ${(allBytes / 1e9).toFixed(1)} GB are free at ${folder}.`
  const fix = 'Make room: a full disk refuses every write until it has some again. Old logs and backups are the first to look at.'
  if (freeBytes < freeBytesWrong) return wrong('disk', found, fix)
  return freeBytes < freeBytesWarning || freeBytes < allBytes * freePartWarning ? warning('disk', found, fix) : good('disk', found)
}

function nearest(dir: string): string {
  return existsSync(dir) ? dir : nearest(dirname(dir))
}
