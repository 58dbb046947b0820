import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { root } from '../site/root.ts'

/** A piece of code of a page. What is said of it stands behind its language, where no reader sees it: ```sh not-run="needs a cluster". */
export interface Block {
  /** Page and line, for messages. */
  at: string
  language: string
  code: string
  /** Why it is only parsed (and, where it has types, type-checked). */
  notRun: string | undefined
  /** An argument that is left out when it is run here, as `--apply` is, and why. */
  without: string | undefined
  because: string | undefined
  /** It is written to this file, for the commands that follow. */
  file: string | undefined
  /** It runs until it is stopped: the next block is for when it has printed `ready`, and in the end it has to have printed `until`. */
  ready: string | undefined
  until: string | undefined
  /** With which code it ends, where it is meant to fail. */
  fails: number
  /** YAML of something else than Pinstack. */
  of: string | undefined
}

export interface PageOfBlocks {
  source: string
  blocks: Block[]
  /** Declarations for what the reader's own app has: `<!-- snippets: declare … -->` in the page. */
  prelude: string
}

const names = new Set(['not-run', 'without', 'because', 'file', 'of', 'ready', 'until', 'fails'])

/**
 * The blocks of a page, in their order. What it takes for granted, such as an account, is done by a comment that no reader sees: `<!-- run`,
 * commands, and `-->` on a line of its own.
 *
 * @throws for what cannot be read: a wrong mark would leave a block unchecked
 */
export function blocksOf(source: string): PageOfBlocks {
  const text = readFileSync(join(root, source), 'utf8')
  const blocks: Block[] = []
  let open: { line: number; info: string; end: string; code: string[] } | undefined
  for (const [index, line] of text.split('\n').entries())
    if (open && line.trim() === open.end) {
      blocks.push(block(`${source}:${open.line}`, open.info, `${open.code.join('\n')}\n`))
      open = undefined
    } else if (open) open.code.push(line)
    else if (line === '<!-- run') open = { line: index + 1, info: 'sh', end: '-->', code: [] }
    else if (line.trimStart().startsWith('```')) open = { line: index + 1, info: line.trimStart().slice(3), end: '```', code: [] }
  if (open) throw new Error(`${source}:${open.line} begins code that does not end`)
  const prelude = [...text.matchAll(/<!-- snippets:([\s\S]*?)-->/g)].map(([, code]) => code!.trim()).join('\n')
  return { source, blocks, prelude }
}

function block(at: string, info: string, code: string): Block {
  const [, language = '', rest = ''] = /^(\w*)(.*)$/.exec(info)!
  const said = Object.fromEntries([...rest.matchAll(/([\w-]+)="([^"]+)"/g)].map(([, name, value]) => [name, value]))
  const unknown = rest.replace(/([\w-]+)="([^"]+)"/g, '').trim() || Object.keys(said).find((name) => !names.has(name))
  if (unknown) throw new Error(`${at}: nobody knows what ${unknown} means`)
  const { 'not-run': notRun, without, because, file, of, ready, until, fails = '0' } = said
  if (without && !because) throw new Error(`${at}: it does not say why it is run without ${without}`)
  return { at, language, code, notRun, without, because, file, of, ready, until, fails: Number(fails) }
}
