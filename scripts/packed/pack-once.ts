import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { packAll, type Packed } from '../pack.ts'

declare module 'vitest' {
  interface ProvidedContext {
    packed: Packed[]
  }
}

/** Packs the packages once for all suites: `inject('packed')`. */
export default function setup(project: TestProject): () => void {
  const folder = mkdtempSync(join(tmpdir(), 'pinstack-packed-'))
  project.provide('packed', packAll(folder))
  return () => rmSync(folder, { recursive: true, force: true })
}
