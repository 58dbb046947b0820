import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { homePage } from './home.ts'
import { siteLinks } from './links.ts'
import { pages, type Page } from './pages.ts'
import { writeRestReference } from './rest-reference.ts'
import { root, written } from './root.ts'
import { writeSdkReference } from './sdk-reference.ts'
import { writeTrpcReference } from './trpc-reference.ts'

/** Writes all that the site shows into one folder: the pages of the repository, and the references as the code has them. */
export async function writePages(): Promise<void> {
  rmSync(written, { recursive: true, force: true })
  mkdirSync(written, { recursive: true })
  cpSync(join(root, 'docs/public'), join(written, 'public'), { recursive: true })
  write('index.md', homePage())
  for (const page of pages()) writePage(page)
  writeTrpcReference(write)
  await Promise.all([writeRestReference(write), writeSdkReference(join(written, 'reference/sdk'))])
}

/** Writes one page of the repository again, as it is now. */
export function writePage({ source, route, title }: Page): void {
  const markdown = readFileSync(join(root, source), 'utf8')
  const copy = (file: string) => {
    const to = join('pictures', file.replaceAll('/', '-'))
    mkdirSync(join(written, 'pictures'), { recursive: true })
    cpSync(join(root, file), join(written, to))
    return `/${to}`
  }
  const edit = { title, editPath: source }
  write(`${route}.md`, `---\n${frontmatter(edit)}---\n\n${siteLinks(markdown, { source, all: pages(), copy })}`)
}

/** A page by its path in the site. */
export type Write = (path: string, markdown: string) => void

function write(path: string, markdown: string): void {
  const file = join(written, path)
  if (!existsSync(dirname(file))) mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, markdown)
}

function frontmatter(values: Record<string, string>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}: ${JSON.stringify(value)}\n`)
    .join('')
}
