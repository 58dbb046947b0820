import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { root } from '../site/root.ts'
import type { Block, PageOfBlocks } from './blocks.ts'

const run = promisify(execFile)
const folder = join(root, 'docs', '.snippets') // below docs/, where the packages are that it imports

const languages = new Set(['ts', 'js', 'tsx'])

/** Whether it is a program, which has types. */
export function isProgram({ language }: Block): boolean {
  return languages.has(language)
}

/** A block with what a reader has already: a client that is signed in, where it uses one and does not make it. */
export function programOf({ code }: Block, prelude: string, name: string): string {
  const uses = (word: string) => new RegExp(`\\b${word}\\b`).test(code) && !new RegExp(`(const|let) ${word}\\b`).test(code)
  const client = uses('pinstack')
    ? `import { createPinstack as make } from '@pinstack/sdk'
const pinstack = make({ url: 'http://127.0.0.1:8080' })
await pinstack.register({ username: '${name}', email: '${name}@example.com', password: 'correct horse' })\n`
    : ''
  return `${client}${code}\nexport {}\n${prelude}\n`
}

const compilerOptions = {
  lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
  noEmit: true,
  noUnusedLocals: false,
  types: ['node'],
  typeRoots: [join(root, 'node_modules', '@types')],
  verbatimModuleSyntax: true,
}

/** Compiles every program of the pages against the real packages, as strictly as the packages themselves. What is wrong, by page and line. */
export async function typeErrors(pages: PageOfBlocks[]): Promise<string[]> {
  mkdirSync(folder, { recursive: true })
  const dir = mkdtempSync(join(folder, 'types-'))
  try {
    const places = new Map<string, string>()
    for (const { blocks, prelude } of pages)
      for (const block of blocks.filter(isProgram)) {
        const generated = `${block.at.replace(/[^\w]+/g, '-')}.${block.language === 'tsx' ? 'tsx' : 'ts'}`
        const name = block.file?.endsWith('.ts') ? block.file : generated // others import it by its own
        if (places.has(name)) throw new Error(`${block.at}: ${name} is the file of ${places.get(name)}, too`)
        places.set(name, block.at)
        writeFileSync(join(dir, name), programOf(block, prelude, 'ann'))
      }
    writeFileSync(
      join(dir, 'tsconfig.json'),
      JSON.stringify({ extends: join(root, 'tsconfig.base.json'), compilerOptions, include: ['*'] }),
    )
    const compiler = join(root, 'node_modules/typescript-7/bin/tsc')
    const { stdout } = await run(process.execPath, [compiler, '-p', dir, '--pretty', 'false'], { cwd: dir }).catch(
      (error: { stdout: string }) => error,
    )
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => line.replace(/^([\w-]+[.]tsx?)/, (name) => `${places.get(name)} as ${name}`))
  } finally {
    rmSync(dir, { recursive: true })
  }
}
