import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const path = (relative: string) => fileURLToPath(new URL(relative, import.meta.url))

/** An app that has installed nothing but the SDK: a browser's types, none of Node, none of a server. */
export const appOptions = {
  target: 'es2022',
  module: 'nodenext',
  lib: ['es2022', 'dom'],
  types: [],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
}

export function compile(dir: string, tsconfig: object, ...flags: string[]): { status: number | null; stdout: string } {
  mkdirSync(dir, { recursive: true })
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify(tsconfig))
  return spawnSync(process.execPath, [path('../../../node_modules/typescript-7/bin/tsc'), '-p', dir, ...flags], { encoding: 'utf8' })
}

/** Writes the SDK's declarations as they are published. */
export function emitDeclarations(outDir: string, configDir: string): { status: number | null; stdout: string } {
  const emit = { rewriteRelativeImportExtensions: true, declaration: true, emitDeclarationOnly: true, isolatedDeclarations: true }
  const compilerOptions = { ...appOptions, ...emit, rootDir: path('../src'), outDir }
  return compile(configDir, { compilerOptions, files: [path('../src/client.ts')] })
}
