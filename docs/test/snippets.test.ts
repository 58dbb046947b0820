import { execFileSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { diagram } from '../site/diagrams.ts'
import { pages } from '../site/pages.ts'
import { root } from '../site/root.ts'
import { differences, documentsOf } from './answers.ts'
import { blocksOf, type Block, type PageOfBlocks } from './blocks.ts'
import { isProgram, programOf, typeErrors } from './programs.ts'
import { createReader, type Reader, type Running } from './reader.ts'

/** Pages whose code has tests of its own. Here it is only parsed. */
const elsewhere: Record<string, string> = {
  'packages/sdk/README.md': 'packages/sdk/test/examples.test.ts',
  'examples/web/README.md': 'scripts/browser/from-nothing.test.ts',
}

const all = pages().map(({ source }) => blocksOf(source))
const ours = all.filter(({ source }) => !(source in elsewhere))
/** The pages of the packages are compiled. */
const run = ours.filter(({ source }) => source.startsWith('docs/'))
const prose = ['', 'text', 'md']
const left: Block[] = []

afterAll(() => {
  const reasons = left.map(({ at, notRun, without, because }) => `  ${at}: ${notRun ?? `without${without}: ${because}`}`)
  console.log(`${left.length} of ${all.flatMap(({ blocks }) => blocks).length} blocks are not run as they stand:\n${reasons.join('\n')}`)
})

it('has a page for each file of docs/', () => {
  expect(pages().map(({ source }) => source)).toEqual(expect.arrayContaining(globSync('docs/*.md', { cwd: root })))
})

it.each(all.filter(({ source }) => source in elsewhere))('$source has a test of its own', ({ source }) => {
  expect(readFileSync(join(root, elsewhere[source]!), 'utf8')).toContain(basename(source))
})

it('compiles each program of each page', async () => {
  expect(ours.flatMap(({ blocks }) => blocks).filter(isProgram).length).toBeGreaterThan(5)
  expect(await typeErrors(ours)).toEqual([])
})

describe.each(all)('$source', (page) => {
  it(`can be read: ${page.blocks.length} blocks`, () => {
    for (const block of page.blocks) parse(block, page.source)
  })
})

describe.each(run.filter(({ blocks }) => blocks.some(({ language }) => ![...prose, 'mermaid'].includes(language))))('$source', (page) => {
  it('does what it says, from its top to its bottom', ({ signal }) => follow(page, signal))
})

/** What needs no server. */
function parse({ at, language, code }: Block, source: string): void {
  if (['jsx', 'html'].includes(language) && source in elsewhere) return

  if (language === 'sh') execFileSync('bash', ['-n', '-c', code])
  else if (language === 'yaml') for (const document of parseAllDocuments(code)) expect([at, document.errors]).toEqual([at, []])
  else if (language === 'json') documentsOf(code)
  else if (language === 'mermaid') expect([at, diagram(code)]).toEqual([at, expect.stringContaining('<svg')])
  else if (![...prose, 'ts', 'js', 'tsx'].includes(language)) throw new Error(`${at}: nobody here runs ${language}`)
}

async function follow({ blocks, prelude }: PageOfBlocks, signal: AbortSignal): Promise<void> {
  const reader = await createReader(signal)
  try {
    let printed = ''
    const running: [Block, Running][] = []
    for (const [index, block] of blocks.entries())
      try {
        if (block.ready) running.push([block, await reader.begin(block.code, block.ready)])
        else printed = (await step(block, { reader, prelude, name: `reader${index}`, printed })) ?? printed
      } catch (error) {
        throw new Error(`${block.at}: ${(error as Error).message}`, { cause: error })
      }
    for (const [block, one] of running) await one.says(block.until!)
  } finally {
    await reader.leave()
  }
}

interface Step {
  reader: Reader
  prelude: string
  name: string
  /** By the command before. */
  printed: string
}

/** One block; what it prints. */
async function step(block: Block, { reader, prelude, name, printed }: Step): Promise<string | undefined> {
  const { language, code, notRun, without, file, of, fails } = block
  if (notRun || without) left.push(block)
  if (notRun) return undefined
  if (file) reader.save(code, file)
  else if (language === 'sh') return reader.shell(without ? code.replaceAll(without, '') : code, fails)
  else if (isProgram(block)) return reader.program(programOf(block, prelude, name), `${name}.${language}`)
  else if (language === 'yaml' && !of) reader.configure(code)
  else if (language === 'json') {
    const shown = documentsOf(code)
    const answered = documentsOf(printed).slice(-shown.length)
    expect(shown.flatMap((one, index) => differences(one, answered[index]))).toEqual([])
  }
  return undefined
}
