import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** What the tests of a run leave in the temporary folder goes with the run. */
export default function setup(): () => void {
  const dir = mkdtempSync(join(tmpdir(), 'pinstack-tests-'))
  for (const name of ['TMPDIR', 'TMP', 'TEMP']) process.env[name] = dir
  return () => rmSync(dir, { recursive: true, force: true, maxRetries: 5 })
}
